"""The test QTSP answers about its certificates as a real one does, and OpenSSL agrees."""

import base64
import http.client
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from urllib.parse import quote

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.serialization import Encoding
from cryptography.x509 import ocsp

from enrol.sandbox import pki
from enrol.sandbox.files import certificates_pem
from enrol.sandbox.folder import open_sandbox
from enrol.sandbox.responder import Page, Responder
from enrol.sandbox.site import LONGEST_REQUEST, Site, serve_site

HOUR = timedelta(hours=1)
GOOD, REVOKED, UNKNOWN = ocsp.OCSPCertStatus


@pytest.fixture
def crl(authority: pki.Authority, at: datetime) -> x509.CertificateRevocationList:
    """Names certificate 666."""
    empty = pki.revocation_list(authority, at=at)
    return pki.revoke(authority, empty, serial_number=666, at=at)


@pytest.fixture
def responder(authority: pki.Authority, crl) -> Responder:
    return Responder(authority, crl=lambda: crl)


def request(
    issued: pki.Issued,
    authority: pki.Authority,
    algorithm: hashes.HashAlgorithm,
    *,
    nonce: bytes | None = None,
) -> bytes:
    issuing = authority.issuing.certificate
    builder = ocsp.OCSPRequestBuilder().add_certificate(issued.certificate, issuing, algorithm)
    if nonce is not None:
        builder = builder.add_extension(x509.OCSPNonce(nonce), critical=False)
    return builder.build().public_bytes(Encoding.DER)


def read(page: Page | None) -> ocsp.OCSPResponse:
    assert page is not None
    assert page.content_type == "application/ocsp-response"
    return ocsp.load_der_ocsp_response(page.content)


@pytest.mark.parametrize("algorithm", [hashes.SHA1(), hashes.SHA256()], ids=["sha1", "sha256"])
def test_a_certificate_is_good_unless_the_list_names_it(
    authority, responder: Responder, issue, at, algorithm
) -> None:
    good = read(responder.post("/ocsp", request(issue(), authority, algorithm), at=at))
    assert good.certificate_status is GOOD
    assert (good.this_update_utc, good.next_update_utc) == (at, at + HOUR)
    issuing = authority.issuing.certificate
    asked = ocsp.OCSPRequestBuilder().add_certificate_by_hash(
        good.issuer_name_hash, good.issuer_key_hash, 666, algorithm
    )
    der = asked.build().public_bytes(Encoding.DER)
    assert read(responder.post("/ocsp", der, at=at)).certificate_status is REVOKED
    assert good.certificates[0].issuer == issuing.subject


@pytest.mark.parametrize(
    ("path", "status", "until"),
    [
        ("/ocsp/revoked", REVOKED, HOUR),
        ("/ocsp/unknown", UNKNOWN, HOUR),
        ("/ocsp/stale", GOOD, -HOUR),
        ("/ocsp/forged", GOOD, HOUR),
    ],
)
def test_a_fault_is_asked_for_by_the_path(
    authority, responder: Responder, issue, at, path, status, until
) -> None:
    answer = read(responder.post(path, request(issue(), authority, hashes.SHA1()), at=at))
    assert (answer.certificate_status, answer.next_update_utc) == (status, at + until)


def test_an_answer_ends_with_the_list_it_rests_on(authority, issue, at) -> None:
    old = pki.revocation_list(authority, at=at - timedelta(days=400))
    responder = Responder(authority, crl=lambda: old)
    answer = read(responder.post("/ocsp", request(issue(), authority, hashes.SHA1()), at=at))
    assert answer.next_update_utc == old.next_update_utc < at


def test_the_nonce_comes_back(authority, responder: Responder, issue, at) -> None:
    asked = request(issue(), authority, hashes.SHA1(), nonce=bytes(16))
    answer = read(responder.post("/ocsp", asked, at=at))
    assert [each.value.nonce for each in answer.extensions] == [bytes(16)]


def test_another_ca_is_none_of_its_business(authority, responder: Responder, issue, at) -> None:
    root = authority.root.certificate
    builder = ocsp.OCSPRequestBuilder().add_certificate(root, root, hashes.SHA1())
    answer = read(responder.post("/ocsp", builder.build().public_bytes(Encoding.DER), at=at))
    assert answer.response_status is ocsp.OCSPResponseStatus.UNAUTHORIZED
    answer = read(responder.post("/ocsp", b"junk", at=at))
    assert answer.response_status is ocsp.OCSPResponseStatus.MALFORMED_REQUEST


def test_openssl_believes_the_responder_and_not_the_forger(
    authority, responder: Responder, issue, openssl: Callable, tmp_path: Path
) -> None:
    issued = issue()
    now = datetime.now(UTC)
    for path, verdict in (("/ocsp", "Response verify OK"), ("/ocsp/forged", "Verify Failure")):
        page = responder.post(path, request(issued, authority, hashes.SHA256()), at=now)
        assert page is not None
        response = tmp_path / "response.der"
        response.write_bytes(page.content)
        result = openssl(
            "ocsp", "-respin", str(response), "-sha256", "-no_nonce",
            "-CAfile", certificates_pem(*authority.anchors),
            "-issuer", certificates_pem(authority.issuing.certificate),
            "-cert", certificates_pem(issued.certificate),
        )  # fmt: skip
        assert verdict in result.stdout + result.stderr


@pytest.fixture(scope="module")
def connect(made: Path) -> Callable[[], http.client.HTTPConnection]:
    """Connect to the site of a sandbox."""
    host, port = serve_site(Site(made, lambda: datetime.now(UTC)), ("127.0.0.1", 0))
    return lambda: http.client.HTTPConnection(host, port, timeout=10)


def test_the_site_of_a_sandbox_serves_all_its_certificates_name(made: Path, connect) -> None:
    authority = open_sandbox(made).authority
    qwac = x509.load_pem_x509_certificate((made / "tpp" / "qwac.pem").read_bytes())
    asked = request(pki.Issued(qwac, authority.issuing.private_key), authority, hashes.SHA1())
    encoded = quote(base64.b64encode(asked).decode(), safe="")
    for method, path, body in (
        ("POST", "/ocsp", asked),
        ("GET", f"/ocsp/{encoded}", None),
    ):
        connection = connect()
        connection.request(method, path, body=body)
        reply = connection.getresponse()
        assert reply.status == 200
        answer = ocsp.load_der_ocsp_response(reply.read())
        assert answer.certificate_status is GOOD
        connection.close()
    for path, load in (
        ("/ca.crl", x509.load_der_x509_crl),
        ("/issuing.cer", x509.load_der_x509_certificate),
    ):
        connection = connect()
        connection.request("GET", path)
        assert load(connection.getresponse().read()) is not None
        connection.close()


@pytest.mark.parametrize(
    ("method", "path", "body", "status"),
    [
        ("GET", "/", None, 404),
        ("GET", "/ocsp/!", None, 404),
        ("POST", "/ca.crl", b"", 404),
        ("POST", "/ocsp", bytes(LONGEST_REQUEST + 1), 400),
    ],
)
def test_the_site_serves_nothing_else(connect, method, path, body, status) -> None:
    connection = connect()
    connection.request(method, path, body=body)
    assert connection.getresponse().status == status
    connection.close()
