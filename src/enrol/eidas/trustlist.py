"""Trusted lists as facts: who may issue qualified certificates, since when and for what.

A `TrustSnapshot` is what one refresh learnt from the list of the lists and the national lists,
every signature verified (TS 119 612, TS 119 615). It is written as JSON and read again by the
servers; nothing here judges.
"""

from datetime import datetime
from enum import StrEnum
from typing import Final, Literal

import msgspec

GRANTED: Final = "granted"
"""The status of a service that may issue qualified certificates (TS 119 612 §5.5.4)."""


class ListedUse(StrEnum):
    """What the certificates of a service are for (TS 119 612 §5.5.9.4)."""

    WEB = "web"
    ESEAL = "eseal"
    ESIGN = "esign"


class _Fact(msgspec.Struct, frozen=True, omit_defaults=True):
    """A part of a snapshot."""


class KeyUsageCriterion(_Fact, frozen=True, kw_only=True):
    """Key usages that a certificate has, and such as it has not, as `Certificate` names them."""

    present: tuple[str, ...] = ()
    absent: tuple[str, ...] = ()


class Criteria(_Fact, frozen=True, kw_only=True):
    """Which certificates a qualification is about (TS 119 612 §5.5.9.2.2).

    `policies`, `extended_key_usages` and `subject_attributes` are sets of OIDs, all of a set must
    be in the certificate. `is_understood` is false where the list held something else as well.
    """

    combine: Literal["all", "atLeastOne", "none"] = "all"
    policies: tuple[tuple[str, ...], ...] = ()
    key_usages: tuple[KeyUsageCriterion, ...] = ()
    extended_key_usages: tuple[tuple[str, ...], ...] = ()
    subject_attributes: tuple[tuple[str, ...], ...] = ()
    nested: tuple["Criteria", ...] = ()
    is_understood: bool = True


class Qualification(_Fact, frozen=True, kw_only=True):
    """Qualifiers, such as ``NotQualified``, of the certificates that meet the criteria."""

    qualifiers: tuple[str, ...]
    criteria: Criteria


class Period(_Fact, frozen=True, kw_only=True):
    """The state of a service from `start` (aware UTC) to the start of the following period.

    `status` is `GRANTED` only where the period was understood in full.
    """

    start: datetime
    status: str
    uses: tuple[ListedUse, ...] = ()
    qualifications: tuple[Qualification, ...] = ()


class Service(_Fact, frozen=True, kw_only=True):
    """A service of type CA/QC: its certificates (DER) and its periods, the newest first."""

    provider: str
    name: str
    certificates: tuple[bytes, ...]
    periods: tuple[Period, ...]

    def at(self, moment: datetime) -> Period | None:
        """Return the period of that moment, None before the first."""
        return next((each for each in self.periods if each.start <= moment), None)


class ListHead(_Fact, frozen=True, kw_only=True):
    """What a list says of itself; times are aware UTC, `sha256` is the digest of its file.

    A list without `next_update` is closed for good: what it lists is not granted any more.
    """

    territory: str
    sequence_number: int
    issued: datetime
    next_update: datetime | None
    operator: str
    location: str
    sha256: bytes


class TrustedList(_Fact, frozen=True, kw_only=True):
    """A national list: its services, and what of it could not be read.

    `trouble` says why the refresh had to keep an older list than it asked for.
    """

    head: ListHead
    services: tuple[Service, ...]
    errors: tuple[str, ...] = ()
    trouble: str | None = None


class MissingList(_Fact, frozen=True, kw_only=True):
    """A territory of which no list could be had at all, and why."""

    territory: str
    location: str
    trouble: str


class TrustSnapshot(_Fact, frozen=True, kw_only=True):
    """All lists as of `made_at`; `anchor` is the digest of the certificates that started it."""

    made_at: datetime
    anchor: bytes
    lotl: ListHead
    lists: tuple[TrustedList, ...]
    missing: tuple[MissingList, ...] = ()
    version: Literal[1] = 1

    def list_of(self, territory: str) -> TrustedList | None:
        """Return the list of a territory as the lists spell it, such as ``EL``."""
        return next((one for one in self.lists if one.head.territory == territory), None)


_encoder = msgspec.json.Encoder()
_decoder = msgspec.json.Decoder(TrustSnapshot)


def encode_snapshot(snapshot: TrustSnapshot) -> bytes:
    """Return the snapshot as JSON, certificates in base64."""
    return _encoder.encode(snapshot)


def decode_snapshot(data: bytes) -> TrustSnapshot:
    """Read what `encode_snapshot` wrote; raises ValueError."""
    return _decoder.decode(data)
