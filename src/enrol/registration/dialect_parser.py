"""A dialect's TOML text, read and checked whole."""

import re
import tomllib
from collections.abc import Collection, Iterator

import msgspec

from enrol.errors import ConfigurationError
from enrol.oauth.client_authentication import METHODS
from enrol.oauth.jwk import JWK_MEMBERS
from enrol.oauth.metadata import MEMBERS
from enrol.registration.client_id import find_form_mistake
from enrol.registration.dialect import NEVER_TAKEN, Dialect, MetadataRules, Operation
from enrol.registration.response import ANSWER_MEMBERS

_GRANT_TYPES = frozenset({"authorization_code", "client_credentials", "password", "refresh_token"})
_RESPONSE_TYPES = frozenset({"code"})
_AUTH_METHODS = frozenset(METHODS)
_LISTS = frozenset({"grant_types", "response_types"})
_IMAGES = frozenset({"image/gif", "image/jpeg", "image/png", "image/webp"})
_SIGNABLE = re.compile(r"\(request-target\)|[a-z0-9-]{1,64}")
_FIELD_NAME = re.compile(r"[A-Za-z][A-Za-z0-9-]{0,63}")
_OWN_FIELDS = re.compile(
    r"content-.*|transfer-.*|connection|date|digest|signature.*|location|x-request-id|cache-.*",
    re.IGNORECASE,
)
_FIELD_VALUE = re.compile(r"[!-~]([ -~]{0,200}[!-~])?")
_SCOPE = re.compile(r"[!#-+\--\[\]-~]{1,64}")


def parse_dialect(text: str, *, source: str) -> Dialect:
    """Return the dialect in a TOML text; `source` says in messages where it came from.

    Raises `ConfigurationError` ``dialect_malformed`` for what is no TOML, and ``dialect_invalid``,
    which names the key, for an unknown name, a missing one, a wrong type or a rule that is none.
    """
    try:
        dialect = msgspec.convert(tomllib.loads(text), Dialect)
    except tomllib.TOMLDecodeError as exc:
        raise ConfigurationError("dialect_malformed", f"{source}: not TOML: {exc}") from exc
    except msgspec.ValidationError as exc:
        raise ConfigurationError("dialect_invalid", f"{source}: {exc}") from exc
    mistakes = tuple(_find_mistakes(dialect))
    if mistakes:
        raise ConfigurationError("dialect_invalid", f"{source}: {'; '.join(mistakes)}")
    return msgspec.structs.replace(dialect, metadata=_completed(dialect.metadata))


def _completed(rules: MetadataRules) -> MetadataRules:
    """Return the rules with the members that are always refused, and what is said of statements."""
    refused, required = rules.refused | NEVER_TAKEN, rules.required
    if rules.software_statement == "refused":
        refused |= {"software_statement"}
    if rules.software_statement == "required":
        required = (*required, "software_statement")
    return msgspec.structs.replace(rules, refused=refused, required=required)


def _find_mistakes(dialect: Dialect) -> Iterator[str]:
    """Yield a sentence for each rule that has the right type and cannot be."""
    yield from _metadata_mistakes(dialect)
    yield from _form_mistakes(dialect)
    yield from _answer_mistakes(dialect)
    if not dialect.operations:
        yield "operations must name one at least"
    if dialect.credentials.rotate and not dialect.can_rotate_token:
        yield "credentials.rotate is true, and an update gives no token that is accepted"
    mistake = find_form_mistake(dialect.client_id.form)
    if mistake is not None:
        yield f"client_id.form {mistake}"


def _metadata_mistakes(dialect: Dialect) -> Iterator[str]:
    rules, defaults = dialect.metadata, dialect.metadata.defaults
    yield from _strange("metadata.required", rules.required, MEMBERS)
    for choice in rules.required_one_of:
        yield from _strange("metadata.required_one_of", choice, MEMBERS)
        if not choice:
            yield "metadata.required_one_of holds an empty list"
    for key, values, known in (
        ("grant_types", rules.grant_types, _GRANT_TYPES),
        ("response_types", rules.response_types, _RESPONSE_TYPES),
        ("token_endpoint_auth_methods", rules.token_endpoint_auth_methods, _AUTH_METHODS),
    ):
        yield from _strange(f"metadata.{key}", values, known)
        if not values:
            yield f"metadata.{key} is empty, so nobody could register"
    yield from _strange("metadata.logo_uri_images", rules.logo_uri_images, _IMAGES)
    method = defaults.token_endpoint_auth_method
    methods = (method,) if method is not None else ()
    key = "metadata.defaults"
    yield from _strange(f"{key}.grant_types", defaults.grant_types or (), rules.grant_types)
    response_types = defaults.response_types or ()
    yield from _strange(f"{key}.response_types", response_types, rules.response_types)
    yield from _strange(
        f"{key}.token_endpoint_auth_method", methods, rules.token_endpoint_auth_methods
    )
    if not rules.scopes:
        yield "metadata.scopes is empty, so nobody could register"
    for scope in rules.scopes:
        if not _SCOPE.fullmatch(scope):
            yield f"metadata.scopes: {scope!r} is no scope (RFC 6749 §3.3)"


def _form_mistakes(dialect: Dialect) -> Iterator[str]:
    yield from _strange("reading.any_case", dialect.reading.any_case, _LISTS)
    yield from _strange(
        "reading.kty_aliases", dialect.reading.kty_aliases.values(), ("RSA", "EC", "OKP")
    )
    rules = dialect.signature
    for name in (*rules.covered, *(name.removesuffix("*") for name in rules.when_present)):
        if not _SIGNABLE.fullmatch(name):
            yield f"signature: {name!r} is no name in lower case"


def _answer_mistakes(dialect: Dialect) -> Iterator[str]:
    rules = dialect.answer
    yield from _strange("answer.members", rules.members or (), ANSWER_MEMBERS)
    yield from _strange("answer.withheld", rules.withheld, ANSWER_MEMBERS)
    yield from _strange("answer.capitals", rules.capitals, _LISTS)
    yield from _strange("answer.jwk_members", rules.jwk_members or (), JWK_MEMBERS)
    for operation in Operation:
        answer, key = rules.of(operation), f"answer.{operation.value}"
        yield from _strange(f"{key}.members", answer.members or (), ANSWER_MEMBERS)
        if (answer.status == 204) != (operation is Operation.DELETE):
            yield f"{key}.status must {'' if operation is Operation.DELETE else 'not '}be 204"
        for name, value in answer.fields.items():
            if not _FIELD_NAME.fullmatch(name) or not _FIELD_VALUE.fullmatch(value):
                yield f"{key}.fields: {name!r} is no header field"
            elif _OWN_FIELDS.fullmatch(name):
                yield f"{key}.fields: {name} is the server's own"


def _strange(key: str, values: Collection[str], known: Collection[str]) -> Iterator[str]:
    """Yield a sentence where a list holds what cannot stand there."""
    strange = sorted(set(values) - set(known))
    if strange:
        yield f"{key} holds {', '.join(strange)}, which cannot stand there"
