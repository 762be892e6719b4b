"""The SQL of the register, written with SQLAlchemy Core and compiled once.

Executed as text on the driver's cursor a point lookup takes 6 µs; through a connection of Core's
engine it takes 27, with the connection taken from its pool 59. Parameters are positional; beside
each statement stands their order.
"""

from functools import cache
from typing import Final

from sqlalchemy import (
    Column,
    ColumnClause,
    ColumnElement,
    Integer,
    Select,
    Table,
    bindparam,
    delete,
    func,
    insert,
    literal_column,
    or_,
    select,
    union,
    update,
)
from sqlalchemy.dialects.postgresql.dml import insert as insert_unless

from enrol.adapters.sql import Statement, compiled
from enrol.adapters.tables import (
    access_tokens,
    audit_events,
    client_agents,
    client_history,
    client_keys,
    client_software,
    client_standings,
    client_token_uses,
    clients,
    evidence_blobs,
    ledger,
    software_statements,
    used_assertions,
)

KEYS_FOUND: Final = 8
"""How many keys one name may lead to."""

SAME_FOUND: Final = 8
"""How many clients of the same software are looked at; the changes of a batch may hide some."""

_NO_OFFSET: Final[ColumnClause[int]] = literal_column("0")  # else SQLAlchemy binds one


def _insertion(table: Table, *columns: str) -> Statement:
    names = columns or tuple(column.name for column in table.columns)
    values: dict[str, object] = {name: bindparam(name) for name in names}
    return compiled(insert(table).values(values).inline(), *names)


# --- reading ---------------------------------------------------------------------------------

_KEY_COLUMNS: Final = (
    client_keys.c.kid,
    client_keys.c.x5t_s256,
    client_keys.c.url,
    client_keys.c.certificate,
)

_STANDING_COLUMNS: Final = tuple(c for c in client_standings.columns if c.name != "client_id")
_STATE_COLUMNS: Final = (*_STANDING_COLUMNS, client_token_uses.c.generation)

FIND_CLIENT: Final = compiled(
    select(*clients.columns, *_KEY_COLUMNS, *_STATE_COLUMNS)
    .select_from(
        clients.outerjoin(client_keys).outerjoin(client_standings).outerjoin(client_token_uses)
    )
    .where(clients.c.client_id == bindparam("client_id"))
    .order_by(client_keys.c.position),
    "client_id",
)


def _page(*conditions: ColumnElement[bool]) -> Select[str]:
    """Select the next clients of some, in rows as those of `FIND_CLIENT`."""
    page = (
        select(clients)
        .where(*conditions, clients.c.client_id > bindparam("after"))
        .order_by(clients.c.client_id)
        .limit(bindparam("limit", type_=Integer))
        .offset(_NO_OFFSET)
        .subquery()
    )
    return (
        select(*page.columns, *_KEY_COLUMNS, *_STATE_COLUMNS)
        .select_from(
            page.outerjoin(client_keys, client_keys.c.client_id == page.c.client_id)
            .outerjoin(client_standings, client_standings.c.client_id == page.c.client_id)
            .outerjoin(client_token_uses, client_token_uses.c.client_id == page.c.client_id)
        )
        .order_by(page.c.client_id, client_keys.c.position)
    )


FIND_PAGE: Final = compiled(_page(), *("after", "limit"))
FIND_OWN_PAGE: Final = compiled(
    _page(clients.c.organization_identifier == bindparam("organization")),
    *("organization", "after", "limit"),
)

FIND_DUE: Final = compiled(
    select(client_standings.c.client_id)
    .where(client_standings.c.effective_at <= bindparam("at"))
    .order_by(client_standings.c.effective_at)
    .limit(bindparam("limit", type_=Integer))
    .offset(_NO_OFFSET),
    *("at", "limit"),
)
"""Finds clients that were pending until a time; whoever is not pending any more has none."""

COUNT_ALL_CLIENTS: Final = compiled(select(func.count()).select_from(clients))

FIND_ENDED_VERSION: Final = compiled(
    select(
        *(client_history.c[column.name] for column in clients.columns), client_history.c["keys"]
    ).where(
        client_history.c.client_id == bindparam("client_id"),
        client_history.c.version == bindparam("version"),
    ),
    "client_id",
    "version",
)


def _newest_named(column: Column[str], parameter: str) -> Select[int]:
    """Select the newest keys of an organisation by one of their names, as the index orders them."""
    newest = (
        select(client_keys.c.id)
        .where(
            client_keys.c.organization_identifier == bindparam("organization"),
            column == bindparam(parameter),
        )
        .order_by(client_keys.c.id.desc())
        .limit(literal_column(str(KEYS_FOUND)))
        .offset(_NO_OFFSET)
        .subquery()
    )
    return select(newest.c.id)


FIND_KEYS: Final = compiled(
    select(client_keys.c.client_id, client_keys.c.organization_identifier, *_KEY_COLUMNS)
    .where(
        client_keys.c.id.in_(
            union(
                _newest_named(client_keys.c.kid, "kid"),
                _newest_named(client_keys.c.x5t_s256, "x5t_s256"),
                _newest_named(client_keys.c.url, "url"),
            )
        )
    )
    .order_by(client_keys.c.id.desc()),
    *("organization", "kid", "organization", "x5t_s256", "organization", "url"),
)
"""Finds at most three times `KEYS_FOUND` keys, newest first."""

FIND_ENTRY: Final = compiled(select(ledger).where(ledger.c.key == bindparam("key")), "key")

FIND_TOKEN: Final = compiled(
    select(access_tokens).where(access_tokens.c.token_hash == bindparam("token_hash")),
    "token_hash",
)

# --- judging a batch, inside its transaction -------------------------------------------------


@cache
def find_entries(count: int) -> Statement:
    """Return the statement that finds the ledger entries under `count` keys."""
    names = [f"key_{index}" for index in range(count)]
    return compiled(select(ledger).where(ledger.c.key.in_([*map(bindparam, names)])), *names)


@cache
def find_versions(count: int) -> Statement:
    """Return the statement that finds the versions and standings of `count` living clients."""
    names = [f"client_id_{index}" for index in range(count)]
    return compiled(
        select(clients.c.client_id, clients.c.version, *_STANDING_COLUMNS)
        .select_from(clients.outerjoin(client_standings))
        .where(clients.c.client_id.in_([*map(bindparam, names)])),
        *names,
    )


COUNT_CLIENTS: Final = compiled(
    select(func.count()).select_from(
        select(literal_column("1").label("one"))
        .select_from(clients)
        .where(clients.c.organization_identifier == bindparam("organization"))
        .limit(bindparam("limit", type_=Integer))
        .offset(_NO_OFFSET)
        .subquery()
    ),
    *("organization", "limit"),
)
"""Counts no further than a quota, so that many clients do not make it slow."""

FIND_SAME: Final = compiled(
    select(client_software.c.client_id, clients.c.version)
    .select_from(client_software.join(clients))
    .where(client_software.c.software == bindparam("software"))
    .order_by(client_software.c.client_id)
    .limit(literal_column(str(SAME_FOUND)))
    .offset(_NO_OFFSET),
    "software",
)

FIND_AGENT: Final = compiled(
    select(client_agents.c.client_id).where(client_agents.c.client_id == bindparam("client_id")),
    "client_id",
)
FIND_AGENTS: Final = compiled(
    select(client_agents.c.client_id)
    .where(client_agents.c.organization_identifier == bindparam("organization"))
    .limit(literal_column("1"))
    .offset(_NO_OFFSET),
    "organization",
)
FIND_STATEMENT_USE: Final = compiled(
    select(software_statements).where(software_statements.c.name == bindparam("name")), "name"
)

FIND_ASSERTION: Final = compiled(
    select(used_assertions.c.name).where(used_assertions.c.name == bindparam("name")), "name"
)

FIND_REMOVAL: Final = compiled(
    select(client_history.c.version).where(
        client_history.c.client_id == bindparam("client_id"),
        client_history.c.removed == literal_column("1"),
    ),
    "client_id",
)

FIND_HEAD: Final = compiled(
    select(audit_events.c.id, audit_events.c.hash)
    .order_by(audit_events.c.id.desc())
    .limit(literal_column("1"))
    .offset(_NO_OFFSET)
)
FIND_LAST_ID: Final = Statement(
    "SELECT seq FROM sqlite_sequence WHERE name = 'audit_events'", "SELECT id FROM audit_last"
)
"""Finds the highest `id` that was ever given to an event, whether it is there or not."""

# --- reading the audit trail, beside the server ------------------------------------------------

FIND_EVENTS: Final = compiled(
    select(audit_events)
    .where(audit_events.c.id > bindparam("after"), audit_events.c.id <= bindparam("last"))
    .order_by(audit_events.c.id)
    .limit(bindparam("limit", type_=Integer))
    .offset(_NO_OFFSET),
    *("after", "last", "limit"),
)
FIND_EVENTS_NAMED: Final = compiled(
    select(audit_events.c.id)
    .where(
        or_(
            audit_events.c.client_id == bindparam("client_id"),
            audit_events.c.request_id == bindparam("request_id"),
            audit_events.c.type == bindparam("type"),
        )
    )
    .order_by(audit_events.c.id),
    *("client_id", "request_id", "type"),
)
FIND_BLOB: Final = compiled(
    select(evidence_blobs.c.content).where(evidence_blobs.c.sha256 == bindparam("sha256")), "sha256"
)
FIND_BLOBS: Final = compiled(
    select(evidence_blobs)
    .where(evidence_blobs.c.id > bindparam("after"), evidence_blobs.c.id <= bindparam("last"))
    .order_by(evidence_blobs.c.id)
    .limit(bindparam("limit", type_=Integer))
    .offset(_NO_OFFSET),
    *("after", "last", "limit"),
)
FIND_LAST_BLOB: Final = compiled(select(func.max(evidence_blobs.c.id)))

# --- writing ---------------------------------------------------------------------------------

INSERT_CLIENT: Final = _insertion(clients)
INSERT_SOFTWARE: Final = _insertion(client_software)
INSERT_KEY: Final = _insertion(client_keys, *(c.name for c in client_keys.c if c.name != "id"))
INSERT_AGENT: Final = _insertion(client_agents)
INSERT_STATEMENT: Final = _insertion(software_statements)
INSERT_ENTRY: Final = _insertion(ledger)
INSERT_EVENT: Final = _insertion(audit_events)
INSERT_BLOB: Final = compiled(
    insert_unless(evidence_blobs)
    .values({"sha256": bindparam("sha256"), "content": bindparam("content")})
    .inline()
    .on_conflict_do_nothing(),
    *("sha256", "content"),
)
INSERT_TOKEN: Final = _insertion(access_tokens)
INSERT_ASSERTION: Final = _insertion(used_assertions)

_OF_CLIENT: Final = clients.c.client_id == bindparam("of_client_id")

_CHANGED: Final = [column.name for column in clients.columns if column.name != "client_id"]

UPDATE_CLIENT: Final = compiled(
    update(clients).where(_OF_CLIENT).values({name: bindparam(name) for name in _CHANGED}),
    *_CHANGED,
    "of_client_id",
)

INSERT_STANDING: Final = _insertion(client_standings)
DELETE_STANDING: Final = compiled(
    delete(client_standings).where(client_standings.c.client_id == bindparam("client_id")),
    "client_id",
)

CLIENT_KEYS: Final = compiled(
    select(*_KEY_COLUMNS)
    .where(client_keys.c.client_id == bindparam("client_id"))
    .order_by(client_keys.c.position),
    "client_id",
)

END_VERSION: Final = compiled(
    insert(client_history).from_select(
        [*(c.name for c in clients.columns), "keys", "removed"],
        select(*clients.columns, bindparam("keys"), bindparam("removed")).where(_OF_CLIENT),
    ),
    *("keys", "removed", "of_client_id"),
)

DELETE_KEYS: Final = compiled(
    delete(client_keys).where(client_keys.c.client_id == bindparam("client_id")), "client_id"
)
DELETE_SOFTWARE: Final = compiled(
    delete(client_software).where(client_software.c.client_id == bindparam("client_id")),
    "client_id",
)
_FIRST_USE: Final = insert_unless(client_token_uses).from_select(
    ["client_id", "generation"],
    select(clients.c.client_id, bindparam("generation", type_=Integer)).where(
        clients.c.client_id == bindparam("client_id")
    ),
)
INSERT_TOKEN_USE: Final = compiled(
    _FIRST_USE.on_conflict_do_update(
        index_elements=[client_token_uses.c.client_id],
        set_={"generation": _FIRST_USE.excluded.generation},
        where=client_token_uses.c.generation < _FIRST_USE.excluded.generation,
    ),
    *("generation", "client_id"),
)
"""Writes nothing of a client that is gone, nor a generation below the one that stands."""

DELETE_TOKEN_USE: Final = compiled(
    delete(client_token_uses).where(client_token_uses.c.client_id == bindparam("client_id")),
    "client_id",
)
DELETE_AGENT: Final = compiled(
    delete(client_agents).where(client_agents.c.client_id == bindparam("client_id")), "client_id"
)
DELETE_CLIENT: Final = compiled(delete(clients).where(_OF_CLIENT), "of_client_id")
DELETE_TOKENS: Final = compiled(
    delete(access_tokens).where(access_tokens.c.client_id == bindparam("client_id")), "client_id"
)
DELETE_TOKEN: Final = compiled(
    delete(access_tokens).where(access_tokens.c.token_hash == bindparam("token_hash")),
    "token_hash",
)
DELETE_EXPIRED_TOKENS: Final = compiled(
    delete(access_tokens).where(access_tokens.c.expires_at < bindparam("before")), "before"
)
DELETE_EXPIRED_ASSERTIONS: Final = compiled(
    delete(used_assertions).where(used_assertions.c.expires_at < bindparam("before")), "before"
)
