"""Signing requests as STET wants it, for any httpx client: X-Request-ID, Digest, Signature."""

import uuid
from collections.abc import Callable, Generator, Sequence
from typing import Final

import httpx

from enrol.client.seal import Seal
from enrol.httpsig import HttpMessage, digest_field, sign

COVERED: Final = ("(request-target)", "digest", "x-request-id")
"""What is signed; ``digest`` is left out of requests that carry none."""

_WITH_BODY = frozenset({"POST", "PUT"})
_REPLACED = frozenset({b"digest", b"signature", b"x-request-id"})


def new_request_id() -> str:
    """Return a fresh X-Request-ID."""
    return str(uuid.uuid4())


def signed_fields(
    request: httpx.Request, seal: Seal, *, request_id: str, covered: Sequence[str] = COVERED
) -> tuple[tuple[str, str], ...]:
    """Return the fields that make `request` a signed one; the request itself is left as it is.

    They are X-Request-ID, Digest (for POST, PUT and whatever has a body) and Signature over the
    target that httpx sends, query included (STET 1.0.5, draft-cavage-12 §2.3). The body must have
    been read. Raises `SignatureError` HDR-7 where a covered field is not in the request.
    """
    body = request.content
    fields: tuple[tuple[str, str], ...] = (("X-Request-ID", request_id),)
    if body or request.method in _WITH_BODY:
        fields += (digest_field(body),)
    else:
        covered = tuple(name for name in covered if name != "digest")
    kept = [(name, value) for name, value in request.headers.raw if name.lower() not in _REPLACED]
    added = [(name.encode("ascii"), value.encode("ascii")) for name, value in fields]
    message = HttpMessage.of(request.method, request.url.raw_path, kept + added, body)
    return fields + sign(
        message,
        key=seal.key,
        keyid=seal.kid,
        covered=covered,
        algorithm_label=seal.algorithm_label,
    )


class SignatureAuth(httpx.Auth):
    """Signs every request of an httpx client, sync or async, with a QSealC.

    An X-Request-ID that the caller set is kept, so that a repeated request can be known as one.
    """

    requires_request_body = True

    def __init__(
        self,
        seal: Seal,
        *,
        covered: Sequence[str] = COVERED,
        make_request_id: Callable[[], str] = new_request_id,
    ) -> None:
        self._seal = seal
        self._covered = tuple(covered)
        self._make_request_id = make_request_id

    def auth_flow(self, request: httpx.Request) -> Generator[httpx.Request, httpx.Response, None]:
        """Add the fields and send the request once."""
        request_id = request.headers.get("x-request-id") or self._make_request_id()
        request.headers.update(
            signed_fields(request, self._seal, request_id=request_id, covered=self._covered)
        )
        yield request
