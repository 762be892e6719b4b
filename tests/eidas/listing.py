"""Trusted lists made for one test each, as facts."""

from datetime import datetime

from eidas.minting import AT, DAY, Authority
from enrol.eidas.trust import TrustAnchors
from enrol.eidas.trustlist import (
    GRANTED,
    Criteria,
    ListedUse,
    ListHead,
    MissingList,
    Period,
    Qualification,
    Service,
    TrustedList,
    TrustSnapshot,
)

BOTH = (ListedUse.ESEAL, ListedUse.WEB)


def head(territory: str = "FR", *, number: int = 1, next_update: datetime | None = AT + 30 * DAY):
    return ListHead(
        territory=territory,
        sequence_number=number,
        issued=AT - DAY,
        next_update=next_update,
        operator=f"Operator of {territory}",
        location=f"https://lists.example/{territory}.xml",
        sha256=bytes(32),
    )


def period(
    start: datetime = AT - 900 * DAY,
    status: str = GRANTED,
    uses=BOTH,
    qualifications: tuple[Qualification, ...] = (),
) -> Period:
    return Period(start=start, status=status, uses=tuple(uses), qualifications=qualifications)


def qualified(*qualifiers: str, criteria: Criteria) -> Qualification:
    return Qualification(qualifiers=qualifiers, criteria=criteria)


def service(*authorities: Authority, periods: tuple[Period, ...] = (period(),), name="CA"):
    ders = tuple(one.der for one in authorities)
    return Service(provider="Test QTSP", name=name, certificates=ders, periods=periods)


def snapshot(
    *services: Service,
    lotl: ListHead | None = None,
    territory: ListHead | None = None,
    missing: tuple[str, ...] = (),
) -> TrustSnapshot:
    return TrustSnapshot(
        made_at=AT,
        anchor=bytes(32),
        lotl=lotl or head("EU"),
        lists=(TrustedList(head=territory or head(), services=services),),
        missing=tuple(
            MissingList(territory=one, location="https://lists.example", trouble="gone")
            for one in missing
        ),
    )


def anchors(*services: Service, **values) -> TrustAnchors:
    return TrustAnchors.from_snapshot(snapshot(*services, **values))
