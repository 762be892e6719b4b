"""A bank behind an httpx transport: it verifies signatures and keeps registrations in a dict."""

import json
from collections import deque
from datetime import UTC, datetime

import httpx
from cryptography.x509 import load_der_x509_certificate

from enrol.httpsig import (
    HttpMessage,
    VerificationKey,
    parse_signature,
    verification_key,
    verify_signature,
)

NOW = datetime.now(UTC).replace(microsecond=0)
TOKEN = "KXyZabcdefghijklmopqrstuvw1234567890"
REGISTRATION_ACCESS_TOKEN = "registration-access-token-0123456789"
REGISTER = "/stet/setting/v1/register"
TOKEN_ENDPOINT = "/stet/psd2/oauth/token"


def verify(request: httpx.Request, key: VerificationKey) -> None:
    """Judge digest and signature of a request the way the server does."""
    message = HttpMessage.of(
        request.method, request.url.raw_path, request.headers.raw, request.content
    )
    verify_signature(message, parse_signature(message), key, at=NOW)


class FakeBank:
    """A bank that believes one QSealC.

    `next_answers` are given to the next calls instead of its own: a response, or an exception for
    a connection that breaks. `lost_answers` counts answers that are made and lost on the way.
    """

    def __init__(self, certificate_der: bytes) -> None:
        self._key = verification_key(load_der_x509_certificate(certificate_der).public_key())
        self._answered: dict[str, httpx.Response] = {}
        self.requests: list[httpx.Request] = []
        self.next_answers: deque[httpx.Response | httpx.RequestError] = deque()
        self.lost_answers = 0
        self.clients: dict[str, dict[str, object]] = {}

    def __call__(self, request: httpx.Request) -> httpx.Response:
        self.requests.append(request)
        if request.url.path == TOKEN_ENDPOINT:
            token = {"access_token": TOKEN, "token_type": "Bearer", "expires_in": 3600}
            return httpx.Response(200, json=token)
        if self.next_answers:
            return _given(self.next_answers.popleft())
        assert request.headers["authorization"] == f"Bearer {TOKEN}"
        verify(request, self._key)
        request_id = request.headers["x-request-id"]
        if request_id not in self._answered:
            self._answered[request_id] = self._decide(request)
        answer = self._answered[request_id]
        if self.lost_answers:
            self.lost_answers -= 1
            raise httpx.ReadError("reset by peer", request=request)
        return httpx.Response(answer.status_code, content=answer.content)

    def calls(self, method: str) -> list[httpx.Request]:
        """Return the requests to the registration entry point of one method."""
        return [r for r in self.requests if r.method == method and r.url.path != TOKEN_ENDPOINT]

    def _decide(self, request: httpx.Request) -> httpx.Response:
        client_id = request.url.path.removeprefix(REGISTER).strip("/")
        match request.method:
            case "POST":
                client_id = f"PSDFR-ACPR-12345-{len(self.clients) + 1}"
                self.clients[client_id] = json.loads(request.content)
                return httpx.Response(201, json=self._record(client_id))
            case "GET":
                return httpx.Response(200, json=self._record(client_id))
            case "PUT":
                metadata = json.loads(request.content)
                assert metadata.pop("client_id") == client_id
                self.clients[client_id] = metadata
                return httpx.Response(200, json=self._record(client_id))
            case _:
                del self.clients[client_id]
                return httpx.Response(204)

    def _record(self, client_id: str) -> dict[str, object]:
        return {
            "client_id": client_id,
            "client_id_issued_at": 1795500000,
            "registration_client_uri": f"https://127.0.0.1:8443{REGISTER}/{client_id}",
            "registration_access_token": REGISTRATION_ACCESS_TOKEN,
            **self.clients[client_id],
        }


def _given(answer: httpx.Response | httpx.RequestError) -> httpx.Response:
    if isinstance(answer, httpx.RequestError):
        raise answer
    return answer
