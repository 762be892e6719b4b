"""Dialects: what differs between banks, as data read from one TOML text."""

from collections.abc import Mapping
from dataclasses import replace
from enum import StrEnum
from typing import Annotated, Literal

import msgspec
from msgspec import Meta

from enrol.eidas.qcstatements import PspRole
from enrol.httpsig.policy import STET, STRICT, Quirk, SignaturePolicy
from enrol.oauth.metadata import ISSUED_MEMBERS
from enrol.registration.agents import AgentScope

NEVER_TAKEN = frozenset({"jwks_uri", "request_uris", "sector_identifier_uri", *ISSUED_MEMBERS})
"""What no dialect can take: the URIs would have to be fetched, the others are the server's."""

Names = tuple[str, ...]
Texts = Mapping[str, str]
Status = Literal[200, 201, 202, 204]
UrlPath = Annotated[str, Meta(pattern=r"\A(/[A-Za-z0-9._~-]+)+\Z")]


class Operation(StrEnum):
    """What the desk can do, and a dialect or an operator can switch off."""

    REGISTER = "register"
    READ = "read"
    UPDATE = "update"
    DELETE = "delete"


class Presence(StrEnum):
    """Whether something must come with a request; what is optional is judged where it comes."""

    REQUIRED = "required"
    OPTIONAL = "optional"


class Credential(StrEnum):
    """A bearer token: one of the token endpoint, or the one a registration was answered with."""

    MANAGE_REGISTRATION = "manage_registration"
    REGISTRATION_ACCESS_TOKEN = "registration_access_token"  # noqa: S105 - a name


class IssuedAt(StrEnum):
    """How an answer writes the moment of registration: seconds since 1970, or text of UTC."""

    SECONDS = "seconds"
    UTC = "utc"
    WITHOUT_ZONE = "without_zone"


class Table(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """A table of a dialect; an unknown name in it is an error."""


class CredentialRules(Table, frozen=True):
    """``[credentials]``: what a call brings beside the certificate of the connection, one of each.

    Where a list is empty, the certificate alone does and Authorization is not looked at.
    `rotate` says whether an update issues the next registration access token (RFC 7592 §3): by
    default where one is accepted and the answer to the update holds it.
    """

    register: tuple[Credential, ...]
    manage: tuple[Credential, ...]
    request_id: Presence = Presence.REQUIRED
    rotate: bool | None = None


class SignatureRules(Table, frozen=True):
    """``[signature]``: what must be signed, and the known mistakes of clients that pass.

    `covered` stands in for what the profile wants covered; `when_present` must be covered where it
    is there. `quirks` are as in ``[signatures]`` of the settings.
    """

    presence: Presence = Presence.REQUIRED
    profile: Literal["stet", "strict"] = "stet"
    covered: Names = ()
    when_present: Names = ()
    quirks: tuple[Quirk, ...] = ()

    @property
    def policy(self) -> SignaturePolicy:
        """How a signature is judged, the mistakes aside."""
        base = STRICT if self.profile == "strict" else STET
        coverage = replace(
            base.coverage,
            required=self.covered or base.coverage.required,
            when_present=self.when_present,
            unsigned_digest=bool(self.covered) and "digest" not in self.covered,
        )
        return replace(base, coverage=coverage)


class CertificateForms(Table, frozen=True):
    """``[certificates]``: what a bank takes no certificates of, good as they may be."""

    rsassa_pss: Literal["taken", "refused"] = "taken"


class Reading(Table, frozen=True):
    """``[reading]``: the forms in which members arrive, beside that of the standards.

    `any_case` names lists whose values may be in capitals. `jwks_array`: the key set may be a bare
    array. `x5c_text`: ``x5c`` may be one text. `kty_aliases` maps wrong key types to right ones.
    """

    scope_separators: Literal[" ", ",", " ,"] = " "
    any_case: Names = ()
    jwks_array: bool = False
    x5c_text: bool = False
    kty_aliases: Texts = {}

    @property
    def is_plain(self) -> bool:
        """Whether documents are read as they are."""
        return not (self.any_case or self.jwks_array or self.x5c_text or self.kty_aliases)


class Defaults(Table, frozen=True):
    """``[metadata.defaults]``: what stands in for members that are absent."""

    token_endpoint_auth_method: str | None = None
    grant_types: Names | None = None
    response_types: Names | None = ("code",)


class MetadataRules(Table, frozen=True):
    """``[metadata]``: what is accepted.

    `required` lists members that must be present; of each list in `required_one_of` one must be.
    `refused` lists members that must be absent or null, `refused_even_null` those that must be
    absent. `constants` are members that must have one value, and `update_constants` in updates.
    `scopes` maps each scope to the role a certificate must name for it (RTS 2018/389 art. 34(3)).
    `kid` says who names a key that has no name. A `software_statement` (RFC 7591 §2.3) that is
    ignored is not registered; one that is optional or required is judged by the settings.
    """

    required: Names
    grant_types: frozenset[str]
    scopes: Mapping[str, PspRole]
    required_one_of: tuple[Names, ...] = ()
    refused: frozenset[str] = frozenset()
    refused_even_null: frozenset[str] = frozenset()
    constants: Texts = {}
    update_constants: Texts = {}
    response_types: frozenset[str] = frozenset({"code"})
    token_endpoint_auth_methods: frozenset[str] = frozenset({"tls_client_auth"})
    most_redirect_uris: Annotated[int, Meta(ge=1, le=20)] = 20
    redirect_uri_ending: str = ""
    client_name_without: str = ""
    logo_uri_images: frozenset[str] = frozenset()
    kid: Literal["client", "server"] = "client"
    software_statement: Literal["refused", "ignored", "optional", "required"] = "ignored"
    defaults: Defaults = Defaults()

    @property
    def takes_statements(self) -> bool:
        """Whether software statements are judged, and registered."""
        return self.software_statement in ("optional", "required")


class AgentRules(Table, frozen=True):
    """``[agents]``: what a TPP may register for its agents, clients with a ``client_legal_id``.

    `scope` says how far an agent's may go: as far as those of the TPP's own active clients, or as
    far as its roles. `authority` says who numbers agents: the authority of their TPP, or any.
    """

    scope: AgentScope = AgentScope.CLIENTS
    authority: Literal["same", "any"] = "same"


class ClientIdRules(Table, frozen=True):
    """``[client_id]``: the form of what is issued, a text with words in braces.

    ``{ordered}``, ``{uuid}``, ``{hex40}`` and ``{random}`` are unguessable, and one of them must
    stand in it; ``{legal_id}`` is the agent's legal id, else the organizationIdentifier.
    """

    form: str = "{ordered}"


class OperationAnswer(Table, frozen=True):
    """``[answer.register]`` and the like: status, members, constant members, header fields.

    Without `members` those of ``[answer]`` are answered.
    """

    status: Status
    members: Names | None = None
    constants: Texts = {}
    fields: Texts = {}


class AnswerRules(Table, frozen=True):
    """``[answer]``: the form of answers.

    `members` are those that can be answered, without it all; `withheld` are never given a value.
    With `nulls`, members that have no value are null instead of absent. `jwk_members` are those of
    a key that are given. `capitals` names lists whose values are in capitals. `constants` have one
    value whatever the registration. `jwks_array` and `x5c_text` are as in `Reading`.
    """

    register: OperationAnswer = OperationAnswer(status=201)
    read: OperationAnswer = OperationAnswer(status=200)
    update: OperationAnswer = OperationAnswer(status=200)
    delete: OperationAnswer = OperationAnswer(status=204)
    members: Names | None = None
    withheld: frozenset[str] = frozenset()
    nulls: bool = False
    scope_separator: Literal[" ", ",", ", "] = " "
    capitals: Names = ()
    issued_at: IssuedAt = IssuedAt.SECONDS
    jwk_members: Names | None = None
    jwks_array: bool = False
    x5c_text: bool = False
    constants: Texts = {}

    @property
    def is_plain(self) -> bool:
        """Whether registrations are answered as RFC 7591 §3.2.1 has it, statuses aside."""
        plain = AnswerRules(
            register=self.register, read=self.read, update=self.update, delete=self.delete
        )
        own = (self.register, self.read, self.update)
        return self == plain and not any(a.members is not None or a.constants for a in own)

    def of(self, operation: Operation) -> OperationAnswer:
        """Return what is particular to the answer of one operation."""
        answer: OperationAnswer = getattr(self, operation)
        return answer

    def gives(self, member: str, operation: Operation) -> bool:
        """Tell whether the answer of an operation can hold the value of a member."""
        own = self.of(operation)
        constants = {*own.constants, *(self.constants if own.members is None else ())}
        members = self.members if own.members is None else own.members
        is_chosen = members is None or member in members
        return is_chosen and member not in self.withheld | constants


class Dialect(Table, frozen=True):
    """The rules of one bank, or of one standard; made by `dialect_parser.parse_dialect`.

    An operation that is not offered is answered `not_offered`: STET's contract has 501, RFC 7592
    §2.3 has 405.
    """

    name: Annotated[str, Meta(pattern=r"\A[a-z0-9][a-z0-9-]{0,39}\Z")]
    title: str
    credentials: CredentialRules
    metadata: MetadataRules
    operations: frozenset[Operation] = frozenset(Operation)
    not_offered: Literal[405, 501] = 501
    register_path: UrlPath = "/stet/setting/v1/register"
    certificates: CertificateForms = CertificateForms()
    signature: SignatureRules = SignatureRules()
    reading: Reading = Reading()
    client_id: ClientIdRules = ClientIdRules()
    agents: AgentRules = AgentRules()
    answer: AnswerRules = AnswerRules()

    @property
    def can_rotate_token(self) -> bool:
        """Whether an update can give a registration access token that is of use."""
        token = Credential.REGISTRATION_ACCESS_TOKEN
        return token in self.credentials.manage and self.answer.gives(token, Operation.UPDATE)

    @property
    def rotates_token(self) -> bool:
        """Whether an update issues the next registration access token."""
        rotate = self.credentials.rotate
        return self.can_rotate_token if rotate is None else rotate
