"""The evidence of one event judged again, with what is kept of it and nothing else."""

from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from functools import lru_cache
from typing import Final, TypeVar

import msgspec
from cryptography.exceptions import InvalidSignature, UnsupportedAlgorithm
from msgspec import UNSET

from enrol.eidas.certificate import Certificate, parse_certificate
from enrol.eidas.rules import CertificateRules
from enrol.errors import CertificateError, RefusalError
from enrol.httpsig.crypto import verification_key
from enrol.httpsig.digest import VerifiedDigest
from enrol.httpsig.message import HttpMessage
from enrol.httpsig.policy import SignaturePolicy
from enrol.httpsig.verify import parse_signature, verify_signature
from enrol.registration.chain import ChainedEvent
from enrol.registration.evidence import BODY, Evidence
from enrol.registration.kept import KeptPolicy, KeptVerdict
from enrol.registration.kept_request import read_request
from enrol.registration.review import Fault, FaultKind, Finding, Trail

T = TypeVar("T")

_REMEMBERED: Final = 4096
_TOLERANCE: Final = CertificateRules().clock_tolerance
_EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)
_decode_evidence: Final = msgspec.json.Decoder(Evidence).decode
_decode_verdict: Final = msgspec.json.Decoder(KeptVerdict).decode
_decode_policy: Final = msgspec.json.Decoder(KeptPolicy).decode


class _Refuted(Exception):  # noqa: N818 - it is a finding, and never leaves this module
    def __init__(self, kind: FaultKind, detail: str | None = None) -> None:
        super().__init__(kind)
        self.kind = kind
        self.detail = detail


class EvidenceJudge:
    """Judges events of one trail; certificates and policies are looked at once."""

    def __init__(self, trail: Trail) -> None:
        self._trail = trail
        self._verdict = lru_cache(maxsize=_REMEMBERED)(self._read_verdict)
        self._policy = lru_cache(maxsize=_REMEMBERED)(self._read_policy)

    def __call__(self, event: ChainedEvent) -> tuple[Finding, tuple[Fault, ...]]:
        """Return what was found of the evidence of an event, and the first thing wrong."""
        try:
            return self._judge(event), ()
        except _Refuted as refuted:
            return Finding.REFUTED, (Fault(refuted.kind, event.id, refuted.detail),)

    def _judge(self, event: ChainedEvent) -> Finding:
        """Judge an event again.

        1. its evidence can be read;
        2. each certificate was valid then, of the organisation, and issued by the CA kept;
        3. the request has the id of the event;
        4. its signature verifies as it did: same policy, same time, same certificate.
        """
        evidence = _evidence(event)  # (1)
        at = _EPOCH + timedelta(milliseconds=event.at)
        for verdict in (evidence.qwac_verdict, evidence.qsealc_verdict):  # (2)
            if verdict is not UNSET:
                _check_then(self._verdict(str(verdict)), event, at)
        if event.request is None:
            return Finding.UNSIGNED
        message = _message(event.request)
        if message.first.get(b"x-request-id", b"").decode("latin-1") not in ("", event.request_id):
            raise _Refuted(FaultKind.REQUEST_OF_ANOTHER)  # (3)
        if evidence.qsealc_verdict is UNSET:
            return Finding.UNSIGNED
        withheld = evidence.withheld or ()
        if set(withheld) - {BODY}:
            return Finding.WITHHELD
        self._check_signature(evidence, message, at)  # (4)
        return Finding.VERIFIED

    def _check_signature(self, evidence: Evidence, message: HttpMessage, at: datetime) -> None:
        certificate, _ = self._verdict(str(evidence.qsealc_verdict))
        policy = self._policy(str(evidence.signature_policy))
        is_digest_kept = bool(evidence.withheld)  # the body is not, and its digest is signed
        try:
            signature = verify_signature(
                message,
                parse_signature(message, policy=policy),
                verification_key(certificate.public_key),
                at=at,
                policy=policy,
                digest=VerifiedDigest(message, ()) if is_digest_kept else None,
            )
        except RefusalError as exc:
            raise _Refuted(FaultKind.SIGNATURE_REFUSED, exc.code) from exc
        found = str(signature.mode), tuple(map(str, signature.warnings))
        if found != (evidence.signature_mode, evidence.signature_warnings):
            raise _Refuted(FaultKind.SIGNATURE_OTHERWISE)

    def _read_policy(self, digest: str) -> SignaturePolicy:
        """Return a policy, a second wider, as times in the trail are cut to milliseconds."""
        policy = _decoded(_decode_policy, self._blob(digest)).policy
        return replace(policy, leeway=policy.leeway + 1, max_age=policy.max_age + 1)

    def _read_verdict(self, digest: str) -> tuple[Certificate, KeptVerdict]:
        """Return a certificate and the verdict on it, its issuers checked as far as kept."""
        verdict = _decoded(_decode_verdict, self._blob(digest))
        certificate = subject = self._certificate(verdict.certificate)
        for issuer_digest in verdict.issuers:
            issuer = self._certificate(issuer_digest)
            try:
                subject.loaded.verify_directly_issued_by(issuer.loaded)
            except (InvalidSignature, UnsupportedAlgorithm, ValueError, TypeError) as exc:
                raise _Refuted(FaultKind.ISSUER_REFUTED, verdict.certificate) from exc
            subject = issuer
        if verdict.issuers and verdict.issuers[0] != verdict.issuer:
            raise _Refuted(FaultKind.ISSUER_REFUTED, verdict.certificate)
        for answer in verdict.revocation:
            self._blob(answer.sha256)
        return certificate, verdict

    def _certificate(self, digest: str) -> Certificate:
        try:
            return parse_certificate(self._blob(digest))
        except CertificateError as exc:
            raise _Refuted(FaultKind.CERTIFICATE_UNREADABLE, digest) from exc

    def _blob(self, digest: str) -> bytes:
        try:
            content = self._trail.blob(bytes.fromhex(digest))
        except ValueError as exc:
            raise _Refuted(FaultKind.EVIDENCE_UNREADABLE) from exc
        if content is None:
            raise _Refuted(FaultKind.BLOB_MISSING, digest)
        return content


def _evidence(event: ChainedEvent) -> Evidence:
    if not event.is_typed:
        raise _Refuted(FaultKind.EVIDENCE_UNREADABLE)
    return _decoded(_decode_evidence, event.evidence)


def _decoded(decode: Callable[[bytes | str], T], content: bytes | str) -> T:
    try:
        return decode(content)
    except (msgspec.DecodeError, RecursionError) as exc:
        raise _Refuted(FaultKind.EVIDENCE_UNREADABLE) from exc


def _message(kept: bytes) -> HttpMessage:
    try:
        return read_request(kept)
    except ValueError as exc:
        raise _Refuted(FaultKind.REQUEST_UNREADABLE) from exc


def _check_then(judged: tuple[Certificate, KeptVerdict], event: ChainedEvent, at: datetime) -> None:
    """Check what is true of a certificate at the time of an event."""
    certificate, verdict = judged
    organization = event.organization_identifier
    if organization != verdict.organization_identifier or (
        organization not in certificate.organization_identifiers
    ):
        raise _Refuted(FaultKind.CERTIFICATE_OF_ANOTHER, verdict.certificate)
    if not certificate.not_before - _TOLERANCE <= at <= certificate.not_after + _TOLERANCE:
        raise _Refuted(FaultKind.CERTIFICATE_NOT_VALID, verdict.certificate)
