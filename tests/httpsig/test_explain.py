"""Why a signature is refused: every known mistake is found by its name, and nothing is made up."""

import json
from base64 import b64encode, urlsafe_b64encode
from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from hashlib import sha256

import pytest
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.hazmat.primitives.asymmetric.padding import MGF1, PSS, PKCS1v15
from cryptography.hazmat.primitives.asymmetric.utils import decode_dss_signature
from cryptography.hazmat.primitives.hashes import SHA256, SHA512
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat
from hypothesis import HealthCheck, settings
from hypothesis import given as given_cases
from hypothesis import strategies as st

from enrol.errors import EnrolError
from enrol.httpsig import (
    STET,
    STRICT,
    HttpMessage,
    Mode,
    Primitive,
    SigningKey,
    digest_value,
    parse_signature,
    sign,
    sign_rfc9421,
    signature_base,
    verify_message,
)
from enrol.httpsig.components import Component, ComponentSource
from enrol.httpsig.explain import (
    GivenKey,
    SignatureReport,
    Verdict,
    explain_signature,
    first_difference,
    visible,
)
from enrol.httpsig.explain.mistakes import SENTENCES
from enrol.httpsig.explain.statements import STATEMENTS
from httpsig_cases import (
    PRIMITIVES,
    Vector,
    cases,
    judge,
    load,
    message_of,
    moment,
    octets,
    public_key,
)
from httpsig_messages import changed_field, code_of, with_field, with_fields, without_field

NAMES = ("(request-target)", "digest", "x-request-id")
BOTH = replace(STET, modes=tuple(Mode))


@dataclass(frozen=True)
class Signer:
    """A client that makes mistakes: it signs any text and writes any parameters."""

    key: SigningKey

    def signed(
        self,
        message: HttpMessage,
        text: bytes,
        *,
        names: tuple[str, ...] = NAMES,
        signature: bytes | None = None,
        **parameters: str,
    ) -> HttpMessage:
        octets = self.key.sign(text) if signature is None else signature
        values = {
            "keyId": "k",
            "headers": " ".join(names),
            "signature": b64encode(octets).decode(),
        } | parameters
        written = ",".join(f'{name}="{value}"' for name, value in values.items())
        return with_field(message, b"signature", written.encode())

    def explained(
        self, message: HttpMessage, at: datetime, primitive: Primitive | None = None, **options
    ) -> SignatureReport:
        key = GivenKey(self.key.verification_key().public_key, primitive or self.key.primitive)
        return explain_signature(message, key, at=at, **options)


def text_of(message: HttpMessage, *names: str) -> bytes:
    """Return the right signing string, built apart from the library."""
    lines = []
    for name in names or NAMES:
        if name == "(request-target)":
            value = message.method.lower().encode() + b" " + message.target
        else:
            value = b", ".join(v.strip(b" \t") for v in message.values(name.encode()))
        lines.append(name.encode() + b": " + value)
    return b"\n".join(lines)


@pytest.fixture
def signer(rsa_key: SigningKey) -> Signer:
    return Signer(rsa_key)


def names_of(report: SignatureReport) -> set[str]:
    return {part for mistake in report.mistakes for part in mistake.name.split("+")}


def broken(report: SignatureReport) -> set[str]:
    return {finding.rule for finding in report.having(Verdict.FAILS)}


# What verifies


@pytest.mark.parametrize("policy", [STRICT, STET], ids=["strict", "stet"])
@pytest.mark.parametrize("vector", cases("psd2_positive"))
def test_a_genuine_request_explains_as_verifying(vector: Vector, policy) -> None:
    report = explained(vector, "psd2_positive", policy)
    assert (report.verdict, report.mistakes, broken(report)) == (Verdict.HOLDS, (), set())
    assert report.refused_by is None


@pytest.mark.parametrize("vector", cases("rfc9421_psd2"))
def test_a_request_of_rfc9421_has_its_verdict(vector: Vector) -> None:
    entries = load("rfc9421_psd2")["keys"]
    message = message_of(vector["request"])
    name = next(iter(entries))
    for known in entries:
        if f'keyid="{known}"' in message.first.get(b"signature-input", b"").decode():
            name = known
    entry = entries[name]
    key = GivenKey(public_key(entry["public_key_pem"]), PRIMITIVES[entry["algorithm"]], keyid=name)
    policy = replace(STET, modes=(Mode.RFC9421,))
    report = explain_signature(message, key, at=moment(vector), policy=policy)
    if vector["expect"]["verdict"] == "accept":
        assert (report.verdict, report.mistakes) == (Verdict.HOLDS, ())
    else:
        codes = {"M-KEY" if code.startswith("KEY-") else code for code in broken(report)}
        assert codes & set(vector["expect"]["violates"])


# What does not


@pytest.mark.parametrize("policy", [STRICT, STET], ids=["strict", "stet"])
@pytest.mark.parametrize("vector", [*cases("psd2_negative"), *cases("psd2_compat")])
def test_the_rule_a_request_breaks_is_among_those_that_fail(vector: Vector, policy) -> None:
    file = "psd2_negative" if vector["id"].startswith("N") else "psd2_compat"
    code = judge(vector, policy, load(file)["known_keys"])
    expect = vector["expect"] if policy is STRICT else vector["expect"]["stet_profile"]
    seen = code if (code or "").startswith("REP") else None
    report = explained(vector, file, policy, refused_by=seen)
    if expect["verdict"] == "accept":
        assert report.verdict is Verdict.HOLDS
    else:
        assert report.verdict is Verdict.FAILS
        assert broken(report) & set(expect["violates"])
        assert report.refused_by == code


def explained(vector: Vector, file: str, policy, **options) -> SignatureReport:
    message = message_of(vector["request"])
    known = load(file)["known_keys"]
    try:
        keyid = parse_signature(message, policy=policy).unverified_keyid
    except EnrolError:
        keyid = ""
    name = keyid if keyid in known else next(iter(known))
    entry = known[name]
    (algorithm,) = entry["algorithms"]
    pem = next(
        (
            key["certificate_pem"]
            for key in load("keys")["keys"].values()
            if key.get("certificate_sha256", 0) == entry.get("certificate_sha256", 1)
        ),
        None,
    )
    certificate = pem and octets({"body_b64": "".join(pem.split("-----")[2].split())})
    key = GivenKey(
        public_key(entry["public_key_pem"]), PRIMITIVES[algorithm], certificate, keyid=name
    )
    return explain_signature(message, key, at=moment(vector), policy=policy, **options)


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


# Mistakes in reading


def test_a_signature_in_authorization(registration, signer, at) -> None:
    message = signer.signed(registration, text_of(registration))
    moved = with_field(
        without_field(message, b"signature"),
        b"authorization",
        b"Signature " + message.first[b"signature"],
    )
    report = signer.explained(moved, at)
    assert names_of(report) == {"signature-in-authorization"}
    assert report.refused_by == "CAR-2"
    assert "SIG-1" not in broken(report)


def test_a_signature_in_another_base64(registration, signer, at) -> None:
    text = text_of(registration)
    message = signer.signed(registration, text)
    standard = b64encode(signer.key.sign(text))
    other = urlsafe_b64encode(signer.key.sign(text)).rstrip(b"=")
    value = message.first[b"signature"].replace(standard, other)
    report = signer.explained(changed_field(message, b"signature", value), at)
    assert "signature-encoding" in names_of(report)
    assert "SIG-1" not in broken(report)


def test_names_with_several_blanks_between(registration, signer, at) -> None:
    message = signer.signed(
        registration, text_of(registration), headers="(request-target)  digest x-request-id "
    )
    report = signer.explained(message, at)
    assert names_of(report) == {"headers-blanks"}
    assert broken(report) == {"HDR-4"}


# Mistakes in the arithmetic


def rsa_signature(key: SigningKey, text: bytes, padding, algorithm) -> bytes:
    assert isinstance(key.private_key, rsa.RSAPrivateKey)
    return key.private_key.sign(text, padding, algorithm)


RSA_MISTAKES = {
    "pss-salt": (Primitive.RSA_PSS_SHA512, PSS(MGF1(SHA512()), 190), SHA512()),
    "pss-hash": (Primitive.RSA_PSS_SHA512, PSS(MGF1(SHA256()), 32), SHA256()),
    "pss-for-pkcs1v15": (Primitive.RSA_PKCS1V15_SHA256, PSS(MGF1(SHA256()), 32), SHA256()),
    "pkcs1v15-for-pss": (Primitive.RSA_PSS_SHA512, PKCS1v15(), SHA256()),
    "other-hash": (Primitive.RSA_PKCS1V15_SHA256, PKCS1v15(), SHA512()),
}


@pytest.mark.parametrize("name", RSA_MISTAKES)
def test_a_mistake_in_rsa_is_found_by_name(registration, signer, at, name) -> None:
    primitive, padding, algorithm = RSA_MISTAKES[name]
    signature = rsa_signature(signer.key, text_of(registration), padding, algorithm)
    message = signer.signed(registration, b"", signature=signature)
    report = signer.explained(message, at, primitive)
    assert names_of(report) == {name}
    assert broken(report) == {"SIG-1"}


def test_the_length_of_a_wrong_salt_is_told(registration, signer, at) -> None:
    primitive, padding, algorithm = RSA_MISTAKES["pss-salt"]
    signature = rsa_signature(signer.key, text_of(registration), padding, algorithm)
    report = signer.explained(signer.signed(registration, b"", signature=signature), at, primitive)
    assert "a salt of 190 octets" in (report.mistakes[0].detail or "")


@pytest.mark.parametrize(
    ("stored", "name"),
    [
        (Primitive.ECDSA_P256_SHA256_DER, "ecdsa-raw-for-der"),
        (Primitive.ECDSA_P256_SHA256_RAW, "ecdsa-der-for-raw"),
        (Primitive.ECDSA_P256_SHA512_DER, "other-hash"),
    ],
)
def test_a_mistake_in_ecdsa_is_found_by_name(registration, p256_key, at, stored, name) -> None:
    private_key = p256_key.private_key
    assert isinstance(private_key, ec.EllipticCurvePrivateKey)
    signature = private_key.sign(text_of(registration), ec.ECDSA(SHA256()))
    if name == "ecdsa-raw-for-der":
        r, s = decode_dss_signature(signature)
        signature = r.to_bytes(32) + s.to_bytes(32)
    signer = Signer(p256_key)
    report = signer.explained(signer.signed(registration, b"", signature=signature), at, stored)
    assert names_of(report) == {name}


def test_a_signature_backwards(registration, signer, at) -> None:
    signature = signer.key.sign(text_of(registration))[::-1]
    message = signer.signed(registration, b"", signature=signature)
    assert names_of(signer.explained(message, at)) == {"signature-backwards"}


def test_a_wrong_string_and_a_wrong_primitive_at_once(registration, signer, at) -> None:
    text = text_of(registration).replace(b": post ", b": POST ")
    signature = rsa_signature(signer.key, text, PSS(MGF1(SHA256()), 32), SHA256())
    message = signer.signed(registration, b"", signature=signature)
    assert names_of(signer.explained(message, at)) == {"method-upper-case", "pss-for-pkcs1v15"}


def test_the_signature_of_another_key_is_explained_by_no_mistake(
    registration, signer, at, p256_key
) -> None:
    other = Signer(SigningKey(rsa.generate_private_key(65537, 2048), signer.key.primitive))
    message = other.signed(registration, text_of(registration))
    report = signer.explained(message, at)
    assert (report.mistakes, report.made_with_key) == ((), False)
    assert broken(report) == {"SIG-1"}


# Mistakes in the digest

DOCUMENT = {"scope": "aisp", "client_name": "Café/Co", "keys": [1, 2]}
BODIES = {
    "json-compact": lambda d: json.dumps(d, separators=(",", ":")).encode(),
    "json-spaced": lambda d: json.dumps(d).encode(),
    "json-indented": lambda d: json.dumps(d, indent=2).encode(),
    "json-sorted": lambda d: json.dumps(d, sort_keys=True, separators=(",", ":")).encode(),
    "line-end-of-body": lambda d: json.dumps(d, indent=1).encode() + b"\n",
    "empty-body": lambda d: b"",
}


@pytest.mark.parametrize("name", BODIES)
def test_a_digest_of_another_body_is_found_by_name(registration, signer, at, name) -> None:
    hashed = BODIES[name](DOCUMENT)
    body = json.dumps(DOCUMENT, indent=1, ensure_ascii=False).encode()
    if name == "line-end-of-body":
        body = hashed.removesuffix(b"\n")
    message = replace(registration, body=body)
    message = changed_field(message, b"digest", digest_value(hashed).encode())
    report = signer.explained(signer.signed(message, text_of(message)), at)
    assert names_of(report) == {name}
    assert broken(report) == {"DIG-9"}


@pytest.mark.parametrize("depth", [500, 5_000, 100_000])
def test_a_body_nested_deeply_is_explained_too(registration, signer, at, depth) -> None:
    message = replace(registration, body=b"[" * depth + b"]" * depth)
    report = signer.explained(signer.signed(message, text_of(message)), at)
    assert broken(report) == {"DIG-9"}


@pytest.mark.parametrize(
    ("value", "name"),
    [
        (lambda h: "SHA-256=" + h.hex(), "digest-hex"),
        (lambda h: "SHA-256=" + b64encode(h.hex().encode()).decode(), "digest-hex"),
        (lambda h: "SHA-256=" + b64encode(h).decode().rstrip("="), "digest-base64"),
        (lambda h: "SHA256=" + b64encode(h).decode(), "digest-name"),
    ],
    ids=["hexadecimal", "base64 of hexadecimal", "unpadded", "name without hyphen"],
)
def test_a_digest_that_is_miswritten(registration, signer, at, value, name) -> None:
    written = value(sha256(registration.body).digest()).encode()
    message = changed_field(registration, b"digest", written)
    report = signer.explained(signer.signed(message, text_of(message)), at)
    assert names_of(report) == {name}


def test_a_content_digest_of_another_body_is_found_by_name(registration, signer, at) -> None:
    message = rfc9421_message(registration, signer.key, at, lambda base: base)
    sent = replace(message, body=b'{"client_name": "TPP"}')
    report = signer.explained(sent, at, policy=BOTH)
    assert names_of(report) == {"json-compact"}
    assert broken(report) == {"M-CD-3"}


# Mistakes in keyId


@pytest.fixture
def qsealc() -> tuple[bytes, bytes]:
    """A certificate as PEM file with a preamble and as DER."""
    pem = load("keys")["keys"].get("tpp-qseal", {}).get("certificate_pem")
    if pem is None:
        pem = next(
            key["certificate_pem"]
            for key in load("keys").get("keys", {"": {"certificate_pem": ""}}).values()
            if key.get("certificate_pem")
        )
    der = octets({"body_b64": "".join(pem.split("-----")[2].split())})
    return b"subject=TPP\n" + pem.encode(), der


@pytest.mark.parametrize(
    ("written", "name"),
    [
        (lambda file, der, spki: sha256(file).hexdigest(), "pem-file-hash"),
        (lambda file, der, spki: sha256(der).hexdigest().upper(), "fingerprint-upper-case"),
        (lambda file, der, spki: sha256(spki).hexdigest(), "fingerprint-of-key"),
    ],
)
def test_a_fingerprint_of_something_else(registration, signer, at, qsealc, written, name) -> None:
    file, der = qsealc
    public = signer.key.verification_key().public_key
    spki = public.public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)
    url = "https://tpp.example/certs/qseal_" + written(file, der, spki)
    message = signer.signed(registration, text_of(registration), keyId=url)
    key = GivenKey(public, certificate=der, file=file, keyid=f"https://tpp.example/{'0' * 64}")
    report = explain_signature(message, key, at=at, refused_by="KEY-3")
    assert names_of(report) == {name}
    assert "KEY-3" in broken(report)


@pytest.mark.parametrize("form", ["DER", "PEM"])
def test_the_fingerprint_of_der_and_of_the_usual_pem_both_hold(
    registration, signer, at, qsealc, form
) -> None:
    file, der = qsealc
    hashed = der if form == "DER" else file.partition(b"\n")[2]
    url = f"https://tpp.example/certs/qseal_{sha256(hashed).hexdigest()}"
    message = signer.signed(registration, text_of(registration), keyId=url)
    key = GivenKey(signer.key.verification_key().public_key, certificate=der, file=file)
    assert explain_signature(message, key, at=at).verdict is Verdict.HOLDS


# Time, body, key that are not there


def test_an_old_capture_is_said_to_be_old_and_all_else_is_judged(registration, signer, at) -> None:
    message = with_fields(
        registration,
        sign(registration, key=signer.key, keyid="k", covered=(*NAMES, "date")),
    )
    later = at + timedelta(days=30)
    report = signer.explained(message, later)
    assert broken(report) == {"TIM-3"}
    assert report.verifies_at == at
    assert "SIG-1" in {finding.rule for finding in report.having(Verdict.HOLDS)}


def test_an_old_capture_with_another_mistake_is_not_said_to_verify(
    registration, signer, at
) -> None:
    names = (*NAMES, "date")
    text = text_of(registration, *names).replace(b": post ", b": POST ")
    report = signer.explained(
        signer.signed(registration, text, names=names), at + timedelta(days=30)
    )
    assert broken(report) == {"TIM-3", "SIG-1"}
    assert report.verifies_at is None
    assert names_of(report) == {"method-upper-case"}


def test_without_the_body_the_digest_is_undecided(registration, signer, at) -> None:
    message = replace(signer.signed(registration, text_of(registration)), body=b"")
    report = signer.explained(message, at, has_body=False)
    assert report.verdict is Verdict.UNDECIDED
    assert "DIG-9" in {finding.rule for finding in report.having(Verdict.UNDECIDED)}


def test_without_a_key_the_arithmetic_is_undecided(registration, signer, at) -> None:
    report = explain_signature(signer.signed(registration, text_of(registration)), None, at=at)
    assert report.verdict is Verdict.UNDECIDED
    undecided = {finding.rule for finding in report.having(Verdict.UNDECIDED)}
    assert undecided >= {"SIG-1", "ALG-8", "KEY-2"}


def test_every_name_that_is_not_covered_is_said(registration, signer, at) -> None:
    message = signer.signed(registration, text_of(registration, "host"), names=("host",))
    report = signer.explained(message, at, policy=STRICT)
    assert broken(report) == {"COV-1", "COV-2", "COV-3", "COV-4"}


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


def rfc9421_message(
    message: HttpMessage, key: SigningKey, at: datetime, bend: Callable[[bytes], bytes]
) -> HttpMessage:
    covered = ("@method", "@authority", "@path", "@query", "content-digest", "x-request-id")
    digest = sha256(message.body).digest()
    message = with_field(
        without_field(message, b"digest"),
        b"content-digest",
        b"sha-256=:" + b64encode(digest) + b":",
    )
    created = int(at.timestamp())
    (stated, _) = sign_rfc9421(message, key=key, keyid="k", created=created, covered=covered)
    base = signature_base(
        ComponentSource(message),
        [Component(name) for name in covered],
        stated[1].partition("=")[2],
    )
    signature = b64encode(key.sign(bend(base))).decode()
    return with_fields(message, (stated, ("Signature", f"sig1=:{signature}:")))


# Laws


@settings(max_examples=25, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given_cases(text=st.one_of(st.binary(max_size=40), st.sampled_from([*STRINGS.values()])))
def test_only_the_string_that_was_signed_is_said_to_verify(registration, signer, at, text) -> None:
    signed = text if isinstance(text, bytes) else text(registration, text_of(registration))
    report = signer.explained(signer.signed(registration, signed), at)
    for mistake in report.mistakes:
        whole = mistake.signing_string
        assert whole is not None
        assert signed in {whole, sha256(whole).digest()}


@given_cases(st.binary(max_size=200))
def test_no_signature_field_breaks_the_explanation(value: bytes) -> None:
    message = HttpMessage.of("POST", b"/x", [(b"X-Request-ID", b"1"), (b"Signature", value)], b"{}")
    key = GivenKey(KEY.public_key())
    at = datetime.fromisoformat("2023-11-14T22:13:20Z")
    assert explain_signature(message, key, at=at).verdict is Verdict.FAILS


KEY = ec.generate_private_key(ec.SECP256R1())


@given_cases(
    method=st.sampled_from(["POST", "GET", "put", "x y"]),
    target=st.binary(max_size=20),
    fields=st.lists(
        st.tuples(
            st.one_of(
                st.sampled_from([b"digest", b"signature", b"signature-input", b"date", b"host"]),
                st.binary(max_size=3),
            ),
            st.one_of(
                st.binary(max_size=30),
                st.just(b'keyId="k",created=1,headers="(created) date digest",signature="YQ=="'),
                st.just(b'sig1=("@path" "date" "@query");created=1;keyid="k"'),
                st.just(b"sig1=:YQ==:"),
            ),
        ),
        max_size=6,
    ),
    body=st.binary(max_size=20),
)
def test_whatever_the_message_the_verdict_is_the_verifiers(method, target, fields, body) -> None:
    message = HttpMessage.of(method, target, fields, body)
    at = datetime.fromisoformat("2023-11-14T22:13:20Z")
    report = explain_signature(message, GivenKey(KEY.public_key()), at=at, policy=BOTH)
    key = SigningKey(KEY, Primitive.ECDSA_P256_SHA256_DER).verification_key()
    code = code_of(verify_message, message, lambda _: key, at=at, policy=BOTH)
    assert (report.verdict is Verdict.HOLDS) == (code is None)
    assert code is None or code in broken(report)


@given_cases(st.binary(), st.binary())
def test_two_strings_differ_somewhere_unless_they_are_equal(one: bytes, other: bytes) -> None:
    difference = first_difference(one, other)
    assert (difference is None) == (one == other)
    if difference is not None:
        assert difference.computed != difference.claimed


def test_what_cannot_be_seen_is_made_visible() -> None:
    assert visible(b" a\tb\r\\\xff ") == "\\x20a\\tb\\r\\\\\\xff\\x20"


def test_every_mistake_and_rule_has_a_sentence() -> None:
    assert all(SENTENCES.values())
    assert all(sentence.endswith(".") for sentence in STATEMENTS.values())
