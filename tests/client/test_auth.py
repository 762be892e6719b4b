import hashlib
import re
from base64 import b64decode, b64encode
from collections.abc import AsyncIterator, Iterator

import httpx
import pytest
from cryptography.hazmat.primitives.asymmetric import ec, padding, rsa
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.x509 import load_der_x509_certificate

from enrol.client import Seal, SignatureAuth, make_seal
from enrol.errors import SignatureError
from enrol.httpsig import verification_key
from enrol.sandbox import pki
from fake_bank import NOW, verify

URL = "https://bank.example/stet/setting/v1/register"
PARAMETERS = re.compile(r'([A-Za-z]+)="([^"]*)"')


def sent(auth: httpx.Auth, method: str, url: str = URL, **what: object) -> httpx.Request:
    """Return a request as a sync client with `auth` sends it."""
    seen: list[httpx.Request] = []

    def take(request: httpx.Request) -> httpx.Response:
        request.read()
        seen.append(request)
        return httpx.Response(200)

    with httpx.Client(transport=httpx.MockTransport(take), auth=auth) as client:
        client.request(method, url, **what)
    return seen[0]


async def sent_async(auth: httpx.Auth, method: str, **what: object) -> httpx.Request:
    seen: list[httpx.Request] = []

    async def take(request: httpx.Request) -> httpx.Response:
        await request.aread()
        seen.append(request)
        return httpx.Response(200)

    async with httpx.AsyncClient(transport=httpx.MockTransport(take), auth=auth) as client:
        await client.request(method, URL, **what)
    return seen[0]


def public_key(seal: Seal) -> rsa.RSAPublicKey:
    key = load_der_x509_certificate(seal.certificates[0]).public_key()
    assert isinstance(key, rsa.RSAPublicKey)
    return key


def test_a_signature_verifies_by_hand(seal: Seal) -> None:
    request = sent(SignatureAuth(seal), "POST", content=b'{"a":1}')
    parameters = dict(PARAMETERS.findall(request.headers["signature"]))
    digest = b64encode(hashlib.sha256(b'{"a":1}').digest()).decode()
    signing_string = (
        "(request-target): post /stet/setting/v1/register\n"
        f"digest: SHA-256={digest}\n"
        f"x-request-id: {request.headers['x-request-id']}"
    )
    assert parameters["headers"] == "(request-target) digest x-request-id"
    assert parameters["keyId"] == seal.kid
    assert parameters["algorithm"] == "rsa-sha256"
    public_key(seal).verify(
        b64decode(parameters["signature"]), signing_string.encode(), padding.PKCS1v15(), SHA256()
    )


@pytest.mark.parametrize(
    ("method", "what"),
    [
        pytest.param("POST", {"content": b"{}"}, id="a body"),
        pytest.param("POST", {"content": b""}, id="a POST of nothing"),
        pytest.param("PUT", {"json": {"client_name": "Société"}}, id="text that is not ASCII"),
        pytest.param("GET", {}, id="no body"),
        pytest.param("GET", {"params": {"q": "a b/é"}}, id="a query"),
        pytest.param("DELETE", {}, id="a deletion"),
        pytest.param("PATCH", {"content": b"x"}, id="any method with a body"),
    ],
)
def test_requests_are_signed_as_the_server_reads_them(
    seal: Seal, method: str, what: dict[str, object]
) -> None:
    verify(sent(SignatureAuth(seal), method, **what), verification_key(public_key(seal)))


@pytest.mark.parametrize(
    ("method", "content", "expected"),
    [("GET", None, False), ("DELETE", None, False), ("POST", b"", True), ("PUT", b"x", True)],
)
def test_digest_is_sent_where_there_is_a_body_to_speak_of(
    seal: Seal, method: str, content: bytes | None, expected: bool
) -> None:
    assert ("digest" in sent(SignatureAuth(seal), method, content=content).headers) is expected


def test_the_target_is_signed_as_it_goes_over_the_wire(seal: Seal) -> None:
    request = sent(SignatureAuth(seal), "GET", f"{URL}/a%2Fb%20c?x=%7e&y=1#part")
    assert request.url.raw_path == b"/stet/setting/v1/register/a%2Fb%20c?x=%7e&y=1"
    verify(request, verification_key(public_key(seal)))


def test_an_x_request_id_of_the_caller_is_kept(seal: Seal) -> None:
    request = sent(SignatureAuth(seal), "GET", headers={"X-Request-ID": "mine"})
    assert request.headers.get_list("x-request-id") == ["mine"]
    verify(request, verification_key(public_key(seal)))


def test_each_request_gets_an_x_request_id_of_its_own(seal: Seal) -> None:
    auth = SignatureAuth(seal)
    assert len({sent(auth, "GET").headers["x-request-id"] for _ in range(3)}) == 3


def test_a_digest_of_the_caller_is_replaced(seal: Seal) -> None:
    request = sent(SignatureAuth(seal), "POST", content=b"{}", headers={"Digest": "SHA-256=AA=="})
    assert len(request.headers.get_list("digest")) == 1
    verify(request, verification_key(public_key(seal)))


def test_a_body_that_comes_in_pieces_is_read_before_it_is_signed(seal: Seal) -> None:
    def pieces() -> Iterator[bytes]:
        yield b'{"a":'
        yield b"1}"

    request = sent(SignatureAuth(seal), "POST", content=pieces(), headers={"Content-Length": "7"})
    verify(request, verification_key(public_key(seal)))


async def test_the_async_client_signs_the_same(seal: Seal) -> None:
    async def pieces() -> AsyncIterator[bytes]:
        yield b"{}"

    for content in (b"{}", pieces()):
        request = await sent_async(
            SignatureAuth(seal, make_request_id=lambda: "1"),
            "POST",
            content=content,
            headers={"Content-Length": "2"},
        )
        verify(request, verification_key(public_key(seal)))
        assert request.headers["x-request-id"] == "1"


def test_more_fields_can_be_covered(seal: Seal) -> None:
    covered = ("(request-target)", "host", "digest", "content-type", "x-request-id")
    request = sent(SignatureAuth(seal, covered=covered), "POST", json={})
    assert f'headers="{" ".join(covered)}"' in request.headers["signature"]
    verify(request, verification_key(public_key(seal)))


def test_a_field_that_is_covered_must_be_there(seal: Seal) -> None:
    with pytest.raises(SignatureError) as caught:
        sent(SignatureAuth(seal, covered=("(request-target)", "date")), "GET")
    assert caught.value.code == "HDR-7"


def test_a_key_that_is_not_rsa_signs_without_a_label(authority: pki.Authority) -> None:
    issued = pki.issue(
        authority, at=NOW, kind="qsealc", key=ec.generate_private_key(ec.SECP256R1())
    )
    seal = make_seal([issued.certificate], issued.private_key)
    request = sent(SignatureAuth(seal), "POST", content=b"{}")
    assert "algorithm=" not in request.headers["signature"]
    verify(request, verification_key(issued.certificate.public_key()))
