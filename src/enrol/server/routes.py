"""The entry points of the STET contract, each a few lines: read, ask the desk, answer."""

from dataclasses import dataclass

import msgspec
from starlette.types import Scope

from enrol.errors import EntryPointError
from enrol.oauth.client_authentication import SECRET_METHODS
from enrol.oauth.grant import parse_token_request
from enrol.oauth.types import ClientId
from enrol.registration.client_secret import ClientSecrets
from enrol.registration.dialect import Dialect, Operation, Presence
from enrol.registration.etag import entity_tag
from enrol.registration.grants import TokenDesk
from enrol.registration.ports import Clock
from enrol.registration.record import ClientRecord
from enrol.registration.request import UnverifiedRequest, check_claim
from enrol.registration.response import Shape, respond
from enrol.registration.service import RegistrationDesk
from enrol.server.answer import Answer, Fields, answer
from enrol.server.call import (
    Call,
    check_accept,
    check_content,
    check_no_body,
    check_request_id,
    is_client_id,
    read_body,
)
from enrol.server.dry_run import answer_dry_run, wants_dry_run
from enrol.server.listing import page_of, read_query
from enrol.server.peer import peer_of

_JSON = b"application/json"
_FORM = b"application/x-www-form-urlencoded"


@dataclass(frozen=True, slots=True)
class RegistrationRoutes:
    """``/register`` and ``/register/{client_id}``.

    `register_uri` is the public URI of the first, `secret` what management tokens derive from.
    `shape` gives answers the form of the dialect, which has the last word on statuses.
    `error_base` is the URI that the code of a finding is appended to.
    """

    desk: RegistrationDesk
    register_uri: str
    secret: bytes
    clock: Clock
    dialect: Dialect
    shape: Shape
    error_base: str
    client_secrets: ClientSecrets

    async def post(self, call: Call) -> Answer:
        """Register a client: 201."""
        request = await self._with_body(call)
        if wants_dry_run(call):
            return await self._rehearse(call, request, Operation.REGISTER)
        record = await self.desk.register(request)
        return self._answer(call, record, Operation.REGISTER)

    async def list_clients(self, call: Call) -> Answer:
        """List the clients of the caller: 200."""
        request, query = self._without_body(call), read_query(call)
        found = await self.desk.list_clients(request, after=query.after, limit=query.limit + 1)
        page = page_of(found, query, register_uri=self.register_uri, at=self.clock())
        return answer(200, msgspec.json.encode(page), request_id=call.request_id)

    async def get(self, call: Call) -> Answer:
        """Read a registration: 200."""
        record = await self.desk.read(self._without_body(call))
        return self._answer(call, record, Operation.READ)

    async def put(self, call: Call) -> Answer:
        """Replace a registration: 200."""
        request = await self._with_body(call)
        if wants_dry_run(call):
            return await self._rehearse(call, request, Operation.UPDATE)
        record = await self.desk.update(request)
        return self._answer(call, record, Operation.UPDATE)

    async def delete(self, call: Call) -> Answer:
        """Delete a registration: 204."""
        await self.desk.delete(self._without_body(call))
        return answer(204, b"", request_id=call.request_id)

    async def _rehearse(
        self, call: Call, request: UnverifiedRequest, operation: Operation
    ) -> Answer:
        """Say what would come of a request: 200."""
        dry_run = await self.desk.rehearse(operation, request)
        return answer_dry_run(dry_run, call, error_base=self.error_base, at=self.clock())

    def _answer(self, call: Call, record: ClientRecord, operation: Operation) -> Answer:
        response = respond(
            record,
            register_uri=self.register_uri,
            secret=self.secret,
            at=self.clock(),
            client_secret=self.client_secrets.issue(record),
        )
        body = msgspec.json.encode(self.shape(response, record.issued_at, operation))
        own = self.dialect.answer.of(operation)
        fields: Fields = ((b"etag", entity_tag(record).encode("ascii")),)
        fields += tuple([(n.lower().encode(), v.encode()) for n, v in own.fields.items()])
        if own.status == 201:
            uri = f"{self.register_uri}/{record.client_id}".encode("ascii")
            fields = ((b"location", uri), *fields)
        return answer(own.status, body, request_id=call.request_id, fields=fields)

    async def _with_body(self, call: Call) -> UnverifiedRequest:
        self._check_request_id(call)
        check_accept(call)
        check_content(call, media_type=_JSON, code="content_type_not_json")
        return _request(call, await read_body(call))

    def _without_body(self, call: Call) -> UnverifiedRequest:
        self._check_request_id(call)
        check_accept(call)
        check_no_body(call)
        return _request(call, b"")

    def _check_request_id(self, call: Call) -> None:
        """Refuse a call without X-Request-ID where the dialect wants it, and an illegal one."""
        optional = self.dialect.credentials.request_id is Presence.OPTIONAL
        if not (optional and not call.values(b"x-request-id")):
            check_request_id(call)


@dataclass(frozen=True, slots=True)
class TokenRoute:
    """The token endpoint (RFC 6749 §3.2); `methods` are those clients can register."""

    desk: TokenDesk
    methods: frozenset[str]

    async def post(self, call: Call) -> Answer:
        """Grant a token: 200."""
        check_accept(call)
        check_content(call, media_type=_FORM, code="content_type_not_form")
        uses_secrets = not SECRET_METHODS.isdisjoint(self.methods)
        authorization = call.values(b"authorization") if uses_secrets else ()
        request = parse_token_request(await read_body(call), authorization)
        peer = peer_of(call.scope)
        check_claim(claims_certificate=peer.claims_certificate)
        response = await self.desk.grant(
            request, peer_certificate=peer.certificate, request_id=call.request_id
        )
        return answer(200, msgspec.json.encode(response), request_id=call.request_id)


def _request(call: Call, body: bytes) -> UnverifiedRequest:
    peer = peer_of(call.scope)
    return UnverifiedRequest(
        request_id=call.request_id,
        message=call.message(body),
        peer_certificate=peer.certificate,
        claims_certificate=peer.claims_certificate,
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
