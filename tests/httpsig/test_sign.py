"""What signing writes, and what it does not."""

import pytest

from enrol.httpsig import (
    HttpMessage,
    Primitive,
    SigningKey,
    content_digest_field,
    digest_field,
    sign,
    sign_rfc9421,
)
from enrol.httpsig.octets import decode_base64
from httpsig_cases import load, published_key
from httpsig_messages import code_of, with_fields


def test_signature_is_written_as_the_known_client_writes_it(registration, rsa_key):
    ((name, value),) = sign(registration, key=rsa_key, keyid="https://tpp.example/c.pem")
    start, signature = value[:-1].rsplit('"', 1)
    assert name == "Signature"
    assert start + '"' == (
        'keyId="https://tpp.example/c.pem",algorithm="rsa-sha256",'
        'headers="(request-target) digest x-request-id",signature="'
    )
    assert len(decode_base64(signature) or b"") == 256


def test_label_and_times_are_left_out_or_written(registration, rsa_key):
    options = {"key": rsa_key, "keyid": "k", "created": 1, "expires": 2}
    ((_, value),) = sign(registration, algorithm_label=None, **options)
    assert value.startswith('keyId="k",created=1,expires=2,headers=')


def test_names_are_written_in_lower_case(registration, rsa_key):
    ((_, value),) = sign(registration, key=rsa_key, keyid="k", covered=("Digest", "Host"))
    assert 'headers="digest host"' in value


@pytest.mark.parametrize(
    ("options", "code"),
    [
        ({"keyid": ""}, "PAR-8"),
        ({"keyid": "k\r\nX: y"}, "PAR-1"),
        ({"covered": ("x-gone",)}, "HDR-7"),
        ({"covered": ("digest", "digest")}, "HDR-5"),
        ({"covered": ("(created)",), "algorithm_label": None}, "TIM-0"),
        ({"covered": ("(created)",), "created": 1}, "ALG-9"),
        ({"algorithm_label": "rsa-sha512"}, "ALG-3"),
        ({"created": -1}, "PAR-6"),
    ],
)
def test_what_no_verifier_would_take_is_not_signed(registration, rsa_key, options, code):
    options = {"key": rsa_key, "keyid": "k", **options}
    assert code_of(sign, registration, **options) == code


@pytest.mark.parametrize("label", ["", "Sig", "a b", "a=b", "1"])
def test_label_of_rfc9421_is_a_key(registration, rsa_key, label):
    options = {"key": rsa_key, "keyid": "k", "created": 1, "covered": ("@method",)}
    assert code_of(sign_rfc9421, registration, label=label, **options) == "M-LBL"


def test_digest_fields():
    assert digest_field(b"") == ("Digest", "SHA-256=47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU=")
    assert content_digest_field(b"") == (
        "Content-Digest",
        "sha-256=:47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU=:",
    )


def published_post() -> tuple[HttpMessage, SigningKey]:
    if not load("interop"):
        pytest.skip("needs the third-party vectors")
    request = load("interop")["request"]
    fields = [(name.encode(), value.encode()) for name, value in request["headers"]]
    message = HttpMessage.of("POST", request["target"].encode(), fields, request["body"].encode())
    return message, published_key("test-key-rsa", Primitive.RSA_PKCS1V15_SHA256)


def test_rsa_signature_is_that_of_eight_other_implementations():
    message, key = published_post()
    theirs = next(v for v in load("interop")["cavage"] if v["id"] == "interop-01")
    covered = theirs["headers_param"].split(" ")
    ((_, value),) = sign(message, key=key, keyid="k", covered=covered)
    assert value.endswith(f'signature="{theirs["signature_b64"]}"')


def test_rfc9421_signature_is_that_of_another_implementation():
    message, key = published_post()
    theirs = next(
        v
        for v in load("interop")["rfc9421"]
        if v["impl"].startswith("PyPI") and v["primitive"] == "rsa-pkcs1v15-sha256"
    )
    message = with_fields(message, [("Content-Digest", theirs["headers"]["Content-Digest"])])
    names = theirs["headers"]["Signature-Input"].partition("(")[2].partition(")")[0]
    covered = [name.strip('"') for name in names.split(" ")]
    fields = dict(
        sign_rfc9421(message, key=key, keyid="test-key-rsa", created=1700000000, covered=covered)
    )
    ours, label = fields["Signature"], theirs["headers"]["Signature"].partition("=")[0]
    assert ours.partition("=")[2] == theirs["headers"]["Signature"].removeprefix(f"{label}=")


def test_nothing_of_the_message_is_changed(registration, rsa_key):
    before = (registration.fields, registration.body)
    sign(registration, key=rsa_key, keyid="k")
    assert (registration.fields, registration.body) == before
