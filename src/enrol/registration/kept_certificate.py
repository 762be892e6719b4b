"""Certificates that are kept as evidence, checked again as of the time of an event."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from functools import lru_cache
from typing import Final, TypeVar

import msgspec
from cryptography import x509
from cryptography.exceptions import InvalidSignature, UnsupportedAlgorithm

from enrol.eidas.certificate import Certificate, parse_certificate
from enrol.eidas.crl import parse_revocation_lists
from enrol.eidas.ocsp import parse_ocsp_response
from enrol.eidas.revocation import (
    REVOCATION_UNCHECKED,
    GroundKind,
    RevocationEvidence,
    judge_revocation,
)
from enrol.eidas.rules import CertificateRules
from enrol.errors import CertificateError, UnavailableError
from enrol.registration.kept import KeptVerdict
from enrol.registration.review import FaultKind

T = TypeVar("T")

_REMEMBERED: Final = 4096
_TOLERANCE: Final = CertificateRules().clock_tolerance
_decode_verdict: Final = msgspec.json.Decoder(KeptVerdict).decode


class Refuted(Exception):  # noqa: N818 - a finding on its way to the report
    """What is kept does not show what is on record; `detail` is a rule id or a digest."""

    def __init__(self, kind: FaultKind, detail: str | None = None) -> None:
        super().__init__(kind)
        self.kind = kind
        self.detail = detail


@dataclass(frozen=True, slots=True, eq=False)
class _Kept:
    """A certificate, the links from it up to an anchor, and what issuers said of revocation.

    `is_complete` is false where an answer is kept as a digest only, or there never was one.
    """

    verdict: KeptVerdict
    certificate: Certificate
    links: tuple[tuple[Certificate, x509.Certificate], ...]
    answers: RevocationEvidence
    is_complete: bool


class CertificateRecheck:
    """Checks the certificates of one trail; `blob` returns what is kept under a digest.

    Each is read once; what was said of revocation is judged once for the time it holds.
    """

    def __init__(self, blob: Callable[[str], bytes]) -> None:
        self._blob = blob
        self._read = lru_cache(maxsize=_REMEMBERED)(self._read_kept)
        self._good: dict[str, tuple[datetime, datetime]] = {}

    def __call__(self, digest: str, organization: str | None, at: datetime) -> Certificate:
        """Return the certificate of the verdict under a digest.

        1. every CA kept issued the certificate before it;
        2. it names the organisation, as the verdict does;
        3. it was valid at `at`, give or take the tolerance for clocks;
        4. its issuers said then that it was not revoked.

        Raises `Refuted`.
        """
        kept = self._read(digest)  # (1)
        certificate, named = kept.certificate, kept.verdict.organization_identifier
        if organization != named or named not in certificate.organization_identifiers:  # (2)
            raise Refuted(FaultKind.CERTIFICATE_OF_ANOTHER, kept.verdict.certificate)
        earliest, latest = certificate.not_before - _TOLERANCE, certificate.not_after + _TOLERANCE
        if not earliest <= at <= latest:  # (3)
            raise Refuted(FaultKind.CERTIFICATE_NOT_VALID, kept.verdict.certificate)
        since, until = self._good.get(digest, (latest, earliest))
        if kept.is_complete and not since <= at <= until:  # (4)
            self._remember(digest, at, _good_until(kept, at))
        return certificate

    def _remember(self, digest: str, since: datetime, until: datetime) -> None:
        if len(self._good) >= _REMEMBERED:
            self._good.clear()
        self._good[digest] = since, until

    def _read_kept(self, digest: str) -> _Kept:
        verdict = decoded(_decode_verdict, self._blob(digest))
        certificate = self._certificate(verdict.certificate)
        issuers = tuple(map(self._issuer, verdict.issuers))
        subjects = (certificate, *map(self._certificate, verdict.issuers[:-1]))
        links = tuple(zip(subjects, issuers, strict=bool(issuers)))
        for subject, issuer in links:
            try:
                subject.loaded.verify_directly_issued_by(issuer)
            except (InvalidSignature, UnsupportedAlgorithm, ValueError, TypeError) as exc:
                raise Refuted(FaultKind.ISSUER_REFUTED, subject.sha256.hex()) from exc
        is_checked = REVOCATION_UNCHECKED not in verdict.deviations
        is_complete = is_checked and all(answer.is_kept for answer in verdict.revocation)
        return _Kept(verdict, certificate, links, self._answers(verdict), is_complete)

    def _answers(self, verdict: KeptVerdict) -> RevocationEvidence:
        kept = [answer for answer in verdict.revocation if answer.is_kept]
        ocsp = [self._blob(each.sha256) for each in kept if each.kind is GroundKind.OCSP]
        lists = [self._blob(each.sha256) for each in kept if each.kind is GroundKind.CRL]
        try:
            return RevocationEvidence(
                tuple(map(parse_ocsp_response, ocsp)), parse_revocation_lists(lists)
            )
        except UnavailableError as exc:
            raise Refuted(FaultKind.REVOCATION_REFUTED, verdict.certificate) from exc

    def _certificate(self, digest: str) -> Certificate:
        try:
            return parse_certificate(self._blob(digest))
        except CertificateError as exc:
            raise Refuted(FaultKind.CERTIFICATE_UNREADABLE, digest) from exc

    def _issuer(self, digest: str) -> x509.Certificate:
        """Return the certificate of a CA, whose key may be of a kind that a PSP's may not."""
        try:
            return x509.load_der_x509_certificate(self._blob(digest))
        except (ValueError, UnsupportedAlgorithm) as exc:
            raise Refuted(FaultKind.CERTIFICATE_UNREADABLE, digest) from exc


def decoded(decode: Callable[[bytes | str], T], content: bytes | str) -> T:
    """Return JSON that was written as evidence; raises `Refuted`."""
    try:
        return decode(content)
    except (msgspec.DecodeError, RecursionError) as exc:
        raise Refuted(FaultKind.EVIDENCE_UNREADABLE) from exc


def _good_until(kept: _Kept, at: datetime) -> datetime:
    """Return until when the answers kept say that no certificate below the anchor is revoked."""
    untils = [at]
    for subject, issuer in kept.links:
        try:
            status = judge_revocation(subject, issuer, kept.answers, at=at, tolerance=_TOLERANCE)
        except CertificateError as exc:
            raise Refuted(FaultKind.REVOCATION_REFUTED, subject.sha256.hex()) from exc
        if status.until is None:
            raise Refuted(FaultKind.REVOCATION_REFUTED, subject.sha256.hex())
        untils.append(status.until)
    return min(untils[1:], default=at)
