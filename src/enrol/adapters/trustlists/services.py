"""The services of a list whose signature was verified (TS 119 612 §5.4, §5.5).

Reading is tolerant service by service: one that cannot be read is left out and named. A period
that is not understood in full is kept, and is not granted.
"""

from collections.abc import Iterable, Iterator
from typing import Final

from cryptography import x509

from enrol.adapters.trustlists.document import (
    Document,
    Element,
    certificates_of,
    moment,
    name_of,
    text_of,
)
from enrol.adapters.trustlists.errors import ListRefusedError
from enrol.adapters.trustlists.qualifications import qualifications_of
from enrol.eidas.loading import subject_of, without_warnings
from enrol.eidas.trustlist import GRANTED, ListedUse, Period, Qualification, Service

CA_QC: Final = "http://uri.etsi.org/TrstSvc/Svctype/CA/QC"
_GRANTED: Final = "http://uri.etsi.org/TrstSvc/TrustedList/Svcstatus/granted"
_NOT_UNDERSTOOD: Final = "not understood"
_SERVICE_INFORMATION: Final = "http://uri.etsi.org/TrstSvc/TrustedList/SvcInfoExt/"
_USES: Final = {
    f"{_SERVICE_INFORMATION}ForWebSiteAuthentication": ListedUse.WEB,
    f"{_SERVICE_INFORMATION}ForeSeals": ListedUse.ESEAL,
    f"{_SERVICE_INFORMATION}ForeSignatures": ListedUse.ESIGN,
}
_WITHOUT_EFFECT: Final = frozenset({"ExpiredCertsRevocationInfo", "TakenOverBy"})


def read_services(document: Document) -> tuple[tuple[Service, ...], tuple[str, ...]]:
    """Return the services of type CA/QC, and in words what could not be read of them."""
    services: list[Service] = []
    errors: list[str] = []
    for provider in document.root.iterfind("{*}TrustServiceProviderList/{*}TrustServiceProvider"):
        title = name_of(provider.find("{*}TSPInformation/{*}TSPName"))
        for element in provider.iterfind("{*}TSPServices/{*}TSPService"):
            information = element.find("{*}ServiceInformation")
            if information is None or text_of(information, "ServiceTypeIdentifier") != CA_QC:
                continue
            name = name_of(information.find("{*}ServiceName"))
            found: list[str] = []
            try:
                service = _service(element, information, provider=title, name=name, errors=found)
            except ListRefusedError as exc:
                found.append(exc.detail)
            else:
                services.append(service)
            errors += [f"{title}: {name}: {text}" for text in found]
    return tuple(services), tuple(errors)


def _service(
    element: Element, information: Element, *, provider: str, name: str, errors: list[str]
) -> Service:
    identity = information.find("{*}ServiceDigitalIdentity")
    ders = () if identity is None else tuple(certificates_of(identity))
    usable = tuple(der for der in dict.fromkeys(ders) if _is_loadable(der, errors))
    if not usable:
        raise ListRefusedError("service_without_certificate", "it has no certificate to be used")
    now = _period(information, errors)
    former = element.iterfind("{*}ServiceHistory/{*}ServiceHistoryInstance")
    return Service(
        provider=provider, name=name, certificates=usable, periods=_periods(now, former, errors)
    )


def _periods(now: Period, former: Iterable[Element], errors: list[str]) -> tuple[Period, ...]:
    """Return all periods, the newest first; without a history where a part of it has no time.

    A gap there would lengthen the period before it, which may have been a granted one.
    """
    try:
        before = [_period(each, errors) for each in former]
    except ListRefusedError as exc:
        errors.append(f"its history is not believed: {exc.detail}")
        return (now,)
    return tuple(sorted((now, *before), key=lambda period: period.start, reverse=True))


def _period(element: Element, errors: list[str]) -> Period:
    start = moment(text_of(element, "StatusStartingTime"))
    uri = text_of(element, "ServiceStatus")
    status = GRANTED if uri == _GRANTED else uri.rstrip("/").rpartition("/")[2] or "unknown"
    if status == GRANTED and uri != _GRANTED:
        status = _NOT_UNDERSTOOD
    if text_of(element, "ServiceTypeIdentifier") != CA_QC:
        return Period(start=start, status="of another type")
    uses: list[ListedUse] = []
    qualifications: list[Qualification] = []
    for extension in element.iterfind("{*}ServiceInformationExtensions/{*}Extension"):
        is_critical = extension.get("Critical", "").strip() in {"true", "1"}
        for content in extension:
            match _local_name(content):
                case "AdditionalServiceInformation":
                    uses += _uses(content)
                case "Qualifications":
                    qualifications += qualifications_of(content)
                case known if known in _WITHOUT_EFFECT:
                    continue
                case unknown if is_critical:
                    errors.append(f"critical extension {unknown} is not understood")
                    status = _NOT_UNDERSTOOD
    return Period(
        start=start,
        status=status,
        uses=tuple(sorted(set(uses))),
        qualifications=tuple(qualifications),
    )


def _uses(information: Element) -> Iterator[ListedUse]:
    use = _USES.get(text_of(information, "URI"))
    if use is not None:
        yield use


def _local_name(element: Element) -> str:
    return str(element.tag).rpartition("}")[2]


def _is_loadable(der: bytes, errors: list[str]) -> bool:
    """Say whether a certificate can be an anchor; cryptography decodes late."""
    try:
        without_warnings(lambda: _load(der))
    except Exception as exc:  # whatever a certificate in a list does
        errors.append(f"a certificate of it cannot be read: {type(exc).__name__}")
        return False
    return True


def _load(der: bytes) -> None:
    certificate = x509.load_der_x509_certificate(der)
    _ = certificate.extensions, certificate.not_valid_after_utc, subject_of(certificate)
    certificate.public_key()
