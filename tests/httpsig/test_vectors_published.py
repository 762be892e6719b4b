"""Signatures that were published elsewhere: drafts, test suites, banks."""

import base64
import re
from dataclasses import replace

import pytest
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric.padding import PKCS1v15

from enrol.errors import EnrolError
from enrol.httpsig import (
    STET,
    STRICT,
    CoverageProfile,
    HttpMessage,
    SignatureError,
    SignatureParameters,
    SignaturePolicy,
    check_hygiene,
    signing_string,
    verification_key,
    verify_message,
)
from enrol.httpsig.cavage import covered_names
from httpsig_cases import PRIMITIVES, Vector, cases, load, message_of, moment, public_key

HASHES = {"sha1": hashes.SHA1(), "sha256": hashes.SHA256(), "sha384": hashes.SHA384()}
HASHES["sha512"] = hashes.SHA512()


def verdict(vector: Vector, policy: SignaturePolicy, **changes) -> str | None:
    """Return the rule that refuses a published request signed by the key beside it."""

    def find(_: str):
        key = public_key(vector.get("public_key_pem") or vector["certificate_pem"])
        return verification_key(key, PRIMITIVES.get(vector["algorithm"]))

    try:
        at = moment(vector if vector.get("now") else {"now": 1565103757})
        verify_message(message_of(vector["request"], **changes), find, at=at, policy=policy)
    except EnrolError as refusal:
        return refusal.code
    return None


def in_signature_field(request: Vector) -> Vector:
    """Return a request with what it carries in Authorization moved to Signature."""
    headers = [
        ["Signature", value.removeprefix("Signature ")]
        if name.lower() == "authorization" and value.startswith("Signature ")
        else [name, value]
        for name, value in request["headers"]
    ]
    return {**request, "headers": headers}


def rebuilt(vector: Vector) -> bytes:
    """Return our signing string of a published request, with the list its revision assumes."""
    request = in_signature_field(vector["request"])
    field = next(value for name, value in request["headers"] if name.lower() == "signature")

    def parameter(name: str) -> str | None:
        match = re.search(rf'\b{name}="?([^",]*)', field)
        return match and match[1]

    created, expires = parameter("created"), parameter("expires")
    parameters = SignatureParameters(
        "k",
        None,
        covered_names(parameter("headers") or ("(created)" if created else "date")),
        b"",
        int(created) if created else None,
        int(expires) if expires else None,
    )
    return signing_string(message_of(request), parameters)


def verifies(vector: Vector, signed: bytes) -> bool:
    """Say whether the RSA key of a vector made its signature, however weak the key is."""
    key = public_key(vector.get("public_key_pem") or vector["certificate_pem"])
    algorithm = HASHES[vector["algorithm"].rpartition("-")[2]]
    try:
        key.verify(base64.b64decode(vector["signature_b64"]), signed, PKCS1v15(), algorithm)
    except InvalidSignature:
        return False
    return True


APPENDIX_C = cases("cavage_appendix_c")
SINCE_05 = [case for case in APPENDIX_C if case.values[0]["revision"] >= "05"]


@pytest.mark.parametrize(
    "vector", SINCE_05 + cases("tomitribe_rsa") + cases("ietf_message_signatures_00")[1:]
)
def test_rebuilt_string_is_what_was_signed_where_the_signature_is_genuine(vector: Vector):
    assert verifies(vector, rebuilt(vector)) == (vector["expect"]["crypto"] == "valid")


@pytest.mark.parametrize("vector", APPENDIX_C + cases("tomitribe_rsa"))
@pytest.mark.parametrize("policy", [STRICT, STET], ids=["strict", "stet"])
def test_published_signature_does_not_register_a_client(vector: Vector, policy):
    assert verdict(vector, policy) is not None


@pytest.mark.parametrize("vector", APPENDIX_C + cases("tomitribe_rsa"))
def test_published_rsa_1024_key_is_refused(vector: Vector):
    with pytest.raises(SignatureError) as refusal:
        verification_key(public_key(vector["public_key_pem"]))
    assert refusal.value.code == "ALG-8"


IETF = {
    "ietf00-min-recommended": "COV-2",  # has a Digest that is not signed
    "ietf00-all-headers": "TIM-6",  # the Date has the wrong weekday
    "ietf00-minimal-required": "HDR-1",
    "ietf00-rsa256-date": "COV-2",
    "ietf00-all-headers-as-printed": "TIM-6",
}
"""The rule that refuses even where no coverage is demanded; four of them are genuine."""

LOOSE = SignaturePolicy(
    CoverageProfile("loose", (), signed_time=False, digest_of_nothing=False, obsolete_dates=True),
    max_age=1 << 40,
)


@pytest.mark.parametrize("vector", cases("ietf_message_signatures_00")[1:])
def test_signature_of_the_first_ietf_draft(vector: Vector):
    assert verdict(vector, LOOSE) == IETF[vector["id"]]
    assert verdict(vector, STET) is not None


@pytest.mark.parametrize("vector", cases("ietf_message_signatures_00")[:1])
def test_canonicalization_example_of_draft_12(vector: Vector):
    folded = message_of(vector["request"])
    with pytest.raises(EnrolError, match="STR-3"):
        check_hygiene(folded)
    fields = tuple((n, re.sub(rb"\r\n[ \t]+", b" ", v)) for n, v in folded.fields)
    message = replace(folded, fields=fields)
    names = covered_names(vector["headers_param"])
    parameters = SignatureParameters("k", None, names, b"", vector["created"])
    assert signing_string(message, parameters) == vector["signing_string"].encode()


MASTODON_CODES = {
    "mastodon-get": None,
    "mastodon-get-query": None,
    "mastodon-get-query-omitted-by-signer": "SIG-1",
    "mastodon-get-query-mismatch": "SIG-1",
    "mastodon-get-path-mismatch": "SIG-1",
    "mastodon-method-mismatch": "DIG-1",
    "mastodon-unparsable-date": "TIM-6",
    "mastodon-stale-date": "TIM-6",
    "mastodon-post": None,
    "mastodon-post-digest-not-signed": "COV-2",
    "mastodon-post-tampered-body": "DIG-9",
    "mastodon-post-path-mismatch": "SIG-1",
}


@pytest.mark.parametrize("vector", cases("mastodon"))
def test_request_between_mastodon_servers(vector: Vector):
    names = ("(request-target)", "host")
    profile = CoverageProfile(
        "mastodon", names, signed_time=True, digest_of_nothing=False, obsolete_dates=False
    )
    code = verdict(vector, SignaturePolicy(profile))
    assert code == MASTODON_CODES[vector["id"]]
    assert (code is None) == (vector["expect"]["verdict_rev"] == "accept")
    assert verdict(vector, STET) is not None


ALIASES = replace(LOOSE, algorithm_aliases={"SHA256withRSA": "rsa-sha256"})
BANKS = {
    "adorsys-berlingroup-post": "TIM-6",  # the Date has the wrong weekday
    "adorsys-berlingroup-get-same-signature": "TIM-6",
    "adorsys-missing-headers": "DIG-9",  # published without the body
    "adorsys-wrong-hash": "PAR-9",
    "adorsys-wrong-keyid": "TIM-6",
    "rabobank-sandbox-get-accounts": None,
    "icard-doc-sample": "SIG-1",  # signed by a key that was not published
    "ing-sandbox-oauth2-token": "CAR-2",
}


@pytest.mark.parametrize("vector", cases("banks"))
def test_sample_of_a_bank(vector: Vector):
    assert verdict(vector, ALIASES) == BANKS[vector["id"]]
    assert verdict(vector, STET) is not None


WITH_SIGNATURE = [case for case in cases("banks") if case.id != "adorsys-wrong-hash"]


@pytest.mark.parametrize("vector", WITH_SIGNATURE)
def test_string_rebuilt_from_the_sample_of_a_bank(vector: Vector):
    genuine = vector["expect"]["crypto"] == "valid"
    assert verifies(vector, rebuilt(vector)) == genuine


@pytest.mark.parametrize("case", cases("w3c_test_suite", "canonicalize_cases"))
def test_canonicalization_of_the_w3c_suite(case: Vector):
    head, *lines = load("w3c_test_suite")["messages"][case["message"]].strip("\n").split("\n")
    method, target, _ = head.split(" ")
    fields = [tuple(part.encode() for part in re.split(r": ?", line, maxsplit=1)) for line in lines]
    message = HttpMessage.of(method, target.encode(), fields)
    try:
        names = covered_names(" ".join(case["headers"]))
        parameters = SignatureParameters("k", None, names, b"", case["created"], case["expires"])
        assert signing_string(message, parameters).decode() == case["expected"]
    except SignatureError:
        assert case["expected_error"]
