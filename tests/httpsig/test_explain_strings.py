"""Mistakes in the text that was signed, each found by its name."""

from collections.abc import Callable
from dataclasses import replace
from datetime import datetime
from hashlib import sha256

import pytest
from hypothesis import HealthCheck, settings
from hypothesis import given as given_cases
from hypothesis import strategies as st

from enrol.httpsig import HttpMessage, sign_rfc9421
from enrol.httpsig.explain import Verdict
from httpsig_messages import changed_field, with_field, with_fields
from httpsig_signer import BOTH, NAMES, Signer, broken, names_of, rfc9421_message, text_of

# Mistakes in the signing string

Bend = Callable[[HttpMessage, bytes], bytes]
STRINGS: dict[str, Bend] = {
    "method-upper-case": lambda m, s: s.replace(b": post ", b": POST "),
    "method-missing": lambda m, s: s.replace(b": post ", b": "),
    "other-method": lambda m, s: s.replace(b": post ", b": put "),
    "query-missing": lambda m, s: s.replace(b"?a=%2f", b""),
    "query-mark": lambda m, s: s.replace(b" /stet/setting/v1/register?a", b" a"),
    "target-decoded": lambda m, s: s.replace(b"%2f", b"/"),
    "target-absolute": lambda m, s: s.replace(b" /stet", b" https://api.bank.example/stet"),
    "trailing-slash": lambda m, s: s.replace(b"register?", b"register/?"),
    "prefix-stripped": lambda m, s: s.replace(b"/stet/setting/v1", b""),
    "crlf": lambda m, s: s.replace(b"\n", b"\r\n"),
    "line-end-at-end": lambda m, s: s + b"\n",
    "lines-run-together": lambda m, s: s.replace(b"\n", b""),
    "name-case": lambda m, s: (
        s.replace(b"digest", b"Digest").replace(b"x-req", b"X-Req").replace(b"-id", b"-ID")
    ),
    "colon-without-blank": lambda m, s: s.replace(b": ", b":"),
    "names-missing": lambda m, s: b"\n".join(x.split(b": ", 1)[1] for x in s.split(b"\n")),
    "request-target-unnamed": lambda m, s: s.replace(b"(request-target): ", b""),
    "order": lambda m, s: b"\n".join(reversed(s.split(b"\n"))),
    "line-left-out": lambda m, s: b"\n".join(s.split(b"\n")[:-1]),
    "hashed-first": lambda m, s: sha256(s).digest(),
}


@pytest.mark.parametrize("name", STRINGS)
def test_a_mistake_in_the_signing_string_is_found_by_name(
    registration: HttpMessage, signer: Signer, at: datetime, name: str
) -> None:
    text = STRINGS[name](registration, text_of(registration))
    report = signer.explained(signer.signed(registration, text), at)
    assert name in names_of(report)
    assert "SIG-1" in broken(report)
    assert text in {mistake.signing_string for mistake in report.mistakes}
    assert report.signing_string == text_of(registration)
    assert report.made_with_key is True


def test_a_put_signed_as_post_has_its_own_name(registration, signer, at) -> None:
    put = replace(registration, method="PUT")
    report = signer.explained(signer.signed(put, text_of(registration)), at)
    assert names_of(report) == {"put-signed-as-post"}


def test_a_target_signed_in_lower_case(registration, signer, at) -> None:
    message = replace(registration, target=b"/stet/setting/v1/register/ABC")
    text = text_of(message).replace(b"ABC", b"abc")
    assert "target-lower-case" in names_of(signer.explained(signer.signed(message, text), at))


def test_blanks_around_a_value_that_are_signed(registration, signer, at) -> None:
    message = changed_field(registration, b"x-request-id", b"id-1  ")
    text = text_of(message) + b"  "
    assert "blanks-kept" in names_of(signer.explained(signer.signed(message, text), at))


def test_blanks_within_a_value_that_are_not_signed(registration, signer, at) -> None:
    message = with_field(registration, b"psu-agent", b"a  b")
    names = (*NAMES, "psu-agent")
    text = text_of(message, *names).replace(b"a  b", b"a b")
    report = signer.explained(signer.signed(message, text, names=names), at)
    assert "blanks-collapsed" in names_of(report)


def test_an_empty_value_without_the_blank_after_its_colon(registration, signer, at) -> None:
    message = with_field(registration, b"psu-agent", b"")
    names = (*NAMES, "psu-agent")
    text = text_of(message, *names).removesuffix(b" ")
    report = signer.explained(signer.signed(message, text, names=names), at)
    assert "empty-value-without-blank" in names_of(report)


def test_several_lines_joined_otherwise(registration, signer, at) -> None:
    message = with_field(with_field(registration, b"psu-agent", b"a"), b"psu-agent", b"b")
    names = (*NAMES, "psu-agent")
    text = text_of(message, *names).replace(b"a, b", b"a,b")
    report = signer.explained(signer.signed(message, text, names=names), at)
    assert "lines-joined-otherwise" in names_of(report)


def test_a_host_signed_with_a_port(registration, signer, at) -> None:
    names = (*NAMES, "host")
    text = text_of(registration, *names) + b":443"
    report = signer.explained(signer.signed(registration, text, names=names), at)
    assert "host-port" in names_of(report)


@pytest.mark.parametrize(
    ("value", "name"),
    [(b"", "missing-signed-empty"), (b"undefined", "missing-signed-undefined")],
)
def test_a_field_that_is_signed_and_not_sent(registration, signer, at, value, name) -> None:
    names = (*NAMES, "psu-agent")
    text = text_of(registration) + b"\npsu-agent: " + value
    report = signer.explained(signer.signed(registration, text, names=names), at)
    assert names_of(report) == {name}
    assert "HDR-7" in broken(report)
    assert report.signing_string is None


@pytest.mark.parametrize(
    ("text", "parameters", "name"),
    [
        (b"date: Tue, 14 Nov 2023 22:13:20 GMT", {}, "headers-default-date"),
        (b"(created): 1700000000", {"created": "1700000000"}, "headers-default-created"),
        (b"", {}, "headers-empty"),
    ],
    ids=["date", "created", "nothing"],
)
def test_an_empty_list_of_headers(registration, signer, at, text, parameters, name) -> None:
    message = signer.signed(registration, text, names=(), **parameters)
    report = signer.explained(message, at)
    assert names_of(report) == {name}
    assert "HDR-2" in broken(report)


def test_an_absent_list_of_headers(registration, signer, at) -> None:
    message = signer.signed(registration, b"date: Tue, 14 Nov 2023 22:13:20 GMT", names=())
    bare = changed_field(
        message, b"signature", message.first[b"signature"].replace(b'headers="",', b"")
    )
    report = signer.explained(bare, at)
    assert names_of(report) == {"headers-absent", "headers-default-date"}
    assert report.refused_by == "HDR-1"


def test_two_mistakes_at_once(registration, signer, at) -> None:
    text = text_of(registration).replace(b": post ", b": POST ").replace(b"\n", b"\r\n")
    report = signer.explained(signer.signed(registration, text), at)
    assert names_of(report) == {"method-upper-case", "crlf"}


def test_the_string_the_client_claims_is_tried(registration, signer, at) -> None:
    claimed = text_of(registration) + b"\nnonce: 1"
    message = signer.signed(registration, claimed)
    report = signer.explained(message, at, claimed=claimed)
    assert names_of(report) == {"other-string"}
    assert report.difference is not None
    assert (report.difference.line, report.difference.computed) == (4, None)
    assert report.difference.claimed == "nonce: 1"


def test_a_claimed_string_that_was_not_signed_is_not_said_to_verify(
    registration, signer, at
) -> None:
    report = signer.explained(signer.signed(registration, b"x"), at, claimed=b"y")
    assert report.mistakes == ()
    assert report.made_with_key is True


# RFC 9421

RFC9421_STRINGS: dict[str, Callable[[bytes], bytes]] = {
    "method-lower-case": lambda s: s.replace(b'"@method": POST', b'"@method": post'),
    "other-method": lambda s: s.replace(b'"@method": POST', b'"@method": PUT'),
    "prefix-stripped": lambda s: s.replace(b"/stet/setting/v1", b""),
    "crlf": lambda s: s.replace(b"\n", b"\r\n"),
    "quotes-missing": lambda s: b"\n".join(
        x.replace(b'"', b"", 2) if x.startswith(b'"') else x for x in s.split(b"\n")
    ),
    "line-left-out": lambda s: s.rpartition(b"\n")[0],
}


@pytest.mark.parametrize("name", RFC9421_STRINGS)
def test_a_mistake_in_a_signature_base_is_found_by_name(registration, signer, at, name) -> None:
    report = signer.explained(
        rfc9421_message(registration, signer.key, at, RFC9421_STRINGS[name]), at, policy=BOTH
    )
    assert name in names_of(report)
    assert broken(report) == {"M-SIG"}


def test_every_component_that_is_not_covered_is_said(registration, signer, at) -> None:
    fields = sign_rfc9421(
        registration, key=signer.key, keyid="k", created=int(at.timestamp()), covered=("@method",)
    )
    report = signer.explained(with_fields(registration, fields), at, policy=BOTH)
    (found,) = [finding for finding in report.findings if finding.rule == "M-COV"]
    assert found.detail == "@authority @path content-digest x-request-id @query"


def test_a_sound_message_of_rfc9421_verifies(registration, signer, at) -> None:
    message = rfc9421_message(registration, signer.key, at, lambda base: base)
    assert signer.explained(message, at, policy=BOTH).verdict is Verdict.HOLDS


@settings(max_examples=25, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given_cases(text=st.one_of(st.binary(max_size=40), st.sampled_from([*STRINGS.values()])))
def test_only_the_string_that_was_signed_is_said_to_verify(registration, signer, at, text) -> None:
    signed = text if isinstance(text, bytes) else text(registration, text_of(registration))
    report = signer.explained(signer.signed(registration, signed), at)
    for mistake in report.mistakes:
        whole = mistake.signing_string
        assert whole is not None
        assert signed in {whole, sha256(whole).digest()}
