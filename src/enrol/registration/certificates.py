"""Certificates that were judged, and the verdicts remembered until they must be judged anew."""

from collections import OrderedDict
from datetime import datetime

from enrol.eidas.certificate import parse_certificate
from enrol.eidas.revocation import RevocationLists
from enrol.eidas.trust import TrustAnchors
from enrol.eidas.validate import (
    CertificateRules,
    CertificateUse,
    QualifiedCertificate,
    validate,
)
from enrol.errors import CertificateError, ClientMetadataError, Finding
from enrol.registration.ports import TrustSource

_MOST_VERDICTS = 10_000


class CertificateJudge:
    """Judges certificates against the trust at hand; raises what `eidas.validate` raises.

    Good verdicts are kept until their `recheck_at`, or until anchors or revocation lists change;
    refusals are never kept.
    """

    def __init__(self, trust: TrustSource, rules: CertificateRules) -> None:
        self._trust = trust
        self._rules = rules
        self._verdicts: OrderedDict[tuple[CertificateUse, bytes], QualifiedCertificate] = (
            OrderedDict()
        )
        self._basis: tuple[TrustAnchors, RevocationLists] | None = None

    def qwac(self, der: bytes | None, *, at: datetime) -> QualifiedCertificate:
        """Return the certificate of a connection as a QWAC, None being a connection without one."""
        if der is None:
            raise CertificateError("client_certificate_missing")
        return self._judge(der, use=CertificateUse.QWAC, at=at)

    def qsealc(
        self, der: bytes, *, at: datetime, intermediates: tuple[bytes, ...] = ()
    ) -> QualifiedCertificate:
        """Return a certificate that was named as a QSealC.

        One that cannot be read is a fault of the metadata it came with: `ClientMetadataError`.
        """
        try:
            return self._judge(der, use=CertificateUse.QSEALC, at=at, intermediates=intermediates)
        except CertificateError as exc:
            if exc.code == "cert_malformed":
                raise ClientMetadataError(Finding(exc.code, "jwks")) from exc
            raise

    def _judge(
        self,
        der: bytes,
        *,
        use: CertificateUse,
        at: datetime,
        intermediates: tuple[bytes, ...] = (),
    ) -> QualifiedCertificate:
        anchors, lists = self._current_basis()
        verdict = self._verdicts.get((use, der))
        if verdict is not None and at < verdict.recheck_at:
            return verdict
        verdict = validate(
            parse_certificate(der),
            use=use,
            at=at,
            trust=anchors,
            revocation=lists,
            intermediates=intermediates,
            rules=self._rules,
        )
        self._verdicts[use, der] = verdict
        if len(self._verdicts) > _MOST_VERDICTS:
            self._verdicts.popitem(last=False)
        return verdict

    def _current_basis(self) -> tuple[TrustAnchors, RevocationLists]:
        basis = (self._trust.anchors(), self._trust.revocation_lists())
        if self._basis is None or basis[0] is not self._basis[0] or basis[1] is not self._basis[1]:
            self._verdicts.clear()
            self._basis = basis
        return basis
