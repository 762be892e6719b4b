"""What is kept once and rested on by many events: verdicts on certificates, signature policies."""

import hashlib
from functools import lru_cache
from typing import Final

import msgspec

from enrol.eidas.validate import QualifiedCertificate
from enrol.httpsig.policy import CoverageProfile, Mode, SignaturePolicy
from enrol.registration.audit import Blob

_MOST_VERDICTS: Final = 4096
_MOST_POLICIES: Final = 1024

_encode: Final = msgspec.json.Encoder().encode


class RevocationAnswer(msgspec.Struct, frozen=True):
    """What an issuer said: a list (``crl``) or a response (``ocsp``), and the digest of its DER."""

    kind: str
    sha256: str


class KeptVerdict(msgspec.Struct, frozen=True):
    """What a certificate was found to be, and on what grounds; digests are hexadecimal SHA-256.

    `issuers` are the CAs above it, its own issuer first, as far as they are kept; `revocation` is
    what they said of it.
    """

    use: str
    certificate: str
    issuer: str
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


@lru_cache(maxsize=_MOST_VERDICTS)
def keep_certificate(judged: QualifiedCertificate) -> KeptCertificate:
    """Return what is kept of a certificate and of the verdict on it."""
    own = Blob(judged.certificate.sha256, judged.certificate.der)
    issuers = tuple([blob(der) for der in _issuers(judged)])
    answers = [(kind, blob(der)) for kind, der in _answers(judged)]
    verdict = KeptVerdict(
        use=judged.use.value,
        certificate=own.sha256.hex(),
        issuer=judged.issuer_sha256.hex(),
        issuers=tuple([each.sha256.hex() for each in issuers]),
        revocation=tuple([RevocationAnswer(kind, each.sha256.hex()) for kind, each in answers]),
        organization_identifier=judged.organization_identifier,
        psp_roles=tuple(sorted([str(role) for role in judged.psp_roles])),
        nca_id=judged.nca_id,
        deviations=judged.deviations,
    )
    found = blob(_encode(verdict))
    blobs = (own, *issuers, *[each for _, each in answers], found)
    return KeptCertificate(own.sha256.hex(), found.sha256.hex(), blobs)


def keep_policy(policy: SignaturePolicy) -> Blob:
    """Return what is kept of a policy; there are few, and each serves many requests."""
    known = _policies.get(id(policy))
    if known is None or known[0] is not policy:
        if len(_policies) >= _MOST_POLICIES:
            _policies.clear()
        known = _policies[id(policy)] = policy, blob(_encode(_kept(policy)))
    return known[1]


_policies: Final[dict[int, tuple[SignaturePolicy, Blob]]] = {}


def _kept(policy: SignaturePolicy) -> KeptPolicy:
    return KeptPolicy(
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


def _issuers(judged: QualifiedCertificate) -> tuple[bytes, ...]:
    """Return the DER of the CAs above a certificate, where the verdict brings them."""
    return tuple(getattr(judged, "issuers", ()))


def _answers(judged: QualifiedCertificate) -> tuple[tuple[str, bytes], ...]:
    """Return the answers on revocation, kind and DER, where the verdict brings them."""
    return tuple(getattr(judged, "revocation_answers", ()))
