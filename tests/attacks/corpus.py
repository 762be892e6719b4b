"""The attack cases, read from the third-party file that describes them."""

import json
from dataclasses import dataclass
from functools import cache
from typing import Any

import pytest

from attacks.places import places_of
from vectors import shared

GROUPS = (
    *("mtls", "token", "framing", "json", "errors"),
    *("digest", "httpsig", "keyid", "limits"),
    *("redirect", "metadata", "jwks"),
    *("idor", "race"),
    *("revocation", "ssrf", "crypto_time"),
    *("fwdcert", "dos"),
)
"""The groups run here; the file has more, for parts that are tested elsewhere."""

_BANKS = {
    "AC-046": "rationed",
    "AC-138": "discreet",
    "AC-233": "rationed",
    "AC-235": "rationed",
    "AC-236": "uncounted",
    "AC-250": "faulty",
    "AC-278": "clocked",
    "AC-251": "closed",
    "AC-200": "stating",
    "AC-201": "stating",
    "AC-215": "plain",
    "AC-225": "crowded",
    "AC-238": "besieged",
    "AC-240": "besieged",
    "AC-241": "besieged",
    "AC-245": "cramped",
    ("AC-060", "/openapi.json"): "discreet",
}
_LONGEST_ID = 40


@dataclass(frozen=True)
class Attack:
    """A case with one of its variants, the empty text where it has none."""

    case: dict[str, Any]
    text: str = ""
    label: str = ""
    place: str = ""

    @property
    def name(self) -> str:
        """The id of the case."""
        return str(self.case["id"])

    @property
    def id(self) -> str:
        """The id of the test, such as ``AC-050[xchunked]``."""
        text = self.label or self.text
        named = f"{self.name}-{self.place}" if self.place else self.name
        return f"{named}[{text[:_LONGEST_ID]}]" if self.case["variants"] else named

    @property
    def bank(self) -> str:
        """The name of the bank that is attacked."""
        if self.case["group"] == "revocation":
            return "asking"
        return self.place or _BANKS.get((self.name, self.text)) or _BANKS.get(self.name, "open")

    @property
    def allowed(self) -> tuple[int | str, ...]:
        """The outcomes of which one must come."""
        return tuple(self.case["expect"]["any_of"])

    @property
    def errors(self) -> tuple[str, ...]:
        """The values of ``error`` of which one must come with a refusal; none where it is open."""
        return tuple(self.case["expect"]["error_any_of"])

    @property
    def invariants(self) -> tuple[str, ...]:
        """What must hold whatever the outcome."""
        return tuple(self.case["invariants"])


@cache
def load_attacks() -> tuple[Attack, ...]:
    """Return every attack of the groups; skips where the file is absent."""
    cases = json.loads(shared("spec", "attack-cases.json").read_text("utf-8"))["cases"]
    return tuple(
        Attack(
            case,
            str(variant.get("sym", variant.get("value", ""))),
            variant.get("label", ""),
            place,
        )
        for case in cases
        if case["group"] in GROUPS
        for place in places_of(case)
        for variant in case["variants"] or [{}]
    )


def attack_parameters() -> list[Any]:
    """Return the attacks for `pytest.mark.parametrize`; one that skips where there are none."""
    try:
        attacks = load_attacks()
    except pytest.skip.Exception as absent:
        return [pytest.param(None, id="absent", marks=pytest.mark.skip(reason=str(absent)))]
    return [pytest.param(attack, id=attack.id) for attack in attacks]
