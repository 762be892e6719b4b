"""What a verifier demands beyond the arithmetic: coverage, age, modes and named exceptions."""

from collections.abc import Collection, Mapping
from dataclasses import dataclass, field, replace
from enum import StrEnum
from types import MappingProxyType
from typing import Final

STET_LIST: Final = ("psu-*", "content-type", "content-length", "date")
"""Fields that STET 1.4.1.3 §3.5 wants covered whenever they are present (COV-6)."""


ALIASES: Final = MappingProxyType(
    {
        "RS256": "rsa-sha256",
        "RS512": "rsa-sha512",
        "SHA256withRSA": "rsa-sha256",
        "SHA512withRSA": "rsa-sha512",
    }
)
"""Labels of JOSE and Java that clients write instead of those of the draft (ALG-1)."""


class Mode(StrEnum):
    """Which signature scheme a message uses."""

    CAVAGE = "cavage"
    RFC9421 = "rfc9421"


class Quirk(StrEnum):
    """A known mistake of a client that a switch of the policy let pass."""

    ALGORITHM_ALIAS = "algorithm_alias"
    EMPTY_HEADERS = "empty_headers"
    PUT_SIGNED_AS_POST = "put_signed_as_post"
    STRIPPED_PREFIX = "stripped_prefix"


@dataclass(frozen=True, slots=True)
class CoverageProfile:
    """What must be signed.

    `required` are names that must be covered. `signed_time` demands a covered `date` or
    ``(created)`` (COV-4). `when_present` names fields that must be covered if the message has
    them, ``psu-*`` for all of that prefix (COV-6). `digest_of_nothing` demands Digest of GET and
    DELETE without content too (DIG-1). `obsolete_dates` reads all three forms of a date
    (RFC 9110 §5.6.7) instead of the one that may be sent (TIM-6). `unsigned_digest` lets Digest
    come without being covered, for banks whose clients sign the request line alone.
    """

    name: str
    required: tuple[str, ...]
    signed_time: bool
    digest_of_nothing: bool
    obsolete_dates: bool
    when_present: tuple[str, ...] = ()
    unsigned_digest: bool = False


@dataclass(frozen=True, slots=True)
class SignaturePolicy:
    """How signatures are judged.

    `modes` are the schemes accepted; `max_age` and `leeway` are in seconds. `algorithm_aliases`
    maps labels outside the registry to those in it (ALG-1). `authority` is the public ``host`` or
    ``host:port`` and `scheme` that of the public URL, for RFC 9421 behind a proxy; without
    `authority`, Host is used.

    The last three are known mistakes of real clients, off unless named; each one used is a warning
    in the result. `put_signed_as_post`: a PUT whose signature does not verify may have ``post`` in
    its signing string. `stripped_prefix`: the signing string has the target without this prefix.
    `empty_headers`: ``headers=""``, which signs nothing, is accepted.
    """

    coverage: CoverageProfile
    modes: Collection[Mode] = (Mode.CAVAGE,)
    max_age: int = 300
    leeway: int = 60
    algorithm_aliases: Mapping[str, str] = field(default_factory=lambda: MappingProxyType({}))
    authority: str | None = None
    scheme: str = "https"
    put_signed_as_post: bool = False
    stripped_prefix: bytes | None = None
    empty_headers: bool = False

    def with_quirks(self, quirks: Collection[Quirk], *, prefix: bytes) -> "SignaturePolicy":
        """Return the same policy with these switches on and all others off.

        `prefix` is what `stripped_prefix` takes from the target; aliases are those of `ALIASES`.
        """
        return replace(
            self,
            algorithm_aliases=ALIASES if Quirk.ALGORITHM_ALIAS in quirks else MappingProxyType({}),
            put_signed_as_post=Quirk.PUT_SIGNED_AS_POST in quirks,
            stripped_prefix=prefix if Quirk.STRIPPED_PREFIX in quirks else None,
            empty_headers=Quirk.EMPTY_HEADERS in quirks,
        )


STET: Final = SignaturePolicy(
    CoverageProfile(
        name="stet",
        required=("(request-target)", "digest", "x-request-id"),
        signed_time=False,
        digest_of_nothing=False,
        obsolete_dates=True,
    )
)
"""What the one public client of this entry point sends, and no more."""

STRICT: Final = SignaturePolicy(
    CoverageProfile(
        name="strict",
        required=("(request-target)", "host", "digest", "x-request-id"),
        signed_time=True,
        digest_of_nothing=True,
        obsolete_dates=False,
    )
)
"""Host and a time signed too."""

RESPONSE: Final = SignaturePolicy(
    CoverageProfile(
        name="response",
        required=("(request-target)", "digest", "date", "x-request-id"),
        signed_time=True,
        digest_of_nothing=False,
        obsolete_dates=True,
    )
)
"""What a client demands of a signed response, whose method and target are the request's."""
