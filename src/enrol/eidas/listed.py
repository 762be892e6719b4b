"""What the trusted lists say of a certificate: qualified now and when issued, for this use.

TS 119 615 §4.4 on the facts of TS 119 612. Where a list says something that is not understood,
what it may take away is taken away, and what it may give is not given.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import Enum, auto
from typing import Final

from enrol.eidas.certificate import Certificate
from enrol.eidas.loading import without_warnings
from enrol.eidas.rules import CertificateUse
from enrol.eidas.trustlist import GRANTED, Criteria, KeyUsageCriterion, ListedUse, Period, Service
from enrol.errors import CertificateError, UnavailableError

_USES: Final = {CertificateUse.QWAC: ListedUse.WEB, CertificateUse.QSEALC: ListedUse.ESEAL}
_USE_OF_QUALIFIER: Final = {
    "QCForWSA": ListedUse.WEB,
    "QCForESeal": ListedUse.ESEAL,
    "QCForESig": ListedUse.ESIGN,
}
_WITHOUT_EFFECT: Final = frozenset(
    {
        *("QCWithSSCD", "QCNoSSCD", "QCSSCDStatusAsInCert", "QCWithQSCD", "QCNoQSCD"),
        *("QCQSCDStatusAsInCert", "QCQSCDManagedOnBehalf"),  # on seal devices: not asked for
        "QCForLegalPerson",
        "QCStatement",  # the certificate must say so itself
    }
)
_KNOWN_KEY_USAGES: Final = frozenset(
    {
        *("digital_signature", "non_repudiation", "key_encipherment", "data_encipherment"),
        *("key_agreement", "key_cert_sign", "crl_sign"),
    }
)


@dataclass(frozen=True, slots=True)
class ListedService:
    """A service and until when its list is believed (aware UTC), a grace included.

    `is_closed` says that the list is one that will never be issued again.
    """

    service: Service
    territory: str
    believed_until: datetime
    is_closed: bool = False


class _Finding(Enum):
    QUALIFIED = auto()
    OTHER_USE = auto()
    NOT_QUALIFIED = auto()


def check_listed(
    certificate: Certificate,
    services: Sequence[ListedService],
    *,
    use: CertificateUse,
    at: datetime,
) -> datetime:
    """Judge a certificate by the services of the CA it comes from; return until when it holds.

    1. There are some, else ``cert_issuer_not_listed``, and the list of one of them is current,
       else UnavailableError ``trust_list_unavailable``.
    2. Granted, and the certificate qualified, now and when it was issued: CertificateError
       ``cert_not_qualified_at_now``, ``cert_not_qualified_at_issue``.
    3. For this use, at both moments: ``service_not_for_web``, ``service_not_for_eseal``.
    """
    # (1) Current.
    if not services:
        raise CertificateError("cert_issuer_not_listed")
    current = [one for one in services if at <= one.believed_until]
    if not current:
        raise UnavailableError("trust_list_unavailable")
    # (2) Qualified, and (3) for this use.
    now = [period for one in current if not one.is_closed for period in _period(one, at)]
    _check(certificate, now, use=use, refusal=CertificateError("cert_not_qualified_at_now"))
    then = [period for one in current for period in _period(one, certificate.not_before)]
    _check(certificate, then, use=use, refusal=CertificateError("cert_not_qualified_at_issue"))
    return min(_ends(current, at=at))


def _ends(services: Iterable[ListedService], *, at: datetime) -> Iterable[datetime]:
    """Yield the moments at which a list may say something else."""
    for one in services:
        yield one.believed_until
        yield from (period.start for period in one.service.periods if period.start > at)


def _period(one: ListedService, moment: datetime) -> tuple[Period, ...]:
    period = one.service.at(moment)
    return () if period is None or period.status != GRANTED else (period,)


def _check(
    certificate: Certificate,
    granted: Sequence[Period],
    *,
    use: CertificateUse,
    refusal: CertificateError,
) -> None:
    """Raise `refusal` where no period makes the certificate qualified, or one denies it."""
    findings = {_find(certificate, period, _USES[use]) for period in granted}
    if not findings or _Finding.NOT_QUALIFIED in findings:
        raise refusal
    if _Finding.QUALIFIED in findings:
        return
    if use is CertificateUse.QWAC:
        raise CertificateError("service_not_for_web")
    raise CertificateError("service_not_for_eseal")


def _find(certificate: Certificate, period: Period, use: ListedUse) -> _Finding:
    """Say what a granted period makes of the certificate (TS 119 612 §5.5.9.2, §5.5.9.4)."""
    certain: set[str] = set()
    possible: set[str] = set()
    for qualification in period.qualifications:
        met = _are_met(qualification.criteria, certificate)
        certain |= set(qualification.qualifiers) if met else set()
        possible |= set(qualification.qualifiers) if met is not False else set()
    if possible - _WITHOUT_EFFECT - _USE_OF_QUALIFIER.keys():  # NotQualified, or never heard of
        return _Finding.NOT_QUALIFIED
    if any(use is not _USE_OF_QUALIFIER.get(each, use) for each in possible):
        return _Finding.OTHER_USE
    is_named = any(use is _USE_OF_QUALIFIER.get(each) for each in certain)
    if use in period.uses or (is_named and not period.uses):
        return _Finding.QUALIFIED
    return _Finding.OTHER_USE


def _are_met(criteria: Criteria, certificate: Certificate) -> bool | None:
    """Say whether the certificate meets the criteria, None where that cannot be said."""
    answers: list[bool | None] = [
        *(set(oids) <= set(certificate.policies) for oids in criteria.policies),
        *(_has_usages(each, certificate) for each in criteria.key_usages),
        *(
            set(oids) <= (certificate.extended_key_usage or set())
            for oids in criteria.extended_key_usages
        ),
        *(set(oids) <= _subject_oids(certificate) for oids in criteria.subject_attributes),
        *(_are_met(each, certificate) for each in criteria.nested),
    ]
    if not criteria.is_understood or not answers:
        answers.append(None)
    match criteria.combine:
        case "all":
            return _all(answers)
        case "atLeastOne":
            return _not(_all([_not(each) for each in answers]))
        case "none":
            return _all([_not(each) for each in answers])


def _all(answers: Iterable[bool | None]) -> bool | None:
    found = set(answers)
    if False in found:
        return False
    return None if None in found else True


def _not(answer: bool | None) -> bool | None:
    return None if answer is None else not answer


def _has_usages(criterion: KeyUsageCriterion, certificate: Certificate) -> bool | None:
    usages = certificate.key_usage or frozenset()
    if not _KNOWN_KEY_USAGES.issuperset((*criterion.present, *criterion.absent)):
        return None
    return usages.issuperset(criterion.present) and usages.isdisjoint(criterion.absent)


def _subject_oids(certificate: Certificate) -> set[str]:
    subject = without_warnings(lambda: certificate.loaded.subject)
    return {attribute.oid.dotted_string for attribute in subject}
