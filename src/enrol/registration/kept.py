"""What is kept once and rested on by many events: verdicts on certificates, signature policies."""

import hashlib
from collections.abc import Callable
from functools import lru_cache
from typing import Final, TypeVar

import msgspec

from enrol.eidas.revocation import GroundKind
from enrol.eidas.validate import QualifiedCertificate
from enrol.httpsig.policy import CoverageProfile, Mode, SignaturePolicy
from enrol.registration.audit import Blob

LONGEST_LIST: Final = 64 * 1024
"""Octets of a CRL that are kept; of a longer one the digest is."""

_MOST_VERDICTS: Final = 4096
_MOST_ANSWERS: Final = 256
_MOST_POLICIES: Final = 1024

A = TypeVar("A")
R = TypeVar("R")

_encode: Final = msgspec.json.Encoder().encode


class RevocationAnswer(msgspec.Struct, frozen=True):
    """What an issuer said, and the digest of its DER; of a long list that is all that is kept."""

    kind: GroundKind
    sha256: str
    is_kept: bool


class KeptVerdict(msgspec.Struct, frozen=True):
    """What a certificate was found to be, and on what grounds; digests are hexadecimal SHA-256.

    `issuers` are the CAs above it, its own issuer first; `revocation` is what they said of it.
    """

    use: str
    certificate: str
    issuers: tuple[str, ...]
    revocation: tuple[RevocationAnswer, ...]
    organization_identifier: str
    psp_roles: tuple[str, ...]
    nca_id: str
    deviations: tuple[str, ...]


class KeptPolicy(msgspec.Struct, frozen=True):
    """How a signature was judged: a `SignaturePolicy`, in members of JSON."""

    coverage: CoverageProfile
    modes: tuple[Mode, ...]
    max_age: int
    leeway: int
    algorithm_aliases: dict[str, str]
    authority: str | None
    scheme: str
    put_signed_as_post: bool
    stripped_prefix: bytes | None
    empty_headers: bool

    @property
    def policy(self) -> SignaturePolicy:
        """The policy again."""
        return SignaturePolicy(**{name: getattr(self, name) for name in self.__struct_fields__})


class KeptCertificate(msgspec.Struct, frozen=True):
    """A judged certificate, as events name it: digests, and the blobs behind them."""

    certificate: str
    verdict: str
    blobs: tuple[Blob, ...]


def blob(content: bytes) -> Blob:
    """Return bytes with their SHA-256."""
    return Blob(hashlib.sha256(content).digest(), content)


def _remembered_of_each(most: int) -> Callable[[Callable[[A], R]], Callable[[A], R]]:
    """Return a decorator that remembers what came of an object, as long as it is that very one.

    Comparing values would take longer than most of what is remembered.
    """

    def decorate(make: Callable[[A], R]) -> Callable[[A], R]:
        known: dict[int, tuple[A, R]] = {}

        def remembered(value: A) -> R:
            found = known.get(id(value))
            if found is None or found[0] is not value:
                if len(known) >= most:
                    known.clear()
                found = known[id(value)] = value, make(value)
            return found[1]

        return remembered

    return decorate


@_remembered_of_each(_MOST_VERDICTS)
def keep_certificate(judged: QualifiedCertificate) -> KeptCertificate:
    """Return what is kept of a certificate and of the verdict on it."""
    own = Blob(judged.certificate.sha256, judged.certificate.der)
    issuers = tuple([blob(der) for der in judged.issuers])
    answers = [(kind, _answer(der)) for kind, der in judged.revocation_answers]
    kept = tuple([each for kind, each in answers if _is_kept(kind, each.content)])
    verdict = KeptVerdict(
        use=judged.use.value,
        certificate=own.sha256.hex(),
        issuers=tuple([each.sha256.hex() for each in issuers]),
        revocation=tuple(
            [RevocationAnswer(kind, each.sha256.hex(), each in kept) for kind, each in answers]
        ),
        organization_identifier=judged.organization_identifier,
        psp_roles=tuple(sorted([str(role) for role in judged.psp_roles])),
        nca_id=judged.nca_id,
        deviations=judged.deviations,
    )
    found = blob(_encode(verdict))
    return KeptCertificate(own.sha256.hex(), found.sha256.hex(), (own, *issuers, *kept, found))


@_remembered_of_each(_MOST_POLICIES)
def keep_policy(policy: SignaturePolicy) -> Blob:
    """Return what is kept of a policy; there are few, and each serves many requests."""
    kept = KeptPolicy(
        coverage=policy.coverage,
        modes=tuple(policy.modes),
        max_age=policy.max_age,
        leeway=policy.leeway,
        algorithm_aliases=dict(policy.algorithm_aliases),
        authority=policy.authority,
        scheme=policy.scheme,
        put_signed_as_post=policy.put_signed_as_post,
        stripped_prefix=policy.stripped_prefix,
        empty_headers=policy.empty_headers,
    )
    return blob(_encode(kept))


@lru_cache(maxsize=_MOST_ANSWERS)
def _answer(der: bytes) -> Blob:
    """Return an answer with its digest, made once: a list of revocations may be megabytes."""
    return blob(der)


def _is_kept(kind: GroundKind, der: bytes) -> bool:
    return kind is not GroundKind.CRL or len(der) <= LONGEST_LIST
