"""The entry points of the STET contract, each a few lines: read, ask the desk, answer."""

from dataclasses import dataclass

import msgspec
from starlette.types import Scope

from enrol.errors import EntryPointError
from enrol.oauth.grant import parse_token_request
from enrol.oauth.types import ClientId
from enrol.registration.authenticate import UnverifiedRequest
from enrol.registration.grants import TokenDesk
from enrol.registration.record import ClientRecord
from enrol.registration.response import respond
from enrol.registration.service import RegistrationDesk
from enrol.server.answer import Answer, answer
from enrol.server.call import (
    Call,
    check_accept,
    check_content,
    check_no_body,
    check_request_id,
    is_client_id,
    read_body,
)
from enrol.server.peer import peer_certificate

_JSON = b"application/json"
_FORM = b"application/x-www-form-urlencoded"


@dataclass(frozen=True, slots=True)
class RegistrationRoutes:
    """``/register`` and ``/register/{client_id}``.

    `register_uri` is the public URI of the first, `secret` what management tokens derive from.
    """

    desk: RegistrationDesk
    register_uri: str
    secret: bytes

    async def post(self, call: Call) -> Answer:
        """Register a client: 201."""
        record = await self.desk.register(await _with_body(call))
        uri = f"{self.register_uri}/{record.client_id}".encode("ascii")
        return self._answer(call, record, status=201, fields=((b"location", uri),))

    async def get(self, call: Call) -> Answer:
        """Read a registration: 200."""
        return self._answer(call, await self.desk.read(_without_body(call)), status=200)

    async def put(self, call: Call) -> Answer:
        """Replace a registration: 200."""
        return self._answer(call, await self.desk.update(await _with_body(call)), status=200)

    async def delete(self, call: Call) -> Answer:
        """Delete a registration: 204."""
        await self.desk.delete(_without_body(call))
        return answer(204, b"", request_id=call.request_id)

    def _answer(
        self,
        call: Call,
        record: ClientRecord,
        *,
        status: int,
        fields: tuple[tuple[bytes, bytes], ...] = (),
    ) -> Answer:
        response = respond(record, register_uri=self.register_uri, secret=self.secret)
        body = msgspec.json.encode(response)
        return answer(status, body, request_id=call.request_id, fields=fields)


@dataclass(frozen=True, slots=True)
class TokenRoute:
    """The token endpoint (RFC 6749 §3.2)."""

    desk: TokenDesk

    async def post(self, call: Call) -> Answer:
        """Grant a token: 200."""
        check_accept(call)
        check_content(call, media_type=_FORM, code="content_type_not_form")
        request = parse_token_request(await read_body(call))
        response = await self.desk.grant(
            request, peer_certificate=peer_certificate(call.scope), request_id=call.request_id
        )
        return answer(200, msgspec.json.encode(response), request_id=call.request_id)


async def _with_body(call: Call) -> UnverifiedRequest:
    check_request_id(call)
    check_accept(call)
    check_content(call, media_type=_JSON, code="content_type_not_json")
    return _request(call, await read_body(call))


def _without_body(call: Call) -> UnverifiedRequest:
    check_request_id(call)
    check_accept(call)
    check_no_body(call)
    return _request(call, b"")


def _request(call: Call, body: bytes) -> UnverifiedRequest:
    return UnverifiedRequest(
        request_id=call.request_id,
        message=call.message(body),
        peer_certificate=peer_certificate(call.scope),
        client_id=_client_id(call.scope),
    )


def _client_id(scope: Scope) -> ClientId | None:
    """Return the client_id of the path, None where the path has none."""
    text = scope.get("path_params", {}).get("client_id")
    if text is None:
        return None
    if not is_client_id(text):
        raise EntryPointError("entry_point_unknown")
    return ClientId(text)
