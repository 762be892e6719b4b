"""Certificates that were judged, and the verdicts remembered until they must be judged anew."""

from collections import OrderedDict
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime

from cryptography.x509 import SignatureAlgorithmOID

from enrol.eidas.certificate import Certificate, parse_certificate
from enrol.eidas.validate import (
    CertificateRules,
    CertificateUse,
    QualifiedCertificate,
    assess,
    conclude,
)
from enrol.errors import (
    CertificateError,
    ClientMetadataError,
    Finding,
    UnreadableCertificateError,
)
from enrol.registration.dialect import CertificateForms
from enrol.registration.ports import RevocationSource, TrustSource

_MOST_VERDICTS = 10_000


class CertificateJudge:
    """Judges certificates against the trust at hand; raises what `eidas.validate` raises.

    Good verdicts are kept until their `recheck_at`, or until the trust changes; refusals are
    never kept; of verdicts at most `remembered`. Revocations are asked for only where everything
    else holds.
    """

    def __init__(
        self,
        trust: TrustSource,
        revocations: RevocationSource,
        rules: CertificateRules,
        *,
        remembered: int = _MOST_VERDICTS,
    ) -> None:
        self._trust = trust
        self._revocations = revocations
        self._rules = rules
        self._remembered = remembered
        self._verdicts: OrderedDict[tuple[bytes, bool], QualifiedCertificate] = OrderedDict()
        """By DER, and whether as a QWAC: the hash of an enum's member is slow."""
        self._anchors: object = None
        self._basis: object = None

    async def qwac(self, der: bytes | None, *, at: datetime) -> QualifiedCertificate:
        """Return the certificate of a connection as a QWAC, None being a connection without one."""
        if der is None:
            self._trust.anchors()  # without any trust nobody was asked for a certificate
            raise CertificateError(
                "client_certificate_missing", certificate=CertificateUse.QWAC.value
            )
        return await self._judge(der, use=CertificateUse.QWAC, at=at)

    async def qsealc(
        self, der: bytes, *, at: datetime, intermediates: tuple[bytes, ...] = ()
    ) -> QualifiedCertificate:
        """Return a certificate that was named as a QSealC.

        One that cannot be read is a fault of the metadata it came with: `ClientMetadataError`.
        """
        try:
            return await self._judge(
                der, use=CertificateUse.QSEALC, at=at, intermediates=intermediates
            )
        except UnreadableCertificateError as exc:
            raise ClientMetadataError(Finding(exc.code, "jwks")) from exc

    async def _judge(
        self,
        der: bytes,
        *,
        use: CertificateUse,
        at: datetime,
        intermediates: tuple[bytes, ...] = (),
    ) -> QualifiedCertificate:
        anchors, revocations = self._trust.anchors(), self._revocations.basis()
        if anchors is not self._anchors or revocations is not self._basis:
            self._verdicts.clear()
            self._anchors, self._basis = anchors, revocations
        key = (der, use is CertificateUse.QWAC)
        verdict = self._verdicts.get(key)
        if verdict is not None and at < verdict.recheck_at:
            return verdict
        with _naming(use):
            assessed = assess(
                parse_certificate(der),
                use=use,
                at=at,
                trust=anchors,
                intermediates=intermediates,
                rules=self._rules,
            )
            evidence = await self._revocations.evidence_for(assessed, at=at)
            verdict = conclude(assessed, at=at, revocation=evidence, rules=self._rules)
        if anchors is self._anchors and revocations is self._basis:
            self._keep(key, verdict)
        return verdict

    def _keep(self, key: tuple[bytes, bool], verdict: QualifiedCertificate) -> None:
        self._verdicts[key] = verdict
        if len(self._verdicts) > self._remembered:
            self._verdicts.popitem(last=False)


@contextmanager
def _naming(use: CertificateUse) -> Iterator[None]:
    """Say in a refusal which of the two certificates it is about."""
    try:
        yield
    except CertificateError as exc:
        raise type(exc)(exc.code, certificate=use.value) from exc


def check_form(certificate: Certificate, forms: CertificateForms, *, use: CertificateUse) -> None:
    """Refuse a certificate that its issuer signed with RSASSA-PSS, where a bank takes none."""
    if forms.rsassa_pss == "taken":
        return
    if certificate.loaded.signature_algorithm_oid == SignatureAlgorithmOID.RSASSA_PSS:
        raise CertificateError("cert_rsassa_pss", certificate=use.value)
