"""RFC 9421: components and their values, parameters, signing and refusing."""

from dataclasses import replace

import pytest

from enrol.httpsig import (
    COMPONENTS,
    STET,
    STRICT,
    Component,
    ComponentSource,
    HttpMessage,
    Mode,
    Primitive,
    SigningKey,
    content_digest_field,
    parse_signature,
    sign_rfc9421,
    signature_base,
    verify_message,
)
from httpsig_messages import changed_field, code_of, with_field, with_fields, without_field

NOW = 1_700_000_000
MODERN = replace(STET, modes=(Mode.RFC9421,))
ALL = (*COMPONENTS, "@query")


@pytest.fixture
def request_(registration: HttpMessage) -> HttpMessage:
    message = without_field(registration, b"digest")
    return with_fields(message, [content_digest_field(message.body)])


def signed(message: HttpMessage, key: SigningKey, **options) -> HttpMessage:
    options = {"keyid": "k", "created": NOW, "covered": ALL, **options}
    return with_fields(message, sign_rfc9421(message, key=key, **options))


def refusal(message: HttpMessage, key: SigningKey, at, policy=MODERN) -> str | None:
    return code_of(verify_message, message, lambda _: key.verification_key(), at=at, policy=policy)


def parse_code(message: HttpMessage, value: str) -> str | None:
    fields = [("Signature-Input", value), ("Signature", "a=:YQ==:")]
    return code_of(parse_signature, with_fields(message, fields), policy=MODERN)


PRIMITIVES = {
    Primitive.RSA_PKCS1V15_SHA256: "rsa-v1_5-sha256",
    Primitive.RSA_PSS_SHA512: "rsa-pss-sha512",
    Primitive.ECDSA_P256_SHA256_DER: "ecdsa-p256-sha256",
    Primitive.ECDSA_P256_SHA256_RAW: "ecdsa-p256-sha256",
    Primitive.ECDSA_P384_SHA384_DER: "ecdsa-p384-sha384",
    Primitive.ECDSA_P384_SHA384_RAW: "ecdsa-p384-sha384",
    Primitive.ED25519: "ed25519",
}


@pytest.mark.parametrize("primitive", list(Primitive))
def test_signed_request_verifies_where_the_key_has_an_algorithm(request_, every_key, primitive, at):
    key = every_key[primitive]
    if primitive not in PRIMITIVES:
        assert code_of(signed, request_, key) == "M-ALG"
        return
    message = signed(request_, key, expires=NOW + 60, nonce="n", tag="t")
    assert f'alg="{PRIMITIVES[primitive]}"'.encode() in message.values(b"signature-input")[0]
    verified = verify_message(message, lambda _: key.verification_key(), at=at, policy=MODERN)
    assert (verified.keyid, verified.mode, verified.created) == ("k", Mode.RFC9421, NOW)
    assert verified.covered == tuple(f'"{name}"' for name in ALL)


@pytest.mark.parametrize("left_out", ALL)
def test_component_that_must_be_covered(request_, rsa_key, at, left_out):
    covered = tuple(name for name in ALL if name != left_out)
    assert refusal(signed(request_, rsa_key, covered=covered), rsa_key, at) == "M-COV"


def test_target_uri_stands_for_authority_path_and_query(request_, rsa_key, at):
    covered = ("@method", "@target-uri", "content-digest", "x-request-id")
    assert refusal(signed(request_, rsa_key, covered=covered), rsa_key, at) is None


def test_query_need_not_be_covered_where_there_is_none(request_, rsa_key, at):
    message = replace(request_, target=b"/register")
    assert refusal(signed(message, rsa_key, covered=COMPONENTS), rsa_key, at) is None


def test_request_without_content_needs_no_content_digest(request_, rsa_key, at):
    message = replace(without_field(request_, b"content-digest"), method="GET", body=b"")
    covered = tuple(name for name in ALL if name != "content-digest")
    request = signed(message, rsa_key, covered=covered)
    assert refusal(request, rsa_key, at) is None
    assert refusal(request, rsa_key, at, replace(STRICT, modes=(Mode.RFC9421,))) == "M-COV"


def test_member_of_the_content_digest_alone_does_not_count(request_, rsa_key, at):
    member = Component("content-digest", (("key", "sha-256"),))
    covered = (*(name for name in ALL if name != "content-digest"), member)
    assert refusal(signed(request_, rsa_key, covered=covered), rsa_key, at) == "M-COV"


@pytest.mark.parametrize(
    ("options", "code"),
    [
        ({"created": NOW + 60}, None),
        ({"created": NOW + 61}, "M-TIM"),
        ({"created": NOW - 300}, None),
        ({"created": NOW - 301}, "M-TIM"),
        ({"created": -1}, "M-TIM"),
        ({"expires": NOW}, "M-TIM"),
        ({"expires": NOW + 1}, None),
        ({"created": NOW + 10, "expires": NOW + 5}, "M-TIM"),
    ],
)
def test_times(request_, rsa_key, at, options, code):
    assert refusal(signed(request_, rsa_key, **options), rsa_key, at) == code


def test_alg_that_contradicts_the_key_is_refused(request_, rsa_key, at):
    message = signed(request_, rsa_key)
    value = message.values(b"signature-input")[0].replace(b"rsa-v1_5-sha256", b"rsa-pss-sha512")
    assert refusal(changed_field(message, b"signature-input", value), rsa_key, at) == "M-ALG"


def test_der_is_refused(request_, p256_key, at):
    message = signed(request_, p256_key)
    parsed = parse_signature(message, policy=MODERN)
    base = signature_base(ComponentSource(message), parsed.components, parsed.signature_params)
    der = Component("x", (("y", p256_key.sign(base)),))
    value = str(der).removeprefix('"x";y=')
    forged = changed_field(message, b"signature", f"sig1={value}".encode())
    assert refusal(forged, p256_key, at) == "M-SIG"


def test_authority_behind_a_proxy_is_a_setting(request_, rsa_key, at):
    source = ComponentSource(request_, authority="Public.example:443")
    message = signed(request_, rsa_key, source=source)
    assert refusal(message, rsa_key, at) == "M-SIG"
    assert refusal(message, rsa_key, at, replace(MODERN, authority="public.example")) is None


@pytest.mark.parametrize(
    ("component", "value"),
    [
        ('"@method"', b"POST"),
        ('"@authority"', b"api.bank.example"),
        ('"@scheme"', b"https"),
        ('"@target-uri"', b"https://api.bank.example/a/%2F?b=c%20d+e&B=&a"),
        ('"@request-target"', b"/a/%2F?b=c%20d+e&B=&a"),
        ('"@path"', b"/a/%2F"),
        ('"@query"', b"?b=c%20d+e&B=&a"),
        ('"@query-param";name="b"', b"c%20d%20e"),
        ('"@query-param";name="B"', b""),
        ('"x-list"', b"1, 2"),
        ('"x-list";bs', b":MQ==:, :Mg==:"),
        ('"x-dict";key="b"', b"(1 2);c"),
        ('"x-dict";sf;key="a"', b"1"),
        ('"priority";sf', b"u=1, i, j;k=?0"),
    ],
)
def test_value_of_a_component(component, value):
    fields = [
        (b"Host", b"API.bank.example:443"),
        (b"X-List", b" 1"),
        (b"X-List", b"2\t"),
        (b"X-Dict", b"a=1,b=(1   2);c"),
        (b"Priority", b"u=1,i,  j;k=?0"),
    ]
    message = HttpMessage.of("POST", b"/a/%2F?b=c%20d+e&B=&a", fields)
    fields = [("Signature-Input", f'a=({component});keyid="k"'), ("Signature", "a=:YQ==:")]
    parsed = parse_signature(with_fields(message, fields), policy=MODERN)
    assert ComponentSource(message).value(parsed.components[0]) == value


def test_query_of_none_is_a_question_mark_and_of_port_80_is_kept():
    message = HttpMessage.of("GET", b"/a", [(b"host", b"a.example:80")])
    assert ComponentSource(message).value(Component("@query")) == b"?"
    assert ComponentSource(message).value(Component("@authority")) == b"a.example:80"
    plain = ComponentSource(message, scheme="http")
    assert plain.value(Component("@target-uri")) == b"http://a.example/a"


@pytest.mark.parametrize(
    "component",
    [
        '"@status"',
        '"@method";req',
        '"@method";x',
        '"@signature-params"',
        '"@foo"',
        '"@query-param"',
        '"@query-param";name=b',
        '"@query-param";name="absent"',
        '"@query-param";name="twice"',
        '"Host"',
        '""',
        '"a b"',
        "token",
        "1",
        '"x-gone"',
        '"x-gone";bs',
        '"host";tr',
        '"host";bs;sf',
        '"host";bs;key="a"',
        '"host";bs=1',
        '"host";key=1',
        '"host";sf',
        '"host";key="a"',
        '"digest";key="a"',
        '"x-dict";key="gone"',
        '"host";bs;bs',
        '"host" "host"',
        '"host";bs "host";bs',
        '"@query-param";name="a" "@query-param";name="a"',
    ],
)
def test_component_without_a_value_is_refused(registration, component):
    message = replace(registration, target=b"/?a=1&twice=1&twice=2")
    message = with_field(message, b"x-dict", b"a=1")
    fields = [("Signature-Input", f'a=({component});keyid="k"'), ("Signature", "a=:YQ==:")]

    def base() -> bytes:
        parsed = parse_signature(with_fields(message, fields), policy=MODERN)
        source = ComponentSource(message)
        return signature_base(source, parsed.components, parsed.signature_params)

    assert code_of(base) == "M-CMP"


def test_field_that_looks_like_a_derived_component_is_no_source(registration):
    message = with_field(registration, b"@method", b"POST")
    assert parse_code(message, 'a=("@method");keyid="k"') == "M-CMP"


def test_request_without_host_has_no_authority(registration):
    message = without_field(registration, b"host")
    assert code_of(ComponentSource(message).value, Component("@authority")) == "M-CMP"


@pytest.mark.parametrize(
    ("value", "code"),
    [
        ('a=();keyid="k"', None),
        ('a=();keyid="k";created=1;expires=2;nonce="n";alg="x";tag="t"', None),
        ("a=()", "M-PAR"),
        ('a=();keyid=""', "M-PAR"),
        ("a=();keyid=k", "M-PAR"),
        ('a=();keyid="k";keyid="k"', "M-PAR"),
        ('a=();keyid="k";created="1"', "M-PAR"),
        ('a=();keyid="k";created=1.0', "M-PAR"),
        ('a=();keyid="k";created', "M-PAR"),
        ('a=();keyid="k";expires=?1', "M-PAR"),
        ('a=();keyid="k";nonce=:YQ==:', "M-PAR"),
        ('a=();keyid="k";other=1', "M-PAR"),
        ('b=();keyid="k"', "M-LBL"),
        ('a=();keyid="k",a=();keyid="k"', "M-LBL"),
        ('a=();keyid="k",b=();keyid="l"', "M-LBL"),
        ("a=1", "M-CAR"),
        ('a=();keyid="k",b=1', "M-CAR"),
        ("", "M-CAR"),
        ("a=(", "M-CAR"),
        ('a=();keyid="' + "k" * 8192 + '"', "CAR-5"),
    ],
)
def test_signature_input(registration, value, code):
    assert parse_code(registration, value) == code


@pytest.mark.parametrize(
    ("value", "code"),
    [
        ("a=:YQ==:", None),
        ("a=:YQ==:;b", "M-CAR"),
        ("a=YQ", "M-CAR"),
        ("a=(:YQ==:)", "M-CAR"),
        ('keyId="k"', "M-CAR"),
        ("a=:YQ==:, b=:YQ==:", "M-LBL"),
        ("A=:YQ==:", "M-CAR"),
    ],
)
def test_signature(registration, value, code):
    fields = [("Signature-Input", 'a=();keyid="k"'), ("Signature", value)]
    assert code_of(parse_signature, with_fields(registration, fields), policy=MODERN) == code


def test_signature_in_authorization_is_refused_here_too(registration):
    message = with_field(registration, b"authorization", b"Signature a")
    assert parse_code(message, 'a=();keyid="k"') == "CAR-2"


def test_parameters_are_signed_in_their_order_and_one_form(request_, rsa_key, at):
    message = signed(request_, rsa_key)
    value = message.values(b"signature-input")[0]
    spaced = value.replace(b"(", b"(  ").replace(b'" "', b'"   "').replace(b";", b"; ")
    assert refusal(changed_field(message, b"signature-input", spaced), rsa_key, at) is None
    moved = value.replace(b";created=1700000000", b"") + b";created=1700000000"
    assert refusal(changed_field(message, b"signature-input", moved), rsa_key, at) == "M-SIG"


@pytest.mark.parametrize("options", [{"keyid": "k\n"}, {"nonce": "\u00e9"}, {"tag": "\x00"}])
def test_parameter_no_string_can_hold_is_not_signed(request_, rsa_key, options):
    assert code_of(signed, request_, rsa_key, **options) == "M-PAR"


def test_covered_value_outside_ascii_is_refused_unless_wrapped(request_, rsa_key, at):
    message = with_field(request_, b"x-name", "é".encode())
    assert code_of(signed, message, rsa_key, covered=(*ALL, "x-name")) == "STR-8"
    wrapped = Component("x-name", (("bs", True),))
    assert refusal(signed(message, rsa_key, covered=(*ALL, wrapped)), rsa_key, at) is None


@pytest.mark.parametrize("name", ["@method", "@path", "@query-param"])
def test_response_has_no_derived_component_but_its_status(registration, name):
    source = ComponentSource(registration, status=200)
    assert source.value(Component("@status")) == b"200"
    assert code_of(source.value, Component(name)) == "M-CMP"


def test_status_of_what_a_response_answers_is_no_component(registration):
    source = ComponentSource(registration, status=200, request=registration)
    assert code_of(source.value, Component("@status", (("req", True),))) == "M-CMP"
    assert source.value(Component("@method", (("req", True),))) == b"POST"
