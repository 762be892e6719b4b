"""The evidence of one event judged again, with what is kept of it and nothing else."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from functools import lru_cache
from typing import Final

import msgspec
from msgspec import UNSET

from enrol.eidas.certificate import Certificate
from enrol.errors import RefusalError
from enrol.httpsig.crypto import VerificationKey, verification_key
from enrol.httpsig.digest import VerifiedDigest
from enrol.httpsig.message import HttpMessage
from enrol.httpsig.policy import SignaturePolicy
from enrol.httpsig.verify import parse_signature, verify_signature
from enrol.registration.chain import ChainedEvent
from enrol.registration.evidence import BODY, Evidence
from enrol.registration.kept import KeptPolicy
from enrol.registration.kept_certificate import CertificateRecheck, Refuted, decoded
from enrol.registration.kept_request import read_request
from enrol.registration.review import Fault, FaultKind, Finding, Trail

_REMEMBERED: Final = 4096
_EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)
_decode_evidence: Final = msgspec.json.Decoder(Evidence).decode
_decode_policy: Final = msgspec.json.Decoder(KeptPolicy).decode


class EvidenceJudge:
    """Judges events of one trail; certificates and policies are looked at once."""

    def __init__(self, trail: Trail) -> None:
        self._trail = trail
        self._recheck = CertificateRecheck(self._blob)
        self._policy = lru_cache(maxsize=_REMEMBERED)(self._read_policy)

    def __call__(self, event: ChainedEvent) -> tuple[Finding, tuple[Fault, ...]]:
        """Return what was found of the evidence of an event, and the first thing wrong."""
        try:
            return self._judge(event), ()
        except Refuted as refuted:
            return Finding.REFUTED, (Fault(refuted.kind, event.id, refuted.detail),)

    def _judge(self, event: ChainedEvent) -> Finding:
        """Judge an event again.

        1. its evidence can be read;
        2. the certificates were what the verdicts say, at the time of the event;
        3. the request has the id of the event;
        4. its signature verifies as it did: same policy, same time, same certificate.
        """
        evidence, at = _evidence(event)  # (1)
        organization = event.organization_identifier
        if isinstance(evidence.qwac_verdict, str):  # (2)
            self._recheck(evidence.qwac_verdict, organization, at)
        qsealc = None
        if isinstance(evidence.qsealc_verdict, str):
            qsealc = self._recheck(evidence.qsealc_verdict, organization, at)
        if event.request is None:
            return Finding.UNSIGNED
        message = _message(event.request)
        if message.first.get(b"x-request-id", b"").decode("latin-1") not in ("", event.request_id):
            raise Refuted(FaultKind.REQUEST_OF_ANOTHER)  # (3)
        if qsealc is None:
            return Finding.UNSIGNED
        if evidence.withheld is not UNSET and set(evidence.withheld) - {BODY}:
            return Finding.WITHHELD
        self._check_signature(evidence, message, qsealc, at)  # (4)
        return Finding.VERIFIED

    def _check_signature(
        self, evidence: Evidence, message: HttpMessage, qsealc: Certificate, at: datetime
    ) -> None:
        """Verify a signature; where the body is not kept, its digest is what was signed."""
        policy = self._policy(str(evidence.signature_policy))
        try:
            signature = verify_signature(
                message,
                parse_signature(message, policy=policy),
                _key(qsealc),
                at=at,
                policy=policy,
                digest=VerifiedDigest(message, ()) if evidence.withheld is not UNSET else None,
            )
        except RefusalError as exc:
            raise Refuted(FaultKind.SIGNATURE_REFUSED, exc.code) from exc
        found = str(signature.mode), tuple(map(str, signature.warnings))
        if found != (evidence.signature_mode, evidence.signature_warnings):
            raise Refuted(FaultKind.SIGNATURE_OTHERWISE)

    def _read_policy(self, digest: str) -> SignaturePolicy:
        """Return a policy, a second wider, as times in the trail are cut to milliseconds."""
        policy = decoded(_decode_policy, self._blob(digest)).policy
        return replace(policy, leeway=policy.leeway + 1, max_age=policy.max_age + 1)

    def _blob(self, digest: str) -> bytes:
        try:
            content = self._trail.blob(bytes.fromhex(digest))
        except ValueError as exc:
            raise Refuted(FaultKind.EVIDENCE_UNREADABLE) from exc
        if content is None:
            raise Refuted(FaultKind.BLOB_MISSING, digest)
        return content


@lru_cache(maxsize=_REMEMBERED)
def _key(certificate: Certificate) -> VerificationKey:
    return verification_key(certificate.public_key)


def _evidence(event: ChainedEvent) -> tuple[Evidence, datetime]:
    """Return the evidence of an event and its time, where its columns have the right types."""
    if not event.is_typed:
        raise Refuted(FaultKind.EVIDENCE_UNREADABLE)
    try:
        at = _EPOCH + timedelta(milliseconds=event.at)
    except OverflowError as exc:
        raise Refuted(FaultKind.EVIDENCE_UNREADABLE) from exc
    return decoded(_decode_evidence, event.evidence), at


def _message(kept: bytes) -> HttpMessage:
    try:
        return read_request(kept)
    except ValueError as exc:
        raise Refuted(FaultKind.REQUEST_UNREADABLE) from exc
