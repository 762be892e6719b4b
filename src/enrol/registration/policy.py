"""The judgement: which metadata are granted, and all that is wrong with those that are not."""

import hashlib
import re
from collections.abc import Iterator
from uuid import UUID

import msgspec
from cryptography import x509

from enrol.eidas.organization import OrganizationIdentifier
from enrol.eidas.qcstatements import PspRole
from enrol.errors import ClientMetadataError, EntitlementError, Finding
from enrol.oauth import jwk
from enrol.oauth.jwk import JsonWebKey, JsonWebKeySet
from enrol.oauth.metadata import ClientMetadata
from enrol.oauth.strict_json import JsonObject
from enrol.oauth.types import ClientId
from enrol.registration import auth_method, redirect_uri
from enrol.registration.agents import is_of_authority
from enrol.registration.dialect import AgentRules, Dialect, MetadataRules
from enrol.registration.texts import (
    is_base64,
    is_email,
    is_image,
    is_phone_number,
    is_plain_text,
    is_reachable,
)

_SCOPE_SEPARATORS = {
    " ": re.compile(r" +"),
    ",": re.compile(r",+"),
    " ,": re.compile(r"[ ,]+"),
}
_AGENT = re.compile(r"AGT[A-Z]{2}-[A-Z]{2,8}-[!-~]{1,60}")
_LINKS = ("client_uri", "tos_uri", "policy_uri")
_MOST_CONTACTS = 10


class Applicant(msgspec.Struct, frozen=True):
    """Who asks: an authenticated organisation and the roles its certificates carry.

    `client_id` is the client that is updated, None for a first registration; `client_legal_id` is
    whose agent it is, if one's. `certificate` is that of the connection; `brings_own_secret` tells
    of a ``client_secret`` that is the client's.
    """

    organization_identifier: OrganizationIdentifier
    psp_roles: frozenset[PspRole]
    client_id: ClientId | None = None
    client_legal_id: str | None = None
    certificate: x509.Certificate | None = None
    brings_own_secret: bool = False


def decide(
    document: JsonObject, metadata: ClientMetadata, *, applicant: Applicant, dialect: Dialect
) -> ClientMetadata:
    """Return the metadata as granted.

    `document` is the JSON object `metadata` were parsed from. Raises `ClientMetadataError` with
    every finding, and `EntitlementError` ``role_insufficient`` where only the roles fall short.
    """
    findings = tuple(_find_all(document, metadata, applicant, dialect))
    if findings:
        raise ClientMetadataError(*findings)
    defaults = dialect.metadata.defaults
    return msgspec.structs.replace(
        metadata,
        token_endpoint_auth_method=metadata.token_endpoint_auth_method
        or defaults.token_endpoint_auth_method,
        grant_types=metadata.grant_types or defaults.grant_types,
        response_types=metadata.response_types or defaults.response_types,
        scope=granted_scope(metadata.scope, applicant, dialect),
        provider_legal_id=applicant.organization_identifier,
        jwks=_with_names(metadata.jwks) if dialect.metadata.kid == "server" else metadata.jwks,
        software_statement=metadata.software_statement
        if dialect.metadata.takes_statements
        else None,
        description=None,
        **auth_method.granted_names(metadata, applicant.certificate, dialect.metadata),
    )


def _find_all(
    document: JsonObject, metadata: ClientMetadata, applicant: Applicant, dialect: Dialect
) -> Iterator[Finding]:
    rules = dialect.metadata
    yield from _presence_faults(document, metadata, rules)
    yield from _constant_faults(document, rules, is_update=applicant.client_id is not None)
    if metadata.redirect_uris is not None:
        yield from _redirect_faults(metadata.redirect_uris, rules)
    yield from _choice_faults(metadata, dialect)
    yield from _text_faults(metadata, rules)
    yield from _contact_faults(metadata)
    yield from _identity_faults(document, metadata, applicant)
    yield from _agent_faults(metadata, applicant, dialect.agents)
    if metadata.jwks is not None:
        yield from jwk.find_faults(metadata.jwks)
    yield from auth_method.find_faults(metadata, applicant.certificate, rules)
    if "client_secret" in document.keys() - rules.refused and not applicant.brings_own_secret:
        yield Finding("client_secret_chosen", "client_secret")


def _presence_faults(
    document: JsonObject, metadata: ClientMetadata, rules: MetadataRules
) -> Iterator[Finding]:
    for member in rules.required:
        if getattr(metadata, member) is None:
            yield Finding("member_missing", member)
    for choice in rules.required_one_of:
        if all(getattr(metadata, member) is None for member in choice):
            yield Finding("member_missing", choice[0])
    if not rules.refused.isdisjoint(document):
        for member in sorted(rules.refused & document.keys() - rules.update_constants.keys()):
            if document[member] is not None or member in rules.refused_even_null:
                yield Finding("member_refused", member)
    if document.get("tls_client_certificate_bound_access_tokens", True) is not True:
        yield Finding("member_refused", "tls_client_certificate_bound_access_tokens")


def _constant_faults(
    document: JsonObject, rules: MetadataRules, *, is_update: bool
) -> Iterator[Finding]:
    """Yield the members that do not have the one value they must have."""
    for member, value in rules.constants.items():
        if document.get(member) != value:
            yield Finding("value_refused" if member in document else "member_missing", member)
    for member, value in rules.update_constants.items():
        if is_update and document.get(member) != value:
            yield Finding("value_refused" if member in document else "member_missing", member)
        elif not is_update and document.get(member) is not None:
            yield Finding("member_refused", member)


def _redirect_faults(uris: tuple[str, ...], rules: MetadataRules) -> Iterator[Finding]:
    yield from redirect_uri.find_faults(uris)
    if len(uris) > rules.most_redirect_uris:
        yield Finding("redirect_uris_many", "redirect_uris")
    ending = rules.redirect_uri_ending
    if ending and not all(uri.endswith(ending) for uri in uris):
        yield Finding("redirect_uri_ending", "redirect_uris")


def _choice_faults(metadata: ClientMetadata, dialect: Dialect) -> Iterator[Finding]:
    rules = dialect.metadata
    method = metadata.token_endpoint_auth_method
    if method is not None and method not in rules.token_endpoint_auth_methods:
        yield Finding("auth_method_refused", "token_endpoint_auth_method")
    if not _is_choice(metadata.grant_types, rules.grant_types):
        yield Finding("value_refused", "grant_types")
    if not _is_choice(metadata.response_types, rules.response_types):
        yield Finding("value_refused", "response_types")
    if metadata.scope is not None and not _scopes(metadata.scope, dialect) <= rules.scopes.keys():
        yield Finding("scope_unknown", "scope")


def _is_choice(values: tuple[str, ...] | None, allowed: frozenset[str]) -> bool:
    """Tell whether a list is absent, or holds accepted values, one at least and each once."""
    if values is None:
        return True
    return bool(values) and allowed.issuperset(values) and len(set(values)) == len(values)


def _text_faults(metadata: ClientMetadata, rules: MetadataRules) -> Iterator[Finding]:
    name = metadata.client_name
    if name is not None and not is_plain_text(name):
        yield Finding("text_not_plain", "client_name")
    elif name is not None and not set(rules.client_name_without).isdisjoint(name):
        yield Finding("character_refused", "client_name")
    for member in ("software_id", "software_version"):
        value = getattr(metadata, member)
        if value is not None and not is_plain_text(value):
            yield Finding("text_not_plain", member)
    for member in _LINKS:
        uri = getattr(metadata, member)
        if uri is not None and not redirect_uri.is_https_uri(uri):
            yield Finding("uri_refused", member)
    yield from _logo_faults(metadata, rules)


def _logo_faults(metadata: ClientMetadata, rules: MetadataRules) -> Iterator[Finding]:
    uri = metadata.logo_uri
    if (
        uri is not None
        and not redirect_uri.is_https_uri(uri)
        and not is_image(uri, rules.logo_uri_images)
    ):
        yield Finding("uri_refused", "logo_uri")
    if metadata.logo is not None and not is_base64(metadata.logo):
        yield Finding("logo_malformed", "logo")


def _contact_faults(metadata: ClientMetadata) -> Iterator[Finding]:
    addresses = metadata.contacts
    if addresses is not None and not (
        1 <= len(addresses) <= _MOST_CONTACTS and all(map(is_reachable, addresses))
    ):
        yield Finding("contact_malformed", "contacts")
    contact = metadata.contact
    if contact is None:
        return
    name, email, phone_number = contact.contact_name, contact.email, contact.phone_number
    if not (
        (name is None or is_plain_text(name))
        and (email is None or is_email(email))
        and (phone_number is None or is_phone_number(phone_number))
    ):
        yield Finding("contact_malformed", "contact")


def _identity_faults(
    document: JsonObject, metadata: ClientMetadata, applicant: Applicant
) -> Iterator[Finding]:
    legal_id = metadata.provider_legal_id
    if legal_id is not None and legal_id != applicant.organization_identifier:
        yield Finding("provider_legal_id_foreign", "provider_legal_id")
    if applicant.client_id is None:
        if document.get("client_id") is not None:
            yield Finding("client_id_chosen", "client_id")
    elif document.get("client_id") != applicant.client_id:
        yield Finding("client_id_differs", "client_id")


def _agent_faults(
    metadata: ClientMetadata, applicant: Applicant, rules: AgentRules
) -> Iterator[Finding]:
    """Yield what is wrong with whose agent a client is; it stays whoever's it was registered as."""
    agent = metadata.client_legal_id
    if applicant.client_id is not None and agent != applicant.client_legal_id:
        yield Finding("client_legal_id_differs", "client_legal_id")
    if agent is None:
        return
    if not _AGENT.fullmatch(agent):
        yield Finding("client_legal_id_malformed", "client_legal_id")
    elif rules.authority == "same" and not is_of_authority(
        agent, applicant.organization_identifier
    ):
        yield Finding("client_legal_id_authority", "client_legal_id")


def granted_scope(asked: str | None, applicant: Applicant, dialect: Dialect) -> str:
    """Return the scopes granted, space-separated, in the order of the dialect.

    Raises `EntitlementError` ``role_insufficient``.
    """
    roles = applicant.psp_roles
    entitled = [scope for scope, role in dialect.metadata.scopes.items() if role in roles]
    if asked is None:
        return " ".join(entitled)
    scopes = _scopes(asked, dialect)
    if not scopes.issubset(entitled):
        raise EntitlementError("role_insufficient")
    return " ".join([scope for scope in entitled if scope in scopes])


def _scopes(text: str, dialect: Dialect) -> set[str]:
    """Return the scopes in a list separated as the dialect reads it."""
    return set(_SCOPE_SEPARATORS[dialect.reading.scope_separators].split(text))


def _with_names(keys: JsonWebKeySet | None) -> JsonWebKeySet | None:
    """Return the keys, each without a kid named after its certificate."""
    if keys is None:
        return None
    return JsonWebKeySet(
        tuple(
            [
                msgspec.structs.replace(key, kid=_name_of(key)) if key.kid is None else key
                for key in keys.keys
            ]
        )
    )


def _name_of(key: JsonWebKey) -> str:
    return str(UUID(bytes=hashlib.sha256(jwk.certificates(key)[0]).digest()[:16]))
