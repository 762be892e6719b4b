"""``/certificate-check``: a TPP asks what a bank thinks of its certificates; nothing is registered.

The connection shows the QWAC; no token and no signature is needed, since nothing is given away
that the peer did not bring.
"""

from dataclasses import dataclass
from hashlib import sha256

import msgspec

from enrol.eidas.examination import Status
from enrol.eidas.pem import decode_base64, split_pem
from enrol.errors import CertificateError, ClientMetadataError, Finding
from enrol.oauth.strict_json import parse_json_object
from enrol.registration.ports import Clock
from enrol.registration.preflight import PreflightDesk
from enrol.registration.ratelimit import RateLimiter
from enrol.registration.request import check_claim
from enrol.server.answer import Answer, answer
from enrol.server.call import Call, check_accept, check_content, read_body
from enrol.server.peer import counted_as, peer_of

_JSON = b"application/json"


class CertificateCheck(msgspec.Struct, frozen=True):
    """What may be sent beside the QWAC of the connection: a QSealC.

    `certificate` is base64 of its DER, or PEM, in which the CAs above it may follow.
    """

    certificate: str | None = None


@dataclass(frozen=True, slots=True)
class PreflightRoute:
    """Examines the certificates of a caller.

    `requests` counts calls by certificate. `failures` counts those with a QWAC that fails, like
    refused authentications: the answer to them is a 200, their number is bounded all the same.
    """

    desk: PreflightDesk
    clock: Clock
    requests: RateLimiter
    failures: RateLimiter

    async def post(self, call: Call) -> Answer:
        """Answer 200 with what became of every check."""
        check_accept(call)
        at, peer = self.clock(), peer_of(call.scope)
        check_claim(claims_certificate=peer.claims_certificate)
        if peer.certificate is not None:
            await self.requests.take(sha256(peer.certificate).digest(), at)
        report = await self.desk.examine_connection(peer.certificate, await _qsealc(call), at=at)
        key = counted_as(call.scope)
        if report.certificates[0].status is Status.FAILED and key is not None:
            await self.failures.take(key, at)
        return answer(200, msgspec.json.encode(report), request_id=call.request_id)


async def _qsealc(call: Call) -> tuple[bytes, ...]:
    """Return the DER of the certificate in the body, and of the CAs after it; () without."""
    if not call.values(b"transfer-encoding") and call.values(b"content-length") in ((), (b"0",)):
        return ()
    check_content(call, media_type=_JSON, code="content_type_not_json")
    text = parse_json_object(await read_body(call)).get("certificate")
    if text is None:
        return ()
    if not isinstance(text, str):
        raise ClientMetadataError(Finding("member_wrong_type", "certificate"))
    return _ders(text.encode())


def _ders(text: bytes) -> tuple[bytes, ...]:
    """Return the octets of PEM or base64; what is neither is nothing, which no parser takes."""
    try:
        return split_pem(text) or (decode_base64(text),)
    except CertificateError:
        return (b"",)
