"""Reading a signature further than the verifier does: what is broken is noted and mended.

What comes out serves to look for mistakes; it is never verified with.
"""

import re
from base64 import b64decode
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from typing import Final

from enrol.errors import RefusalError
from enrol.httpsig import cavage, rfc9421
from enrol.httpsig.cavage import SignatureParameters, parameter_values
from enrol.httpsig.explain.findings import fails, holds, undecided
from enrol.httpsig.explain.report import Mistake, RuleFinding
from enrol.httpsig.message import HttpMessage
from enrol.httpsig.octets import encode_base64
from enrol.httpsig.policy import Mode, SignaturePolicy
from enrol.httpsig.rfc9421 import MessageSignature

_CAVAGE: Final = (
    *(("CAR-2",), ("CAR-4",), ("CAR-1",), ("CAR-3",), ("CAR-5",), ("PAR-1", "PAR-3"), ("PAR-8",)),
    *(("PAR-9",), ("PAR-6",), ("HDR-1",), ("HDR-4", "HDR-8"), ("HDR-5",), ("HDR-9",)),
)
_RFC9421: Final = (("CAR-2",), ("CAR-5", "M-CAR"), ("M-LBL",), ("M-PAR", "M-CMP"))
_INTEGER: Final = re.compile(r"0|[1-9][0-9]{0,11}")
_WORD: Final = re.compile(rb"(?i)[ \t]*signature[ \t]+")

Mend = Callable[[HttpMessage], HttpMessage | None]


@dataclass(frozen=True, slots=True)
class Reading:
    """A signature as read after `mended`; None where it cannot be read at all.

    `broken` are the rules of reading that do not hold, in the order they were met.
    """

    mode: Mode
    parsed: SignatureParameters | MessageSignature | None
    broken: tuple[str, ...]
    mended: tuple[Mistake, ...]

    def findings(self) -> Iterator[RuleFinding]:
        """Yield the verdict on each rule of reading."""
        steps = _CAVAGE if self.mode is Mode.CAVAGE else _RFC9421
        reached = True
        for step in steps:
            for rule in step:
                if rule in self.broken:
                    yield fails(rule)
                else:
                    together = self.parsed is None and self.broken[-1] in step
                    yield holds(rule) if reached and not together else undecided(rule)
            if self.parsed is None and self.broken[-1] in step:
                reached = False


def mode_of(message: HttpMessage, policy: SignaturePolicy) -> Mode:
    """Return the mode a message is judged in (`parse_signature`)."""
    modes = policy.modes
    if Mode.RFC9421 in modes and (message.has(b"signature-input") or Mode.CAVAGE not in modes):
        return Mode.RFC9421
    return Mode.CAVAGE


def read_on(message: HttpMessage, mode: Mode) -> Reading:
    """Read the signature of a message; what can be mended does not stop the reading."""
    read = cavage.read_signature if mode is Mode.CAVAGE else rfc9421.read_signature
    broken: list[str] = []
    mended: list[Mistake] = []
    while True:
        try:
            return Reading(mode, read(message), tuple(broken), tuple(mended))
        except RefusalError as refusal:
            code = refusal.code
        name, sentence, mend = _MENDS.get(code, ("", "", _beyond_repair))
        better = mend(message) if code not in broken else None
        if code not in broken:
            broken.append(code)
        if better is None:
            return Reading(mode, None, tuple(broken), tuple(mended))
        mended.append(Mistake(name, sentence))
        message = better


def _beyond_repair(message: HttpMessage) -> HttpMessage | None:  # noqa: ARG001 - a `Mend`
    return None


def _out_of_authorization(message: HttpMessage) -> HttpMessage | None:
    """Move the signature from Authorization to where it belongs."""
    kept, found = [], []
    for name, value in message.fields:
        match = _WORD.match(value) if name == b"authorization" else None
        if match is None:
            kept.append((name, value))
        else:
            found.append((b"signature", value[match.end() :]))
    moved = found if not message.has(b"signature") else []
    return replace(message, fields=(*kept, *moved)) if found else None


def _without_signature_input(message: HttpMessage) -> HttpMessage:
    fields = tuple(field for field in message.fields if field[0] != b"signature-input")
    return replace(message, fields=fields)


def _without_scheme(message: HttpMessage) -> HttpMessage | None:
    """Take away the word ``Signature``, which stands before the parameters in Authorization."""
    value = message.first[b"signature"]
    match = _WORD.match(value)
    return _with_signature(message, value[match.end() :]) if match else None


def _with_integers(values: dict[str, str]) -> dict[str, str]:
    return {
        name: text
        for name, text in values.items()
        if name not in ("created", "expires") or _INTEGER.fullmatch(text)
    }


def _with_base64(values: dict[str, str]) -> dict[str, str]:
    """Write the signature in canonical base64, whatever variety of base64 it is in."""
    text = "".join(values["signature"].split()).replace("-", "+").replace("_", "/").rstrip("=")
    octets = b64decode(text + "=" * (-len(text) % 4))
    return {**values, "signature": encode_base64(octets)}


def _with_headers(values: dict[str, str]) -> dict[str, str]:
    return {**values, "headers": ""}


def _with_blanks(values: dict[str, str]) -> dict[str, str]:
    return {**values, "headers": " ".join(values["headers"].split())}


def _without_doubles(values: dict[str, str]) -> dict[str, str]:
    names = values["headers"].lower().split(" ")
    return {**values, "headers": " ".join(dict.fromkeys(names))}


def _without_itself(values: dict[str, str]) -> dict[str, str]:
    names = values["headers"].split(" ")
    return {**values, "headers": " ".join([name for name in names if name.lower() != "signature"])}


def _mending(change: Callable[[dict[str, str]], dict[str, str]]) -> Mend:
    """Return what writes the parameters of `Signature` anew after a change."""

    def mend(message: HttpMessage) -> HttpMessage | None:
        text = message.first[b"signature"].decode("latin-1")
        try:
            values = change(parameter_values(text))
        except (RefusalError, ValueError):
            return None
        parts = [f'{name}="{_escaped(value)}"' for name, value in values.items()]
        return _with_signature(message, ",".join(parts).encode("latin-1"))

    return mend


def _with_signature(message: HttpMessage, value: bytes) -> HttpMessage:
    fields = tuple((n, value if n == b"signature" else v) for n, v in message.fields)
    return replace(message, fields=fields)


def _escaped(text: str) -> str:
    return text.replace("\\", "\\\\").replace('"', '\\"')


_MENDS: Final[dict[str, tuple[str, str, Mend]]] = {
    "CAR-2": (
        "signature-in-authorization",
        "It can be read if the signature is sent in Signature instead of Authorization.",
        _out_of_authorization,
    ),
    "CAR-4": (
        "signature-input-besides",
        "It can be read if Signature-Input is left out.",
        _without_signature_input,
    ),
    "PAR-1": (
        "scheme-in-signature",
        "It can be read if the word Signature is left out before the parameters.",
        _without_scheme,
    ),
    "PAR-6": (
        "times-not-integers",
        "It can be read if created and expires are whole seconds, or left out.",
        _mending(_with_integers),
    ),
    "PAR-9": (
        "signature-encoding",
        "It can be read if the signature is written in canonical base64.",
        _mending(_with_base64),
    ),
    "HDR-1": (
        "headers-absent",
        "It can be read if the headers parameter is sent.",
        _mending(_with_headers),
    ),
    "HDR-4": (
        "headers-blanks",
        "It can be read if headers has one blank between names, none before or after.",
        _mending(_with_blanks),
    ),
    "HDR-5": (
        "headers-doubled",
        "It can be read if headers lists each name once.",
        _mending(_without_doubles),
    ),
    "HDR-9": (
        "headers-lists-signature",
        "It can be read if headers does not list signature.",
        _mending(_without_itself),
    ),
}
