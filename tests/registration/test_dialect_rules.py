"""Each rule a dialect can have does what it says: what a bank does, with the rule and without it.

A rule that only a whole bank can show names the test that does.
"""

import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, get_type_hints

import msgspec
import pytest

from dialects import AT, KEYS, STET, answer, document, grant
from enrol.adapters.dialects import load_dialect
from enrol.eidas.qcstatements import PspRole
from enrol.errors import ClientMetadataError, EntitlementError
from enrol.registration.client_id import new_client_id
from enrol.registration.dialect import Dialect, IssuedAt, Operation, Table
from enrol.registration.reading import read_document

TESTS = Path(__file__).parents[1]
RFC7591 = load_dialect("rfc7591")
URIS = ["https://tpp.test/a", "https://tpp.test/b"]
NAMELESS = {"keys": [{"kty": "RSA", "x5c": ["QUFB"]}]}

Probe = Callable[[Dialect], Any]


@dataclass(frozen=True)
class Rule:
    """A rule with another value, and what is seen of it: before in `base`, then with the value."""

    value: Any
    probe: Probe
    before: Any
    after: Any
    base: Dialect = STET


def decided(**changes: Any) -> Probe:
    """Return what makes of metadata the codes they are refused with, or what is granted."""

    def decide(dialect: Dialect) -> Any:
        sent = {name: value for name, value in document(**changes).items() if value != ...}
        client_id = changes.get("client_id")
        try:
            return grant(dialect, sent, client_id=client_id)
        except (ClientMetadataError, EntitlementError) as refusal:
            return refusal.code

    return decide


def granted(member: str, **changes: Any) -> Probe:
    """Return what tells the value a member is granted with."""
    decide = decided(**changes)

    def value(dialect: Dialect) -> Any:
        outcome = decide(dialect)
        return outcome if isinstance(outcome, str) else getattr(outcome, member)

    return value


def outcome(**changes: Any) -> Probe:
    """Return what tells the code of a refusal, None where all is granted."""
    decide = decided(**changes)

    def code(dialect: Dialect) -> str | None:
        result = decide(dialect)
        return result if isinstance(result, str) else None

    return code


def answered(member: str, operation: Operation = Operation.REGISTER) -> Probe:
    """Return what tells a member of an answer, ``...`` where it is absent."""
    return lambda dialect: answer(dialect, operation).get(member, ...)


def read(**members: Any) -> Probe:
    """Return what tells a document after it was read."""
    return lambda dialect: read_document(members, dialect.reading)


def issued(pattern: str) -> Probe:
    """Return what tells whether an identifier has a form."""

    def has_form(dialect: Dialect) -> bool:
        made = new_client_id(dialect.client_id.form, legal_id="PSDFR", at=AT, random=bytes)
        return re.fullmatch(pattern, made) is not None

    return has_form


RULES: dict[str, Rule | str] = {
    "name": "test_an_operator_speaks_a_changed_copy",
    "title": "test_a_mistake_is_refused_and_its_key_named",
    "operations": "test_lcl_has_no_delete",
    "not_offered": "test_section_2_3_a_method_that_is_not_supported_is_405",
    "register_path": "test_cic_registers_over_the_certificate_of_the_connection_alone",
    "credentials.register": "test_bpce_takes_no_registration_access_token",
    "credentials.manage": "test_bnpp_takes_no_other_bearer_for_management",
    "credentials.request_id": "test_rfc7591_serves_a_client_that_neither_signs_nor_sends_an_id",
    "credentials.rotate": Rule(
        *(False, lambda dialect: dialect.rotates_token), before=True, after=False
    ),
    "certificates.rsassa_pss": "test_bpce_refuses_a_certificate_signed_with_rsassa_pss",
    "signature.presence": "test_cic_verifies_a_signature_that_comes",
    "signature.profile": Rule(
        *("strict", lambda dialect: "host" in dialect.signature.policy.coverage.required),
        before=False,
        after=True,
    ),
    "signature.covered": Rule(
        ("date",),
        lambda dialect: dialect.signature.policy.coverage.required,
        before=("(request-target)", "digest", "x-request-id"),
        after=("date",),
    ),
    "signature.when_present": Rule(
        ("authorization",),
        lambda dialect: dialect.signature.policy.coverage.when_present,
        before=(),
        after=("authorization",),
    ),
    "signature.quirks": "test_bpce_answers_its_client_as_its_client_is_used_to",
    "reading.scope_separators": Rule(
        ",", granted("scope", scope="aisp,pisp"), "scope_unknown", "aisp pisp", base=RFC7591
    ),
    "reading.any_case": Rule(
        ("grant_types",), read(grant_types=["A"]), {"grant_types": ["A"]}, {"grant_types": ["a"]}
    ),
    "reading.jwks_array": Rule(
        True,
        read(jwks=[{"kty": "RSA"}]),
        {"jwks": [{"kty": "RSA"}]},
        {"jwks": {"keys": [{"kty": "RSA"}]}},
    ),
    "reading.x5c_text": Rule(
        *(True, read(jwks={"keys": [{"x5c": "A"}]})),
        before={"jwks": {"keys": [{"x5c": "A"}]}},
        after={"jwks": {"keys": [{"x5c": ["A"]}]}},
    ),
    "reading.kty_aliases": Rule(
        *({"RS256": "RSA"}, read(jwks={"keys": [{"kty": "RS256"}]})),
        before={"jwks": {"keys": [{"kty": "RS256"}]}},
        after={"jwks": {"keys": [{"kty": "RSA"}]}},
    ),
    "metadata.required": Rule(("software_id",), outcome(), None, "member_missing"),
    "metadata.required_one_of": Rule(
        (("tos_uri", "policy_uri"),), outcome(), None, "member_missing"
    ),
    "metadata.grant_types": Rule(
        frozenset({"client_credentials"}), outcome(), None, "value_refused"
    ),
    "metadata.scopes": Rule(
        {"aisp": PspRole.PSP_IC}, outcome(scope="aisp"), None, "role_insufficient"
    ),
    "metadata.refused": Rule(frozenset({"logo"}), outcome(logo="QUFB"), None, "member_refused"),
    "metadata.refused_even_null": Rule(
        frozenset(), outcome(client_secret=None), "member_refused", None
    ),
    "metadata.constants": Rule({"context": "psd2"}, outcome(), None, "member_missing"),
    "metadata.update_constants": Rule(
        {"context": "psd2"}, outcome(client_id="c1"), None, "member_missing"
    ),
    "metadata.response_types": Rule(
        frozenset({"none"}), outcome(response_types=["code"]), None, "value_refused"
    ),
    "metadata.token_endpoint_auth_methods": Rule(
        frozenset({"private_key_jwt"}), outcome(), None, "auth_method_refused"
    ),
    "metadata.most_redirect_uris": Rule(1, outcome(redirect_uris=URIS), None, "redirect_uris_many"),
    "metadata.redirect_uri_ending": Rule("/", outcome(), None, "redirect_uri_ending"),
    "metadata.client_name_without": Rule(
        "'", outcome(client_name="L'A"), None, "character_refused"
    ),
    "metadata.logo_uri_images": "test_cic_takes_an_image_as_logo_uri",
    "metadata.kid": Rule(
        *("server", lambda dialect: granted("jwks", jwks=NAMELESS)(dialect).keys[0].kid is None),
        before=True,
        after=False,
    ),
    "metadata.software_statement": Rule(
        *("optional", granted("software_statement", software_statement="e30.e30.e30")),
        before=None,
        after="e30.e30.e30",
    ),
    "metadata.defaults.token_endpoint_auth_method": Rule(
        *(None, granted("token_endpoint_auth_method", token_endpoint_auth_method=...)),
        before="tls_client_auth",
        after=None,
        base=RFC7591,
    ),
    "metadata.defaults.grant_types": Rule(
        *(("refresh_token",), granted("grant_types", grant_types=...)),
        before=("authorization_code",),
        after=("refresh_token",),
        base=RFC7591,
    ),
    "metadata.defaults.response_types": Rule(
        None, granted("response_types", response_types=...), ("code",), None
    ),
    "client_id.form": Rule("{hex40}", issued("[0-9a-f]{40}"), before=False, after=True),
    "agents.scope": "test_an_agent_has_at_most_what_its_tpps_clients_have_together",
    "agents.authority": "test_an_agent_of_another_authority_is_refused_unless_the_dialect_takes_it",
    "answer.members": Rule(("client_id",), answered("scope"), "aisp pisp", ...),
    "answer.withheld": Rule(frozenset({"scope"}), answered("scope"), "aisp pisp", ...),
    "answer.nulls": Rule(True, answered("tos_uri"), ..., None),
    "answer.scope_separator": Rule(",", answered("scope"), "aisp pisp", "aisp,pisp"),
    "answer.capitals": Rule(("response_types",), answered("response_types"), ["code"], ["CODE"]),
    "answer.issued_at": Rule(
        *(IssuedAt.UTC, answered("client_id_issued_at")),
        before=int(AT.timestamp()),
        after="2022-04-22T15:33:39.000Z",
    ),
    "answer.jwk_members": Rule(
        ("kty",),
        answered("jwks"),
        {"keys": [{"kty": "RSA", "x5c": ["QUFB"]}]},
        {"keys": [{"kty": "RSA"}]},
    ),
    "answer.jwks_array": Rule(True, answered("jwks"), KEYS, KEYS["keys"]),
    "answer.x5c_text": Rule(
        True, answered("jwks"), KEYS, {"keys": [{"kty": "RSA", "x5c": "QUFB"}]}
    ),
    "answer.constants": Rule({"context": "psd2"}, answered("context"), ..., "psd2"),
}
for operation in Operation:
    RULES[f"answer.{operation}.status"] = "test_the_description_has_the_statuses_of_the_dialect"
    RULES[f"answer.{operation}.fields"] = "test_lcl_registers_and_updates_with_201_and_a_warning"
    if operation is not Operation.DELETE:
        shown = answered("scope", operation)
        RULES[f"answer.{operation}.members"] = Rule(("client_id",), shown, "aisp pisp", ...)
        RULES[f"answer.{operation}.constants"] = Rule({"scope": "all"}, shown, "aisp pisp", "all")
BARE = {"answer.delete.members", "answer.delete.constants"}
"""Nothing comes of these: a deletion is answered without content."""


def rules_of(table: type[Table], place: str = "") -> Iterator[str]:
    """Yield the dotted names of all rules below a table."""
    hints = get_type_hints(table)
    for name in table.__struct_fields__:
        kind = hints[name]
        if isinstance(kind, type) and issubclass(kind, Table):
            yield from rules_of(kind, f"{place}{name}.")
        else:
            yield place + name


def with_rule(table: Any, place: str, value: Any) -> Any:
    """Return a dialect that has one rule otherwise."""
    name, _, rest = place.partition(".")
    changed = with_rule(getattr(table, name), rest, value) if rest else value
    return msgspec.structs.replace(table, **{name: changed})


def test_every_rule_of_a_dialect_has_a_test() -> None:
    assert set(rules_of(Dialect)) - BARE == set(RULES)


PROBED = {place: rule for place, rule in RULES.items() if isinstance(rule, Rule)}


@pytest.mark.parametrize(("place", "rule"), PROBED.items(), ids=PROBED)
def test_rule(place: str, rule: Rule) -> None:
    assert rule.probe(rule.base) == rule.before
    assert rule.probe(with_rule(rule.base, place, rule.value)) == rule.after


def test_every_test_named_is_there() -> None:
    sources = "".join(path.read_text("utf-8") for path in TESTS.glob("*/test_*.py"))
    named = {rule for rule in RULES.values() if isinstance(rule, str)}
    assert {name for name in named if f"def {name}(" not in sources} == set()
