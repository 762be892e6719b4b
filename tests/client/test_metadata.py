import json
from dataclasses import replace
from pathlib import Path

import pytest

from enrol.client import Seal
from enrol.client.metadata import (
    apply_settings,
    check_metadata,
    read_metadata,
    registration_body,
)
from enrol.errors import ConfigurationError
from enrol.oauth.metadata import ISSUED_MEMBERS

METADATA = {"client_name": "Acme", "redirect_uris": ["https://a.example/1"], "scope": "aisp"}


@pytest.mark.parametrize(
    ("settings", "expected"),
    [
        pytest.param((), METADATA, id="none"),
        pytest.param(("client_name=New=Name",), METADATA | {"client_name": "New=Name"}, id="text"),
        pytest.param(
            ("policy_uri=https://p.example",),
            METADATA | {"policy_uri": "https://p.example"},
            id="a new member",
        ),
        pytest.param(
            ("redirect_uris=https://b.example/,x",),
            METADATA | {"redirect_uris": ["https://b.example/,x"]},
            id="one value of a list",
        ),
        pytest.param(
            ("redirect_uris=b:/", "redirect_uris=c:/"),
            METADATA | {"redirect_uris": ["b:/", "c:/"]},
            id="two values of a list",
        ),
        pytest.param(
            ('redirect_uris=["b:/"]',), METADATA | {"redirect_uris": ["b:/"]}, id="a list as JSON"
        ),
        pytest.param(
            ('contact={"email":"a@b.example"}',),
            METADATA | {"contact": {"email": "a@b.example"}},
            id="an object as JSON",
        ),
        pytest.param(
            ("scope=",), {k: v for k, v in METADATA.items() if k != "scope"}, id="removal"
        ),
        pytest.param(("logo=",), METADATA, id="removal of what is not there"),
    ],
)
def test_settings_change_metadata(settings: tuple[str, ...], expected: dict[str, object]) -> None:
    assert apply_settings(METADATA, settings) == expected


def test_settings_leave_what_they_change_from_as_it_is() -> None:
    before = json.dumps(METADATA)
    apply_settings(METADATA, ("redirect_uris=x:/", "scope="))
    assert json.dumps(METADATA) == before


@pytest.mark.parametrize("setting", ["client_name", "=x", "a b=x", "", "contact={", "x=[1"])
def test_a_setting_that_is_none_is_refused(setting: str) -> None:
    with pytest.raises(ConfigurationError) as caught:
        apply_settings(METADATA, (setting,))
    assert caught.value.code == "setting_malformed"


def test_metadata_are_read_from_toml_and_json(tmp_path: Path) -> None:
    toml, document = tmp_path / "m.toml", tmp_path / "m.JSON"
    toml.write_text('client_name = "Société"\ncontacts = ["a@b.example"]\n', encoding="utf-8")
    document.write_text('{"client_name": "Société", "contacts": ["a@b.example"]}', encoding="utf-8")
    assert read_metadata(toml) == read_metadata(document)


@pytest.mark.parametrize(
    ("name", "content"),
    [
        ("m.json", b'{"a": 1, "a": 2}'),
        ("m.json", b"[]"),
        ("m.json", b"a = 1"),
        ("m.toml", b'{"a": 1}'),
        ("m.toml", b"\xff"),
    ],
)
def test_a_metadata_file_that_cannot_be_read_is_refused(
    tmp_path: Path, name: str, content: bytes
) -> None:
    (tmp_path / name).write_bytes(content)
    with pytest.raises(ConfigurationError) as caught:
        read_metadata(tmp_path / name)
    assert caught.value.code == "metadata_malformed"


def test_a_registration_holds_the_metadata_and_the_key(seal: Seal) -> None:
    document = json.loads(registration_body(METADATA, seal))
    assert {name: document[name] for name in METADATA} == METADATA
    assert set(document) == {*METADATA, "jwks"}
    assert document["jwks"]["keys"][0]["kid"] == seal.kid
    assert set(document["jwks"]["keys"][0]) == {"kty", "use", "alg", "kid", "x5c", "x5t#S256"}


def test_an_update_holds_the_client_id_and_nothing_else_that_is_issued(seal: Seal) -> None:
    echoed = METADATA | dict.fromkeys(ISSUED_MEMBERS, "x") | {"client_id": "other"}
    document = json.loads(registration_body(echoed, seal, client_id="PSDFR-ACPR-12345-1"))
    assert document["client_id"] == "PSDFR-ACPR-12345-1"
    assert document.keys().isdisjoint(ISSUED_MEMBERS)


def test_the_same_metadata_give_the_same_bytes(seal: Seal) -> None:
    assert registration_body(METADATA, seal) == registration_body(dict(METADATA), seal)


@pytest.mark.parametrize("name", [*ISSUED_MEMBERS, "client_id", "client_secret", "jwks"])
def test_members_a_tpp_does_not_choose_are_refused(name: str) -> None:
    with pytest.raises(ConfigurationError) as caught:
        check_metadata({name: "x"})
    assert name in caught.value.detail


def test_an_update_holds_what_the_bank_wants_back_and_a_registration_does_not(seal: Seal) -> None:
    back = {"registration_access_token": "NOTAPPLICABLE"}
    update = json.loads(registration_body({}, seal, client_id="a", sent_back=back))
    assert update["registration_access_token"] == "NOTAPPLICABLE"
    assert set(json.loads(registration_body({}, seal, sent_back=back))) == {"jwks"}


def test_every_seal_is_a_key(seal: Seal) -> None:
    other = replace(seal, kid="other")
    keys = json.loads(registration_body({}, seal, other))["jwks"]["keys"]
    assert [key["kid"] for key in keys] == [seal.kid, "other"]
