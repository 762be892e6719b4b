"""Certificates that say where their issuer answers, and what is made of the answers."""

from datetime import timedelta

from cryptography import x509
from cryptography.x509.oid import AuthorityInformationAccessOID

from eidas.minting import AT, DAY, mint
from enrol.eidas.certificate import parse_certificate
from enrol.eidas.revocation import RevocationEvidence
from enrol.eidas.validate import CertificateRules, CertificateUse, assess, conclude
from enrol.errors import RefusalError

SITE = "http://qtsp.test"
SECOND, HOUR = timedelta(seconds=1), timedelta(hours=1)
SERIAL = 4711
FOR_HOURS = {"next_update": AT + 5 * HOUR}


class Local:
    """A source at hand that holds these lists."""

    def __init__(self, *lists: bytes) -> None:
        self.evidence = RevocationEvidence.of_lists(lists)

    def basis(self) -> object:
        return self.evidence

    async def evidence_for(self, _assessed, *, at) -> RevocationEvidence:
        return self.evidence


def access(*urls: str):
    return x509.AuthorityInformationAccess(
        [
            x509.AccessDescription(
                AuthorityInformationAccessOID.OCSP, x509.UniformResourceIdentifier(url)
            )
            for url in urls
        ]
    ), False


def points(*urls: str):
    names = [x509.UniformResourceIdentifier(url) for url in urls]
    return x509.CRLDistributionPoints([x509.DistributionPoint(names, None, None, None)]), False


def leaf_of(authority, *, ocsp=(f"{SITE}/ocsp",), crl=(f"{SITE}/ca.crl",), **changes) -> bytes:
    extra = [access(*ocsp)] if ocsp else []
    extra += [points(*crl)] if crl else []
    return mint(authority, **({"serial_number": SERIAL} | changes), extra=extra)


def assessed(authority, der: bytes, *, intermediates=()):
    return assess(
        parse_certificate(der),
        use=CertificateUse.QWAC,
        at=AT,
        trust=authority.anchors,
        intermediates=intermediates,
    )


async def outcome(source, authority, der: bytes, *, at=AT, rules=None, intermediates=()):
    """Return the code of a refusal, or until when the verdict holds."""
    certificate = assessed(authority, der, intermediates=intermediates)
    evidence = await source.evidence_for(certificate, at=at)
    rules = rules or CertificateRules(verdict_lifetime=30 * DAY)
    try:
        return conclude(certificate, at=at, revocation=evidence, rules=rules).recheck_at
    except RefusalError as exc:
        return exc.code
