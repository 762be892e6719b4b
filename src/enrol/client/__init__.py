"""The TPP's side: registering with a bank over mTLS, every request signed (STET 1.0.5)."""

from enrol.client.answers import Registration
from enrol.client.auth import SignatureAuth
from enrol.client.bank import Bank, Bearer
from enrol.client.bank_seal import BankSeal
from enrol.client.dry_run import DryRun, DryRunIgnoredError
from enrol.client.errors import (
    BankError,
    BankUnreachableError,
    RefusedFinding,
    RegistrationRefusedError,
    UnbelievedAnswerError,
    UnreadableAnswerError,
)
from enrol.client.profile import Credentials, Profile, load_profile
from enrol.client.seal import Seal, make_seal
from enrol.client.tpp import AsyncTppClient, TppClient

__all__ = [
    "AsyncTppClient",
    "Bank",
    "BankError",
    "BankSeal",
    "BankUnreachableError",
    "Bearer",
    "Credentials",
    "DryRun",
    "DryRunIgnoredError",
    "Profile",
    "RefusedFinding",
    "Registration",
    "RegistrationRefusedError",
    "Seal",
    "SignatureAuth",
    "TppClient",
    "UnbelievedAnswerError",
    "UnreadableAnswerError",
    "load_profile",
    "make_seal",
]
