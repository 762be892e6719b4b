"""A dialect's file is checked whole, and a mistake names its key."""

from pathlib import Path

import pytest

from dialects import changed
from enrol.adapters.dialects import dialect_names, load_dialect, read_dialect
from enrol.errors import ConfigurationError

MISTAKES = {
    "no TOML": (('name = "lcl"', "name = "), "not TOML"),
    "an unknown table": (("[client_id]", "[client-id]"), "client-id"),
    "an unknown key": (("issued_at = ", "issued = "), "$.answer"),
    "a missing table": (("[credentials]", "[credentials.x]"), "$.credentials"),
    "a wrong type": (('title = "LCL"', "title = 5"), "$.title"),
    "a status nobody gives": (("status = 201", "status = 302"), "$.answer.register.status"),
    "a status without content": (("status = 201", "status = 204"), "answer.register.status"),
    "an unknown operation": (('"read", "update"]', '"read", "list"]'), "$.operations"),
    "no operation": (('operations = ["register", "read", "update"]', "operations = []"), "oper"),
    "an unknown role": (('aisp = "PSP_AI"', 'aisp = "PSP_XX"'), "$.metadata.scopes"),
    "a scope with a blank": (('aisp = "PSP_AI"', '"ai sp" = "PSP_AI"'), "metadata.scopes"),
    "an unknown member": (('"client_name",\n  "contacts"', '"name"'), "metadata.required"),
    "a grant that is never given": (('["authorization_code",', '["implicit",'), "grant_types"),
    "a member nobody answers": (('members = ["client_id",', 'members = ["secret",'), "register"),
    "a path with a query": (('"/register"', '"/register?x"'), "$.register_path"),
    "an identifier that can be guessed": (("{legal_id}_{random}", "{legal_id}"), "client_id.form"),
    "an identifier with another word": (("{legal_id}_{random}", "{at}{random}"), "client_id.form"),
    "an identifier that is no path": (("{legal_id}_{random}", "/{random}"), "client_id.form"),
    "an attribute in an identifier": (("{legal_id}_", "{legal_id.x}"), "client_id.form"),
    "an open brace": (("{legal_id}_{random}", "{legal_id"), "client_id.form"),
    "a field with a line break": (('"200"', '"200\\r\\nX: y"'), "answer.register.fields"),
    "a field of the server": (("{ Warning", "{ Content-Length"), "Content-Length"),
    "a covered name in capitals": (("(request-target)", "Digest"), "signature"),
    "a separator nobody writes": (('scope_separators = " ,"', 'scope_separators = ";"'), "scope_s"),
    "a quirk nobody knows": (("[signature]", '[signature]\nquirks = ["none"]'), "quirks"),
    "too many redirect URIs": (
        ("[metadata.scopes]", "most_redirect_uris = 50\n[metadata.scopes]"),
        "most_redirect_uris",
    ),
}


@pytest.mark.parametrize(("change", "named"), MISTAKES.values(), ids=MISTAKES)
def test_a_mistake_is_refused_and_its_key_named(change: tuple[str, str], named: str) -> None:
    with pytest.raises(ConfigurationError) as refusal:
        changed("lcl", change)
    assert refusal.value.code in ("dialect_malformed", "dialect_invalid")
    assert refusal.value.detail.startswith("lcl: ")
    assert named in refusal.value.detail


def test_all_mistakes_are_told_together() -> None:
    with pytest.raises(ConfigurationError) as refusal:
        changed("lcl", ("{random}", ""), ('"200"', '""'))
    assert "client_id.form" in refusal.value.detail
    assert "answer.register.fields" in refusal.value.detail


@pytest.mark.parametrize("name", dialect_names())
def test_a_copy_of_a_dialect_is_that_dialect(tmp_path: Path, name: str) -> None:
    copy = tmp_path / "mybank.toml"
    copy.write_text(read_dialect(name), "utf-8")
    assert load_dialect(str(copy)) == load_dialect(name)


def test_an_unknown_name_is_refused_with_those_there_are() -> None:
    with pytest.raises(ConfigurationError, match="bnpp, bpce, cic"):
        load_dialect("obie")


def test_a_file_that_is_not_there_is_refused(tmp_path: Path) -> None:
    with pytest.raises(ConfigurationError, match="cannot be read"):
        load_dialect(str(tmp_path / "absent.toml"))
