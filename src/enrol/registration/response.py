"""The answer to a registration: RFC 7591 §3.2.1, STET 1.0.5 ``RegistrationRecord``."""

from collections.abc import Callable, Mapping
from datetime import datetime
from typing import Any

import msgspec

from enrol.oauth.derived_secrets import registration_access_token
from enrol.oauth.jwk import JWK_MEMBERS
from enrol.oauth.metadata import MEMBERS, ClientMetadata
from enrol.registration.client_secret import IssuedSecret
from enrol.registration.dialect import AnswerRules, Dialect, IssuedAt, Operation, OperationAnswer
from enrol.registration.record import ClientRecord
from enrol.registration.shown_state import shown_state

_STANDARD_JWK = tuple(name for name in JWK_MEMBERS if name not in ("n", "e", "crv", "x", "y"))
_ISSUED = ("client_id", "client_id_issued_at", "registration_client_uri")
_ANSWERED = tuple(name for name in MEMBERS if name not in ("software_statement", "description"))
ANSWER_MEMBERS = frozenset(
    {
        *(*_ANSWERED, *_ISSUED, "registration_access_token"),
        *("client_secret", "client_secret_expires_at", "software_statement"),
        *("client_state", "client_state_reason", "client_active_from"),
    }
)
"""What an answer can hold."""


class RegistrationResponse(ClientMetadata, frozen=True, omit_defaults=True, kw_only=True):
    """The client information response; moments are in seconds since 1970, UTC.

    A secret is there where the method of the client uses one, and never without its expiry.
    """

    client_id: str
    client_id_issued_at: int
    registration_client_uri: str
    registration_access_token: str
    client_secret: str | None = None
    client_secret_expires_at: int | None = None
    client_state: str | None = None
    client_state_reason: str | None = None
    client_active_from: int | None = None


def respond(
    record: ClientRecord,
    *,
    register_uri: str,
    secret: bytes,
    at: datetime,
    client_secret: IssuedSecret | None = None,
) -> RegistrationResponse:
    """Return the answer about `record` as it is at a time.

    `register_uri` is the public URI of the registration endpoint, `secret` the server's;
    `client_secret` is the client's, where it has one.
    """
    return RegistrationResponse(
        *msgspec.structs.astuple(record.metadata),
        client_id=record.client_id,
        client_id_issued_at=int(record.issued_at.timestamp()),
        registration_client_uri=f"{register_uri}/{record.client_id}",
        registration_access_token=registration_access_token(
            secret, record.client_id, record.token_generation
        ),
        client_secret=client_secret.text if client_secret else None,
        client_secret_expires_at=client_secret.expires_at if client_secret else None,
        **shown_state(record.standing, at=at),
    )


Shape = Callable[[RegistrationResponse, datetime, Operation], object]
"""What makes an answer of the standard one of a dialect's; the moment is that of registration."""


def shape_of(dialect: Dialect) -> Shape:
    """Return what gives answers the form of a dialect; for the standard's form, nothing to do."""
    rules = dialect.answer
    if rules.is_plain:
        return lambda response, _issued_at, _operation: response
    return lambda response, issued_at, operation: _shaped(
        response, rules, rules.of(operation), issued_at=issued_at
    )


def _shaped(
    response: RegistrationResponse,
    rules: AnswerRules,
    own: OperationAnswer,
    *,
    issued_at: datetime,
) -> dict[str, Any]:
    """Return the members of an answer in their dialect's form.

    1. each value has its form, and what is withheld has none;
    2. constants stand in for values;
    3. the members of this answer are chosen, and where nulls are wanted, filled up.
    """
    values: dict[str, Any] = msgspec.to_builtins(response)
    values |= _forms(values, rules, issued_at)  # (1)
    for member in rules.withheld:
        values.pop(member, None)
    values |= rules.constants  # (2)
    members = own.members if own.members is not None else rules.members
    if members is not None:  # (3)
        chosen = {m: values.get(m) for m in members if m in values or rules.nulls}
        values = chosen | {m: v for m, v in rules.constants.items() if own.members is None}
    elif rules.nulls:
        values = dict.fromkeys((*_ISSUED, *_ANSWERED)) | values
    return {**values, **own.constants}


def _forms(values: Mapping[str, Any], rules: AnswerRules, issued_at: datetime) -> dict[str, Any]:
    forms: dict[str, Any] = {
        name: [value.upper() for value in values[name]] for name in rules.capitals if name in values
    }
    if rules.issued_at is not IssuedAt.SECONDS:
        forms["client_id_issued_at"] = _written(issued_at, rules.issued_at)
    if "scope" in values:
        forms["scope"] = rules.scope_separator.join(values["scope"].split())
    if "jwks" in values:
        keys = [_key_form(key, rules) for key in values["jwks"]["keys"]]
        forms["jwks"] = keys if rules.jwks_array else {"keys": keys}
    return forms


def _written(moment: datetime, form: IssuedAt) -> str:
    """Return a moment as 2022-04-22T15:33:39.521, with Z where its zone is written."""
    text = moment.replace(tzinfo=None).isoformat(timespec="milliseconds")
    return f"{text}Z" if form is IssuedAt.UTC else text


def _key_form(key: Mapping[str, Any], rules: AnswerRules) -> dict[str, Any]:
    members = rules.jwk_members or JWK_MEMBERS
    form = {name: value for name, value in key.items() if name in members}
    if rules.nulls:
        form = dict.fromkeys(_STANDARD_JWK) | form
    if rules.x5c_text and form.get("x5c"):
        form["x5c"] = form["x5c"][0]
    return form
