"""The entry points of issued tokens: introspection (RFC 7662), revocation (RFC 7009)."""

from dataclasses import dataclass

import msgspec

from enrol.errors import NotOfferedError
from enrol.oauth.introspection import parse_introspection, parse_revocation
from enrol.registration.issued_tokens import IssuedTokenDesk
from enrol.registration.request import check_claim
from enrol.server.answer import Answer, answer
from enrol.server.call import Call, check_accept, check_content, read_body
from enrol.server.peer import Peer, peer_of

_FORM = b"application/x-www-form-urlencoded"
_SCHEME = b"bearer "


@dataclass(frozen=True, slots=True)
class IssuedTokenRoutes:
    """``/introspect`` for the bank's gateways, ``/revoke`` for TPPs."""

    desk: IssuedTokenDesk

    async def introspect(self, call: Call) -> Answer:
        """Say whether a token is active: 200."""
        if not self.desk.is_asked:
            raise NotOfferedError("introspection_off")
        check_accept(call)
        check_content(call, media_type=_FORM, code="content_type_not_form")
        body = await read_body(call)
        await self.desk.check_gateway(_bearer(call), _peer(call).certificate)
        told = await self.desk.introspect(parse_introspection(body))
        return answer(200, msgspec.json.encode(told), request_id=call.request_id)

    async def revoke(self, call: Call) -> Answer:
        """End a token: 200, whether there was one or not."""
        check_accept(call)
        check_content(call, media_type=_FORM, code="content_type_not_form")
        token = parse_revocation(await read_body(call))
        await self.desk.revoke(
            token, peer_certificate=_peer(call).certificate, request_id=call.request_id
        )
        return answer(200, b"{}", request_id=call.request_id)


def _peer(call: Call) -> Peer:
    peer = peer_of(call.scope)
    check_claim(claims_certificate=peer.claims_certificate)
    return peer


def _bearer(call: Call) -> bytes | None:
    """Return the secret in the one Authorization field, None where there is none to be read."""
    values = call.values(b"authorization")
    if len(values) != 1 or values[0][: len(_SCHEME)].lower() != _SCHEME:
        return None
    return values[0][len(_SCHEME) :].strip(b" ")
