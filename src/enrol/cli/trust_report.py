"""What ``enrol trust`` says of a snapshot, as facts and as lines."""

from collections.abc import Iterable, Iterator
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime
from functools import partial
from pathlib import Path

from cryptography import x509
from rich.table import Table
from rich.text import Text

from enrol.eidas.certificate import Certificate, parse_pem_certificate
from enrol.eidas.loading import issuer_of, subject_of, without_warnings
from enrol.eidas.trustlist import GRANTED, ListedUse, Service, TrustedList, TrustSnapshot
from enrol.errors import CertificateError, ConfigurationError


@dataclass(frozen=True, slots=True)
class Difference:
    """One thing that changed in a territory."""

    territory: str
    what: str


@dataclass(frozen=True, slots=True)
class FoundService:
    """A listed service, its state now and, for a certificate, when that was issued."""

    territory: str
    service: Service
    now: str
    at_issue: str | None = None

    def facts(self) -> dict[str, object]:
        """Return the service as JSON shows it."""
        return {
            "territory": self.territory,
            "provider": self.service.provider,
            "service": self.service.name,
            "now": self.now,
            "at_issue": self.at_issue,
            "certificates": len(self.service.certificates),
        }

    def text(self) -> str:
        """Return the service as a line."""
        issued = "" if self.at_issue is None else f"; when issued: {self.at_issue}"
        named = f"{self.territory}  {self.service.provider}: {self.service.name}"
        return f"{named}\n    now: {self.now}{issued}"


def overview(snapshot: TrustSnapshot, *, at: datetime) -> dict[str, object]:
    """Return what a snapshot holds, territory by territory; times are ISO 8601, UTC."""
    return {
        "made_at": snapshot.made_at.isoformat(),
        "lotl": _head(snapshot.lotl.sequence_number, snapshot.lotl.next_update, at),
        "lists": [_list_facts(one, at) for one in _sorted(snapshot)],
        "missing": [
            {"territory": one.territory, "location": one.location, "trouble": one.trouble}
            for one in snapshot.missing
        ],
    }


def overview_line(snapshot: TrustSnapshot, *, at: datetime) -> str:
    """Return the list of the lists as a line for people."""
    ended = ", ENDED" if _has_ended(snapshot.lotl.next_update, at) else ""
    return (
        f"list of the lists {snapshot.lotl.sequence_number}, refreshed"
        f" {snapshot.made_at:%Y-%m-%d %H:%M} UTC,"
        f" next update {_day(snapshot.lotl.next_update)}{ended}"
    )


def overview_table(snapshot: TrustSnapshot, *, at: datetime) -> Table:
    """Return the lists as a table for people."""
    table = Table(box=None, padding=(0, 2, 0, 0))
    for heading in ("", "list", "age", "next update", "QWAC", "QSealC", "remarks"):
        table.add_column(heading, justify="right" if heading in {"list", "age"} else "left")
    for one in _sorted(snapshot):
        head = one.head
        remarks = [f"{len(one.errors)} not read"] if one.errors else []
        remarks += ["ENDED"] if _has_ended(head.next_update, at) else []
        remarks += [one.trouble] if one.trouble else []
        table.add_row(
            head.territory,
            str(head.sequence_number),
            f"{(at - head.issued).days} d",
            _day(head.next_update),
            str(_count(one, ListedUse.WEB, at)),
            str(_count(one, ListedUse.ESEAL, at)),
            Text("; ".join(remarks)),
        )
    for missing in snapshot.missing:
        table.add_row(missing.territory, "-", "-", "-", "-", "-", Text(missing.trouble))
    return table


def differences(old: TrustSnapshot, new: TrustSnapshot) -> list[Difference]:
    """Return what changed from one snapshot to a later one."""
    found = []
    if old.lotl.sequence_number != new.lotl.sequence_number:
        found.append(_renewed("EU", old.lotl.sequence_number, new.lotl.sequence_number))
    for territory in sorted({one.head.territory for one in (*old.lists, *new.lists)}):
        before, after = old.list_of(territory), new.list_of(territory)
        if before is None or after is None:
            found.append(Difference(territory, "list come" if before is None else "list gone"))
        elif before.head.sequence_number != after.head.sequence_number:
            numbers = before.head.sequence_number, after.head.sequence_number
            found.append(_renewed(territory, *numbers))
        found += _service_differences(territory, before, after)
    return found


def found_services(snapshot: TrustSnapshot, wanted: str, *, at: datetime) -> list[FoundService]:
    """Return the services of a name, or those whose CA issued the certificate in a file.

    Raises ConfigurationError where the file is no certificate.
    """
    if not Path(wanted).is_file():
        return [
            FoundService(territory, service, _state(service, at))
            for territory, service in _services(snapshot)
            if wanted.casefold() in f"{service.provider} {service.name}".casefold()
        ]
    try:
        certificate = parse_pem_certificate(Path(wanted).read_bytes())
    except CertificateError as exc:
        raise ConfigurationError(
            exc.code, f"{wanted} is not one PEM certificate that can be read ({exc.code})."
        ) from exc
    return [
        FoundService(
            territory, service, _state(service, at), _state(service, certificate.not_before)
        )
        for territory, service in _services(snapshot)
        if _is_related(service, certificate)
    ]


def _is_related(service: Service, certificate: Certificate) -> bool:
    """Say whether a CA of the service issued the certificate, or has its name and key."""
    for der in service.certificates:
        with suppress(Exception):  # of cryptography: then it did not
            authority = without_warnings(partial(x509.load_der_x509_certificate, der))
            if authority.public_key() == certificate.public_key:
                return True
            if subject_of(authority) == issuer_of(certificate.loaded):
                certificate.loaded.verify_directly_issued_by(authority)
                return True
    return False


def _services(snapshot: TrustSnapshot) -> Iterator[tuple[str, Service]]:
    for one in _sorted(snapshot):
        yield from ((one.head.territory, service) for service in one.services)


def _service_differences(
    territory: str, before: TrustedList | None, after: TrustedList | None
) -> Iterable[Difference]:
    then = {(one.provider, one.name): one for one in (before.services if before else ())}
    now = {(one.provider, one.name): one for one in (after.services if after else ())}
    for key in sorted(then.keys() | now.keys()):
        title = ": ".join(key)
        if key not in then:
            yield Difference(territory, f"new service {title} ({_latest(now[key])})")
        elif key not in now:
            yield Difference(territory, f"service gone {title} ({_latest(then[key])})")
        elif _latest(then[key]) != _latest(now[key]):
            change = f"{_latest(then[key])} -> {_latest(now[key])}"
            yield Difference(territory, f"service {title}: {change}")
        elif then[key] != now[key]:
            yield Difference(territory, f"service {title}: details changed")


def _renewed(territory: str, old: int, new: int) -> Difference:
    return Difference(territory, f"list {old} -> {new}")


def _latest(service: Service) -> str:
    return service.periods[0].status


def _state(service: Service, at: datetime) -> str:
    period = service.at(at)
    if period is None:
        return "not listed yet"
    uses = ", ".join(use.value for use in period.uses) or "no use named"
    return f"{period.status} since {period.start:%Y-%m-%d} for {uses}"


def _count(one: TrustedList, use: ListedUse, at: datetime) -> int:
    periods = (service.at(at) for service in one.services)
    return sum(
        period is not None and period.status == GRANTED and use in period.uses for period in periods
    )


def _list_facts(one: TrustedList, at: datetime) -> dict[str, object]:
    head = one.head
    return {
        "territory": head.territory,
        **_head(head.sequence_number, head.next_update, at),
        "issued": head.issued.isoformat(),
        "operator": head.operator,
        "sha256": head.sha256.hex(),
        "qwac_services": _count(one, ListedUse.WEB, at),
        "qsealc_services": _count(one, ListedUse.ESEAL, at),
        "services": len(one.services),
        "errors": list(one.errors),
        "trouble": one.trouble,
    }


def _head(number: int, next_update: datetime | None, at: datetime) -> dict[str, object]:
    return {
        "sequence_number": number,
        "next_update": None if next_update is None else next_update.isoformat(),
        "ended": _has_ended(next_update, at),
    }


def _has_ended(next_update: datetime | None, at: datetime) -> bool:
    return next_update is None or at > next_update


def _day(moment: datetime | None) -> str:
    return "closed" if moment is None else f"{moment:%Y-%m-%d}"


def _sorted(snapshot: TrustSnapshot) -> list[TrustedList]:
    return sorted(snapshot.lists, key=lambda one: one.head.territory)
