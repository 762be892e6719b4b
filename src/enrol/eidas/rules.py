"""What a bank may set about the certificates it accepts."""

from dataclasses import dataclass
from datetime import timedelta
from enum import Enum
from typing import Final

EEA_COUNTRIES: Final = frozenset(
    {
        *("AT", "BE", "BG", "CY", "CZ", "DE", "DK", "EE", "ES", "FI", "FR", "GR", "HR", "HU"),
        *("IE", "IT", "LT", "LU", "LV", "MT", "NL", "PL", "PT", "RO", "SE", "SI", "SK"),
        *("IS", "LI", "NO"),
    }
)
"""The EU and Iceland, Liechtenstein and Norway, as ISO 3166-1 spells them."""


class CertificateUse(Enum):
    """What a certificate is presented for."""

    QWAC = "qwac"
    QSEALC = "qsealc"


@dataclass(frozen=True, slots=True)
class CertificateRules:
    """The rules that differ between banks and years.

    `countries` are those whose authorities are accepted; `nca_ids`, such as ``FR-ACPR``, limits
    the authorities themselves, None accepts every authority of those countries. With
    `revocation_required` off, an unknown status passes and a revoked certificate still does not.
    A verdict holds for `verdict_lifetime` at most.
    """

    require_client_auth_eku: bool = True
    minimum_rsa_bits: int = 2048
    maximum_rsa_bits: int = 4096
    curves: frozenset[str] = frozenset({"secp256r1", "secp384r1"})
    clock_tolerance: timedelta = timedelta(seconds=60)
    revocation_required: bool = True
    countries: frozenset[str] = EEA_COUNTRIES
    nca_ids: frozenset[str] | None = None
    verdict_lifetime: timedelta = timedelta(hours=1)
