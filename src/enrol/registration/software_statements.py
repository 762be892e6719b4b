"""Software statements at the desk: whom they are taken of, and what they do to a request.

Statements name one software of one organisation. RFC 7591 lets every instance of a software
register with the same one; here there are no instances, each client is the organisation's own, and
so a statement is that of one client unless its issuer is set to allow more. Whatever is set, the
name of a statement (``iss`` and ``jti``) is that of one text and one organisation.
"""

import hashlib
from collections.abc import Mapping, Sequence

import msgspec

from enrol.errors import ClientMetadataError, Finding
from enrol.oauth.jws import JwsKey, write_key
from enrol.oauth.metadata import parse_client_metadata
from enrol.oauth.software_statement import (
    SoftwareStatement,
    StatementRules,
    UnverifiedStatement,
    check_signature,
    check_times,
    parse_statement,
    read_statement,
    refuse,
)
from enrol.oauth.strict_json import JsonObject
from enrol.registration.audit import Blob
from enrol.registration.ports import IssuerKeys
from enrol.registration.record import ClientRecord
from enrol.registration.request import Body, VerifiedRequest
from enrol.registration.stated import AcceptedStatement, StatementUse


class Issuer(msgspec.Struct, frozen=True):
    """Somebody whose statements are taken; each is good for one client if it is used `once`."""

    rules: StatementRules
    keys: IssuerKeys
    once: bool = True


class StatementDesk:
    """Judges the software statement of a request, and puts what it says before all else."""

    def __init__(self, issuers: Mapping[str, Issuer]) -> None:
        self._issuers = issuers

    async def apply(
        self, verified: VerifiedRequest, *, replaces: ClientRecord | None
    ) -> VerifiedRequest:
        """Return a request with the members of its statement in its body (RFC 7591 §2.3).

        1. the issuer is one of those configured here;
        2. a key of the issuer's made it, and its claims hold now; the statement that the client
           `replaces` rests on was judged when it was new, and may have ended since;
        3. it speaks of the organisation that asks;
        4. every redirection URI beside it is one of those in it;
        5. what it says stands, whatever stands beside it.

        Raises `ClientMetadataError`, and `UnavailableError` ``statement_keys_unavailable``.
        """
        body = verified.body
        if body is None or body.metadata.software_statement is None:
            return verified
        unverified = parse_statement(body.metadata.software_statement)
        issuer = self._issuers.get(unverified.issuer)
        if issuer is None:  # (1)
            refuse("statement_issuer")
        held = replaces.metadata.software_statement if replaces is not None else None
        is_held = held == unverified.jws.text
        key = None if is_held else await _key_of(unverified, issuer)  # (2)
        statement = read_statement(unverified, issuer.rules)
        if not is_held:
            check_times(unverified, issuer.rules, at=verified.at)
        if statement.organization != verified.organization_identifier:  # (3)
            refuse("statement_foreign")
        _check_redirect_uris(body.metadata.redirect_uris or (), statement.metadata)  # (4)
        document = body.document | statement.metadata  # (5)
        return msgspec.structs.replace(
            verified,
            body=Body(document, parse_client_metadata(document)),
            statement=_accepted(statement, key, issuer),
        )


async def _key_of(unverified: UnverifiedStatement, issuer: Issuer) -> JwsKey:
    """Return the issuer's key that made a statement; new keys are looked for once where none did.

    The signature is judged before anything the statement says.
    """
    try:
        return check_signature(unverified, await issuer.keys.current(), issuer.rules)
    except ClientMetadataError as exc:
        if exc.code != "statement_key":
            raise
    return check_signature(unverified, await issuer.keys.renewed(), issuer.rules)


def _check_redirect_uris(asked: Sequence[str], stated: JsonObject) -> None:
    """Refuse redirection URIs that the statement does not hold; every one of them is looked at."""
    listed = stated.get("redirect_uris")
    known = {uri for uri in listed if isinstance(uri, str)} if isinstance(listed, list) else ()
    if not all(uri in known for uri in asked):
        raise ClientMetadataError(Finding("redirect_uri_not_stated", "redirect_uris"))


def _accepted(
    statement: SoftwareStatement, key: JwsKey | None, issuer: Issuer
) -> AcceptedStatement:
    jwk = write_key(key) if key is not None else None
    parts = (statement.issuer.encode(), statement.jti.encode())
    named = b"".join([len(part).to_bytes(4, "big") + part for part in parts])
    return AcceptedStatement(
        use=StatementUse(
            hashlib.sha256(named).digest(),
            hashlib.sha256(statement.text.encode()).digest(),
            once=issuer.once,
        ),
        members=frozenset(statement.metadata),
        key=Blob(hashlib.sha256(jwk).digest(), jwk) if jwk is not None else None,
    )
