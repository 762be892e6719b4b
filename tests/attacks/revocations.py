"""Attacks on what a bank learns about revocation: A's QWAC, whose issuer answers with a fault."""

import hashlib
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

from asn1crypto import core
from asn1crypto import x509 as asn1
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.serialization import Encoding
from cryptography.x509 import ocsp
from cryptography.x509.oid import AuthorityInformationAccessOID

from attacks import issuer
from attacks.attempt import Attempt
from attacks.mint import Files
from enrol.sandbox.folder import open_sandbox
from enrol.sandbox.pki import Issued

_HOUR = timedelta(hours=1)
_PLACES = {"authority_information_access", "crl_distribution_points"}


def ask(attempt: Attempt) -> None:
    """Let A show a QWAC of the same content that names the issuer's site of the case."""
    name, text = attempt.attack.name, attempt.attack.text
    place = f"/{hashlib.sha256(f'{name} {text}'.encode()).hexdigest()[:16]}"
    url = f"http://{issuer.HOST}{place}"
    if name == "AC-031":
        url = {
            "refused": f"http://{issuer.DEAD_HOST}{place}",
            "nxdomain": f"http://{issuer.NO_HOST}{place}",
            "tls_error": f"https://{issuer.HOST}{place}",
        }.get(text, url)
    of_lists = {"AC-031", "AC-036"}
    urls = {
        "ocsp": None if name == "AC-036" else url,
        "crl": url if name in of_lists else None,
    }
    files = attempt.bank.mint.forge(place[1:], attempt.bank.a.qwac, asking_at(**urls))
    attempt.identity = files
    attempt.bank.issuer.answers[place] = _ANSWERS[name, text](attempt, files)


def asking_at(*, ocsp: str | None = None, crl: str | None = None) -> Callable[[Any], None]:
    """Return the change of a certificate that names other places to ask."""

    def change(tbs: Any) -> None:
        kept = [each for each in tbs["extensions"] if each["extn_id"].native not in _PLACES]
        for value in _places(ocsp, crl):
            octets = core.ParsableOctetString(value.public_bytes())
            kept.append(asn1.Extension({"extn_id": value.oid.dotted_string, "extn_value": octets}))
        tbs["extensions"] = asn1.Extensions([each.copy() for each in kept])

    return change


def _places(
    responder: str | None, crl: str | None
) -> list[x509.AuthorityInformationAccess | x509.CRLDistributionPoints]:
    places: list[x509.AuthorityInformationAccess | x509.CRLDistributionPoints] = []
    if responder is not None:
        location = x509.UniformResourceIdentifier(responder)
        oid = AuthorityInformationAccessOID.OCSP
        places.append(x509.AuthorityInformationAccess([x509.AccessDescription(oid, location)]))
    if crl is not None:
        location = x509.UniformResourceIdentifier(crl)
        point = x509.DistributionPoint([location], None, None, None)
        places.append(x509.CRLDistributionPoints([point]))
    return places


# What the issuer answers


def _signing(attempt: Attempt) -> tuple[Issued, datetime]:
    return open_sandbox(attempt.bank.desk.folder).authority.issuing, datetime.now(UTC)


def response(
    attempt: Attempt,
    files: Files,
    *,
    begin: timedelta = timedelta(0),
    serial_shift: int = 0,
    nonce: bytes | None = None,
) -> bytes:
    """Return a good OCSP response, valid for an hour from `begin`, of the issuing CA itself."""
    issuing, now = _signing(attempt)
    certificate = x509.load_pem_x509_certificate(files.certificate_file.read_bytes())
    asked = ocsp.OCSPRequestBuilder().add_certificate(
        certificate,
        issuing.certificate,
        hashes.SHA1(),
    )
    request = asked.build()
    builder = (
        ocsp.OCSPResponseBuilder()
        .add_response_by_hash(
            issuer_name_hash=request.issuer_name_hash,
            issuer_key_hash=request.issuer_key_hash,
            serial_number=request.serial_number + serial_shift,
            algorithm=request.hash_algorithm,
            cert_status=ocsp.OCSPCertStatus.GOOD,
            this_update=now + begin,
            next_update=now + begin + _HOUR,
            revocation_time=None,
            revocation_reason=None,
        )
        .responder_id(ocsp.OCSPResponderEncoding.HASH, issuing.certificate)
    )
    if nonce is not None:
        builder = builder.add_extension(x509.OCSPNonce(nonce), critical=False)
    return builder.sign(issuing.private_key, hashes.SHA256()).public_bytes(Encoding.DER)


def revocation_list(attempt: Attempt, *, age: timedelta = timedelta(0), key: Any = None) -> bytes:
    """Return an empty list that began `age` ago and ends after an hour."""
    issuing, now = _signing(attempt)
    builder = (
        x509.CertificateRevocationListBuilder()
        .issuer_name(issuing.certificate.subject)
        .last_update(now - age)
        .next_update(now - age + _HOUR)
    )
    signed = builder.sign(key or issuing.private_key, hashes.SHA256())
    return signed.public_bytes(Encoding.DER)


def _no_answer(name: str) -> bytes:
    status = ocsp.OCSPResponseStatus[name]
    return ocsp.OCSPResponseBuilder.build_unsuccessful(status).public_bytes(Encoding.DER)


def _silent(_attempt: Attempt, _files: Files) -> issuer.Answer:
    return issuer.never


_ANSWERS: dict[tuple[str, str], Callable[[Attempt, Files], issuer.Answer]] = {
    ("AC-031", "refused"): _silent,
    ("AC-031", "blackhole"): _silent,
    ("AC-031", "nxdomain"): _silent,
    ("AC-031", "tls_error"): _silent,
    ("AC-033", "tryLater"): lambda *_: issuer.says(_no_answer("TRY_LATER")),
    ("AC-033", "internalError"): lambda *_: issuer.says(_no_answer("INTERNAL_ERROR")),
    ("AC-033", "unauthorized"): lambda *_: issuer.says(_no_answer("UNAUTHORIZED")),
    ("AC-033", "garbage_der"): lambda *_: issuer.says(b"\x30\x82\xff\xff" + bytes(64)),
    ("AC-033", "empty"): lambda *_: issuer.says(b""),
    ("AC-033", "html_200"): lambda *_: issuer.says(b"<html>OK</html>"),
    ("AC-035", "stale"): lambda a, f: issuer.says(response(a, f, begin=-2 * _HOUR)),
    ("AC-035", "future"): lambda a, f: issuer.says(response(a, f, begin=_HOUR)),
    ("AC-035", "other_serial"): lambda a, f: issuer.says(response(a, f, serial_shift=1)),
    ("AC-035", "nonce_mismatch"): lambda a, f: issuer.says(response(a, f, nonce=bytes(32))),
    ("AC-036", "200MB"): lambda *_: issuer.endless(200 * 1024 * 1024),
    ("AC-036", "expired"): lambda a, _: issuer.says(revocation_list(a, age=2 * _HOUR)),
    ("AC-036", "wrong_signer"): lambda a, _: issuer.says(revocation_list(a, key=a.bank.a.qwac.key)),
    ("AC-036", "drip_1Bps"): lambda a, _: issuer.dripping(revocation_list(a)),
}
"""What the site answers, by case and variant."""
