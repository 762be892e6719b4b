"""The table of those whose software statements are believed."""

from datetime import timedelta
from pathlib import Path
from typing import Annotated, Literal

from msgspec import Meta, field

from enrol.oauth.software_statement import StatementRules
from enrol.settings.sections import Section

Algorithm = Literal[
    "PS256", "PS384", "PS512", "ES256", "ES384", "ES512", "Ed25519", "RS256", "RS384", "RS512"
]


class StatementIssuer(Section, frozen=True):
    """One issuer; its keys are in the file `jwks` or behind the HTTPS address `jwks_url`.

    `issuer` is the ``iss`` of its statements, to the letter. `audience` are the values of ``aud``
    that mean this server, by default its `public_url`. `organization_claim` is the claim with the
    organizationIdentifier of the organisation whose software it is. With `use` ``"once"`` a
    statement registers one client, with ``"many"`` as many as its organisation likes.
    """

    issuer: Annotated[str, Meta(min_length=1, max_length=512)]
    jwks: Path | None = None
    jwks_url: str | None = None
    audience: tuple[str, ...] = ()
    algorithms: Annotated[tuple[Algorithm, ...], Meta(min_length=1)] = ("PS256", "ES256", "RS256")
    organization_claim: Annotated[str, Meta(min_length=1)] = "provider_legal_id"
    use: Literal["once", "many"] = "once"

    def __post_init__(self) -> None:
        """Refuse an issuer whose keys are nowhere, or in two places."""
        if (self.jwks is None) == (self.jwks_url is None):
            raise ValueError("either jwks or jwks_url is set")


class SoftwareStatementsSection(Section, frozen=True):
    """``[software_statements]``: whose software statements are believed (RFC 7591 §2.3).

    They are looked at where the dialect takes them: `metadata.software_statement` in its file.
    `issuers` has a table for each: its name `issuer`, which is ``iss``; its keys, in the file
    `jwks` or behind the HTTPS address `jwks_url`; `audience`, `algorithms`, `organization_claim`
    and `use` where they differ from `public_url`, ``["PS256", "ES256", "RS256"]``,
    ``"provider_legal_id"`` and ``"once"``. A statement may be `lifetime_hours` long, and old;
    clocks may differ by `clock_skew` seconds. `hosts` and `ca` are as in ``[key_urls]``, for the
    keys.
    """

    issuers: dict[str, StatementIssuer] = field(default_factory=dict)
    lifetime_hours: Annotated[float, Meta(gt=0, le=8784)] = 24
    clock_skew: Annotated[float, Meta(ge=0, le=300)] = 60
    hosts: dict[str, str] = field(default_factory=dict)
    ca: Path | None = None

    def __post_init__(self) -> None:
        """Refuse two tables of one issuer."""
        names = [each.issuer for each in self.issuers.values()]
        if len(set(names)) != len(names):
            raise ValueError("two issuers have the same name")

    def rules_of(self, issuer: StatementIssuer, *, public_url: str) -> StatementRules:
        """Return what is taken of an issuer."""
        return StatementRules(
            algorithms=frozenset(issuer.algorithms),
            audience=frozenset(issuer.audience or (public_url,)),
            lifetime=timedelta(hours=self.lifetime_hours),
            leeway=timedelta(seconds=self.clock_skew),
            organization_claim=issuer.organization_claim,
        )
