"""Reading and writing `Signature`, and the signing string."""

from dataclasses import replace

import pytest

from enrol.httpsig import HttpMessage, SignatureParameters, parse_signature, signing_string
from enrol.httpsig.cavage import covered_names, serialize
from httpsig_messages import code_of, with_field, without_field

USUAL = 'keyId="k",algorithm="rsa-sha256",headers="(request-target) digest",signature="YQ=="'


def parsed(message: HttpMessage, value: str) -> SignatureParameters:
    return parse_signature(with_field(message, b"signature", value.encode()))


def refusal(message: HttpMessage, value: str) -> str | None:
    return code_of(parsed, message, value)


@pytest.mark.parametrize(
    "value",
    [
        USUAL,
        USUAL.replace(",", ", "),
        USUAL.replace(",", "\t ,\t ").replace("=", " = ", 2),
        " " + USUAL + " \t",
        'signature="YQ==",headers="(request-target) digest",algorithm="rsa-sha256",keyId="k"',
        USUAL.replace("keyId", "KEYID").replace("headers", "Headers").replace("algo", "ALGO"),
        USUAL.replace('"k"', "k"),
        USUAL.replace('"k"', '"\\k"'),
        USUAL.replace("digest", "DIGEST"),
        'x="y",' + USUAL,
        USUAL + ',ext=1,other="a,b=\\"c\\""',
        USUAL.replace(",headers", ',opaque="' + "o" * 600 + '",headers'),
    ],
)
def test_the_same_parameters_in_every_writing(registration: HttpMessage, value):
    assert parsed(registration, value) == SignatureParameters(
        "k", "rsa-sha256", ("(request-target)", "digest"), b"a"
    )


@pytest.mark.parametrize("times", ["created=1,expires=20", 'expires="20", created="1"'])
def test_times_are_read_bare_or_quoted(registration: HttpMessage, times):
    found = parsed(registration, f"{times},{USUAL}")
    assert (found.created, found.expires) == (1, 20)


def test_comma_equals_and_quote_in_a_quoted_keyid_belong_to_it(registration: HttpMessage):
    value = USUAL.replace('"k"', '"SN=1,CA=\\"A\\\\B\\",signature=\\"\\""')
    assert parsed(registration, value).unverified_keyid == 'SN=1,CA="A\\B",signature=""'


@pytest.mark.parametrize(
    "value",
    [
        "",
        " ",
        ",",
        "," + USUAL,
        USUAL + ",",
        USUAL.replace(",", ",,", 1),
        USUAL.replace(",", ";"),
        USUAL.replace(",", " "),
        USUAL.replace('"', "'"),
        USUAL[:-1],
        USUAL + "x",
        USUAL + ' "',
        "Signature " + USUAL,
        USUAL + ",flag",
        USUAL + ",(created)=1",
        USUAL + ",=1",
        USUAL + ",a=",
        USUAL.replace('"k"', '"k\\"'),
        USUAL.replace('"k"', '"k""k"'),
        USUAL.replace('"k"', '"\u00e9"'),
        'keyId="a,signature="YQ=="',
    ],
)
def test_what_is_no_list_of_parameters_is_refused(registration: HttpMessage, value):
    assert refusal(registration, value) == "PAR-1"


@pytest.mark.parametrize("extra", ['keyid="k"', "x=1,X=1", 'signature="YQ=="', 'Headers="date"'])
def test_parameter_twice_is_refused(registration: HttpMessage, extra):
    assert refusal(registration, f"{USUAL},{extra}") == "PAR-3"
    assert refusal(registration, f"{extra},{USUAL}") == "PAR-3"


@pytest.mark.parametrize(
    "time",
    ["-1", "+1", "01", "1.0", "1e9", "abc", "", " 1", "1 ", "0x1", "1" * 13, "\u0661", "1_0"],
)
def test_time_that_is_no_plain_integer_is_refused(registration: HttpMessage, time):
    code = "PAR-6" if time.isascii() else "PAR-1"
    assert refusal(registration, f'{USUAL},created="{time}"') == code
    assert refusal(registration, f'{USUAL},expires="{time}"') == code


def test_zero_and_twelve_digits_are_integers(registration: HttpMessage):
    assert parsed(registration, USUAL + ",created=0").created == 0
    assert parsed(registration, f"{USUAL},expires={'9' * 12}").expires == 999_999_999_999


@pytest.mark.parametrize("gone", ['keyId="k",', ',signature="YQ=="', "YQ==", '"k"'])
def test_missing_or_empty_keyid_or_signature_is_refused(registration: HttpMessage, gone):
    empty = '""' if gone == '"k"' else ""
    assert refusal(registration, USUAL.replace(gone, empty)) == "PAR-8"


@pytest.mark.parametrize(
    "text", ["YQ", "YQ=", "YR==", "Y Q==", " YQ==", "YQ== ", "-_==", "YQ==YQ==", "Y", "=", "YQ==="]
)
def test_signature_that_is_no_canonical_base64_is_refused(registration: HttpMessage, text):
    assert refusal(registration, USUAL.replace("YQ==", text)) == "PAR-9"


@pytest.mark.parametrize(
    ("headers", "code"),
    [
        ("", None),
        (" ", "HDR-4"),
        ("digest ", "HDR-4"),
        (" digest", "HDR-4"),
        ("host  digest", "HDR-4"),
        ("host\tdigest", "HDR-4"),
        ("host,digest", "HDR-4"),
        ("digest==", "HDR-4"),
        ("digest Digest", "HDR-5"),
        ("(foo)", "HDR-8"),
        ("(request-target),digest", "HDR-8"),
        ("(request-target", "HDR-8"),
        ("digest signature", "HDR-9"),
    ],
)
def test_list_of_names(registration: HttpMessage, headers, code):
    value = USUAL.replace("(request-target) digest", headers)
    assert refusal(registration, value) == code


def test_absent_list_is_refused_since_its_default_differs(registration: HttpMessage):
    assert refusal(registration, 'keyId="k",signature="YQ=="') == "HDR-1"


def test_message_without_signature_is_refused(registration: HttpMessage):
    assert code_of(parse_signature, registration) == "CAR-1"


@pytest.mark.parametrize("scheme", ["Signature", "signature", " SIGNATURE\t", "Signature\t"])
def test_signature_in_authorization_is_refused_alone_and_beside(registration, scheme):
    message = with_field(registration, b"authorization", f"{scheme} {USUAL}".encode())
    assert code_of(parse_signature, message) == "CAR-2"
    assert refusal(message, USUAL) == "CAR-2"


@pytest.mark.parametrize("scheme", ["Bearer abc", "SignatureX a", "Basic Signature "])
def test_other_authorization_is_no_carrier(registration: HttpMessage, scheme):
    assert parsed(with_field(registration, b"authorization", scheme.encode()), USUAL)


def test_two_signature_lines_are_refused(registration: HttpMessage):
    assert refusal(with_field(registration, b"signature", USUAL.encode()), USUAL) == "CAR-3"


def test_signature_input_beside_the_signature_is_refused(registration: HttpMessage):
    assert refusal(with_field(registration, b"signature-input", b""), USUAL) == "CAR-4"


def test_signature_of_more_than_8192_octets_is_refused(registration: HttpMessage):
    fill = 8192 - len(USUAL) - len(",x=")
    assert refusal(registration, f"{USUAL},x={'y' * fill}") is None
    assert refusal(registration, f"{USUAL},x={'y' * (fill + 1)}") == "CAR-5"


def test_signing_string_has_a_line_a_name_and_none_at_the_end(registration: HttpMessage):
    names = covered_names("(request-target) X-Request-ID (created) (expires) host")
    parameters = SignatureParameters("k", None, names, b"", 1, 20)
    assert signing_string(registration, parameters) == (
        b"(request-target): post /stet/setting/v1/register?a=%2f\n"
        b"x-request-id: 0f6b1f8e-2a7d-4c55-9d0b-3f7c3f1f5a10\n"
        b"(created): 1\n"
        b"(expires): 20\n"
        b"host: api.bank.example"
    )


@pytest.mark.parametrize("target", [b"/a?", b"/%72eg", b"/a/../b", b"//a", b"/A?B=c&&d", b"/a%2Fb"])
def test_target_is_signed_byte_for_byte(registration: HttpMessage, target):
    parameters = SignatureParameters("k", None, ("(request-target)",), b"")
    signed = signing_string(replace(registration, target=target), parameters)
    assert signed == b"(request-target): post " + target


@pytest.mark.parametrize(
    ("lines", "signed"),
    [
        ([b" a  b\t"], b"a  b"),
        ([b""], b""),
        ([b" \t"], b""),
        ([b"1", b" 2 ", b""], b"1, 2, "),
    ],
)
def test_value_is_trimmed_outside_and_joined(registration: HttpMessage, lines, signed):
    message = registration
    for line in lines:
        message = with_field(message, b"x-any", line)
    parameters = SignatureParameters("k", None, ("x-any",), b"")
    assert signing_string(message, parameters) == b"x-any: " + signed


@pytest.mark.parametrize(("name", "code"), [("x-gone", "HDR-7"), ("(created)", "TIM-0")])
def test_name_without_value_is_refused(registration: HttpMessage, name, code):
    parameters = SignatureParameters("k", None, (name,), b"")
    assert code_of(signing_string, registration, parameters) == code


def test_signed_value_outside_ascii_is_refused(registration: HttpMessage):
    message = with_field(registration, b"x-any", b"\xc3\xa9")
    parameters = SignatureParameters("k", None, ("x-any",), b"")
    assert code_of(signing_string, message, parameters) == "STR-8"


def test_many_names_are_signed_like_few(registration: HttpMessage):
    message = registration
    for number in range(40):
        message = with_field(message, b"x-%d" % number, b"v%d" % number)
    names = tuple(f"x-{number}" for number in range(40))
    signed = signing_string(message, SignatureParameters("k", None, names, b""))
    assert signed == b"\n".join(b"x-%d: v%d" % (number, number) for number in range(40))


@pytest.mark.parametrize(
    ("parameters", "code"),
    [
        (SignatureParameters("", None, ("date",), b"a"), "PAR-8"),
        (SignatureParameters("k\n", None, ("date",), b"a"), "PAR-1"),
        (SignatureParameters("k", "\u00e9", ("date",), b"a"), "PAR-1"),
        (SignatureParameters("k", None, ("date",), b"a", -1), "PAR-6"),
        (SignatureParameters("k", None, ("date",), b"a", None, 10**12), "PAR-6"),
    ],
)
def test_parameters_no_field_can_hold_are_not_written(parameters, code):
    assert code_of(serialize, parameters) == code


def test_request_target_without_field_needs_no_digest(registration: HttpMessage):
    message = without_field(registration, b"digest")
    assert parsed(message, USUAL).headers == ("(request-target)", "digest")
