"""The SQL of the outbox, compiled once; beside each statement stands the order of its parameters.

Every statement keeps the rule of the table: of each client only the message that stands first has
a time to be sent at.
"""

from typing import Final

from sqlalchemy import (
    BigInteger,
    Integer,
    bindparam,
    case,
    delete,
    exists,
    func,
    insert,
    literal_column,
    null,
    select,
    update,
)

from enrol.adapters.sql import compiled
from enrol.adapters.tables import audit_events, outbox

_BEFORE: Final = outbox.alias("before")
_WAITING: Final = outbox.alias("waiting")
_NONE: Final = null()

MESSAGE: Final = (outbox.c.id, outbox.c.message_id, outbox.c.client_id, outbox.c.type)

INSERT_MESSAGE: Final = compiled(
    insert(outbox).values(
        id=bindparam("id"),
        message_id=bindparam("message_id"),
        client_id=bindparam("client_id"),
        type=bindparam("type"),
        at=bindparam("at"),
        payload=bindparam("payload"),
        attempts=literal_column("0"),
        next_at=case(
            (exists().where(_BEFORE.c.client_id == bindparam("waits_for")), _NONE),
            else_=bindparam("first_at", type_=BigInteger),
        ),
    ),
    *("id", "message_id", "client_id", "type", "at", "payload", "waits_for", "first_at"),
)

FIND_DUE: Final = compiled(
    select(*MESSAGE, outbox.c.payload, outbox.c.attempts, outbox.c.failing_since)
    .where(outbox.c.next_at <= bindparam("now"))
    .order_by(outbox.c.next_at, outbox.c.id)
    .limit(bindparam("limit", type_=Integer))
    .offset(literal_column("0")),
    *("now", "limit"),
)
FIND_NEXT_TIME: Final = compiled(
    select(func.min(outbox.c.next_at)).where(outbox.c.next_at.is_not(None))
)

DELETE_MESSAGE: Final = compiled(delete(outbox).where(outbox.c.id == bindparam("id_")), "id_")

ADVANCE: Final = compiled(
    update(outbox)
    .where(
        outbox.c.id
        == select(func.min(_WAITING.c.id))
        .where(_WAITING.c.client_id == bindparam("of_client"))
        .scalar_subquery(),
        outbox.c.next_at.is_(None),
        outbox.c.dead_at.is_(None),
    )
    .values(next_at=bindparam("now")),
    *("now", "of_client"),
)
"""Sends what now stands first of a client, where it is neither on its way nor given up."""

POSTPONE: Final = compiled(
    update(outbox)
    .where(outbox.c.id == bindparam("id_"))
    .values(
        attempts=outbox.c.attempts + literal_column("1"),
        next_at=bindparam("later"),
        failing_since=func.coalesce(outbox.c.failing_since, bindparam("now", type_=BigInteger)),
        failure=bindparam("failure_"),
        dead_at=bindparam("given_up"),
    ),
    *("later", "now", "failure_", "given_up", "id_"),
)

_REVIVED: Final = {
    "attempts": literal_column("0"),
    "next_at": bindparam("now"),
    "failing_since": _NONE,
    "dead_at": _NONE,
}
_STANDS_FIRST: Final = outbox.c.next_at.is_not(None) | outbox.c.dead_at.is_not(None)
REVIVE: Final = compiled(
    update(outbox).where(_STANDS_FIRST, outbox.c.id == bindparam("id_")).values(_REVIVED),
    *("now", "id_"),
)
REVIVE_ALL: Final = compiled(update(outbox).where(_STANDS_FIRST).values(_REVIVED), "now")

FIND_MESSAGE: Final = compiled(
    select(
        outbox.c.id,
        outbox.c.client_id,
        audit_events.c.organization_identifier,
        outbox.c.next_at,
        outbox.c.dead_at,
    )
    .select_from(outbox.outerjoin(audit_events, audit_events.c.id == outbox.c.id))
    .where(outbox.c.id == bindparam("id_")),
    "id_",
)

# --- looking at it, beside the server ----------------------------------------------------------

COUNT: Final = compiled(
    select(
        func.count(),
        func.count(func.distinct(outbox.c.client_id)),
        func.count(outbox.c.dead_at),
        func.min(outbox.c.at),
        func.min(outbox.c.failing_since),
    ).select_from(outbox)
)
FIND_LAST_FAILURE: Final = compiled(
    select(outbox.c.failure)
    .where(outbox.c.failure.is_not(None))
    .order_by(outbox.c.id.desc())
    .limit(literal_column("1"))
    .offset(literal_column("0"))
)
LIST: Final = compiled(
    select(
        *MESSAGE,
        outbox.c.at,
        outbox.c.attempts,
        outbox.c.next_at,
        outbox.c.failing_since,
        outbox.c.failure,
        outbox.c.dead_at,
    )
    .where(outbox.c.id > bindparam("after"))
    .order_by(outbox.c.id)
    .limit(bindparam("limit", type_=Integer))
    .offset(literal_column("0")),
    *("after", "limit"),
)
