"""The tables of the register, as SQLAlchemy Core sees them.

Times are integers, UTC: `issued_at` and `updated_at` in seconds since 1970, as RFC 7591 §3.2.1
counts them; every other time in milliseconds.
"""

from typing import Final

from sqlalchemy import (
    DDL,
    BigInteger,
    CheckConstraint,
    Column,
    ForeignKey,
    Index,
    Integer,
    LargeBinary,
    MetaData,
    Table,
    Text,
    UniqueConstraint,
    event,
)

REVISIONS: Final = ("0001", "0002", "0003", "0004", "0005", "0006")
"""Every revision of the schema, oldest first; the last is the one this version works with."""

metadata: Final = MetaData(
    naming_convention={
        "ix": "ix_%(table_name)s_%(column_0_N_name)s",
        "uq": "uq_%(table_name)s_%(column_0_N_name)s",
        "ck": "ck_%(table_name)s_%(constraint_name)s",
        "fk": "fk_%(table_name)s_%(column_0_N_name)s",
        "pk": "pk_%(table_name)s",
    }
)

_NUMBER: Final = BigInteger().with_variant(Integer, "sqlite")

clients: Final = Table(
    "clients",
    metadata,
    Column("client_id", Text, primary_key=True),
    Column("organization_identifier", Text, nullable=False),
    Column("version", Integer, nullable=False),
    Column("metadata", LargeBinary, nullable=False),
    Column("issued_at", BigInteger, nullable=False),
    Column("updated_at", BigInteger, nullable=False),
    Column("token_generation", Integer, nullable=False, server_default="1"),
    CheckConstraint("version >= 1", name="version"),
)
"""The living clients; `metadata` is the JSON of their `ClientMetadata`."""

Index(
    "ix_clients_organization_identifier_client_id",
    clients.c.organization_identifier,
    clients.c.client_id,
)

client_software: Final = Table(
    "client_software",
    metadata,
    Column("client_id", Text, ForeignKey("clients.client_id"), primary_key=True),
    Column("software", LargeBinary, nullable=False, index=True),
    sqlite_with_rowid=False,
)
"""What the living clients are of; `software` is `software_digest`, and not unique."""

client_standings: Final = Table(
    "client_standings",
    metadata,
    Column("client_id", Text, ForeignKey("clients.client_id"), primary_key=True),
    Column("state", Text, nullable=False),
    Column("code", Text, nullable=False),
    Column("since", BigInteger, nullable=False),
    Column("reason", Text),
    Column("actor", Text),
    Column("effective_at", BigInteger),
    Column("approved_by", Text),
    Column("unapproved", Integer, nullable=False),
    CheckConstraint("state IN ('pending', 'suspended', 'rejected')", name="state"),
    CheckConstraint("unapproved IN (0, 1)", name="unapproved"),
    sqlite_with_rowid=False,
)
"""The living clients that are not active, or were not until a time that has come.

The columns are those of a `Standing`.
"""

Index(
    "ix_client_standings_effective_at",
    client_standings.c.effective_at,
    sqlite_where=client_standings.c.effective_at.is_not(None),
    postgresql_where=client_standings.c.effective_at.is_not(None),
)

client_history: Final = Table(
    "client_history",
    metadata,
    Column("client_id", Text, primary_key=True),
    Column("version", Integer, primary_key=True, autoincrement=False),
    Column("organization_identifier", Text, nullable=False),
    Column("metadata", LargeBinary, nullable=False),
    Column("issued_at", BigInteger, nullable=False),
    Column("updated_at", BigInteger, nullable=False),
    Column("keys", LargeBinary, nullable=False),
    Column("removed", Integer, nullable=False),
    Column("token_generation", Integer, nullable=False, server_default="1"),
    CheckConstraint("removed IN (0, 1)", name="removed"),
)
"""Versions that ended, written when they end; `keys` is JSON, `removed` is 1 on the very last."""

client_keys: Final = Table(
    "client_keys",
    metadata,
    Column("id", _NUMBER, primary_key=True),
    Column("client_id", Text, ForeignKey("clients.client_id"), nullable=False),
    Column("position", Integer, nullable=False),
    Column("organization_identifier", Text, nullable=False),
    Column("kid", Text),
    Column("x5t_s256", Text, nullable=False),
    Column("url", Text),
    Column("certificate", LargeBinary, nullable=False),
    UniqueConstraint("client_id", "position"),
)
"""The keys of living clients, in the order of their record; a higher `id` is a newer key."""

Index(
    "ix_client_keys_kid",
    client_keys.c.organization_identifier,
    client_keys.c.kid,
    sqlite_where=client_keys.c.kid.is_not(None),
    postgresql_where=client_keys.c.kid.is_not(None),
)
Index("ix_client_keys_x5t_s256", client_keys.c.organization_identifier, client_keys.c.x5t_s256)
Index(
    "ix_client_keys_url",
    client_keys.c.organization_identifier,
    client_keys.c.url,
    sqlite_where=client_keys.c.url.is_not(None),
    postgresql_where=client_keys.c.url.is_not(None),
)

ledger: Final = Table(
    "ledger",
    metadata,
    Column("key", LargeBinary, primary_key=True),
    Column("signature", LargeBinary, nullable=False),
    Column("organization_identifier", Text, nullable=False),
    Column("request_id", Text, nullable=False),
    Column("client_id", Text, nullable=False),
    Column("version", Integer, nullable=False),
    Column("at", BigInteger, nullable=False),
)
"""The requests that were answered with a change, by the bytes they consisted of."""

audit_events: Final = Table(
    "audit_events",
    metadata,
    Column("id", _NUMBER, primary_key=True),
    Column("at", BigInteger, nullable=False),
    Column("type", Text, nullable=False),
    Column("code", Text),
    Column("organization_identifier", Text),
    Column("client_id", Text),
    Column("request_id", Text),
    Column("evidence", Text, nullable=False),
    Column("request", LargeBinary),
    Column("hash", LargeBinary, nullable=False),
    sqlite_autoincrement=True,
)
"""What was decided, in the order it became durable; `id` counts from 1 and is never used twice.

`evidence` is JSON, `request` the bytes of `kept_request`, `hash` that of `chain.chain_hash`.
"""

evidence_blobs: Final = Table(
    "evidence_blobs",
    metadata,
    Column("id", _NUMBER, primary_key=True),
    Column("sha256", LargeBinary, nullable=False),
    Column("content", LargeBinary, nullable=False),
    UniqueConstraint("sha256"),
)
"""Certificates, lists, verdicts and policies that evidence names, each once, by its SHA-256."""

access_tokens: Final = Table(
    "access_tokens",
    metadata,
    Column("token_hash", LargeBinary, primary_key=True),
    Column("client_id", Text, nullable=False, index=True),
    Column("organization_identifier", Text, nullable=False),
    Column("x5t_s256", Text, nullable=False),
    Column("scope", Text, nullable=False),
    Column("expires_at", BigInteger, nullable=False, index=True),
    sqlite_with_rowid=False,
)
"""The access tokens issued, by the SHA-256 of their text; `scope` as RFC 6749 §3.3 writes it."""

used_assertions: Final = Table(
    "used_assertions",
    metadata,
    Column("name", LargeBinary, primary_key=True),
    Column("expires_at", BigInteger, nullable=False, index=True),
    sqlite_with_rowid=False,
)
"""The assertions that obtained a token; `name` is that of an `AssertionUse`."""

limit_spendings: Final = Table(
    "limit_spendings",
    metadata,
    Column("node", Text, primary_key=True),
    Column("turn", BigInteger, primary_key=True, autoincrement=False),
    Column("at", BigInteger, nullable=False),
    Column("spent", LargeBinary, nullable=False),
    sqlite_with_rowid=False,
)
"""What each node has let through lately, for the others; SQLite is of one node and has none.

PostgreSQL does not write it to its log.
"""

event.listen(
    limit_spendings,
    "after_create",
    DDL("ALTER TABLE limit_spendings SET UNLOGGED").execute_if(dialect="postgresql"),  # type: ignore[no-untyped-call]  # SQLAlchemy has it untyped
)

client_agents: Final = Table(
    "client_agents",
    metadata,
    Column("client_id", Text, ForeignKey("clients.client_id"), primary_key=True),
    Column("organization_identifier", Text, nullable=False, index=True),
    sqlite_with_rowid=False,
)
"""The living clients that are of agents, and whose agents they are."""

software_statements: Final = Table(
    "software_statements",
    metadata,
    Column("name", LargeBinary, primary_key=True),
    Column("digest", LargeBinary, nullable=False),
    Column("organization_identifier", Text, nullable=False),
    Column("client_id", Text, nullable=False),
    sqlite_with_rowid=False,
)
"""The statements that clients were registered with, by issuer and jti, and the first of each.

They stay when the client is gone.
"""

client_token_uses: Final = Table(
    "client_token_uses",
    metadata,
    Column("client_id", Text, ForeignKey("clients.client_id"), primary_key=True),
    Column("generation", Integer, nullable=False),
    sqlite_with_rowid=False,
)
"""The newest management token used, of living clients that do not use their first any more."""

outbox: Final = Table(
    "outbox",
    metadata,
    Column("id", _NUMBER, primary_key=True),
    Column("message_id", Text, nullable=False),
    Column("client_id", Text, nullable=False, index=True),
    Column("type", Text, nullable=False),
    Column("at", BigInteger, nullable=False),
    Column("payload", LargeBinary, nullable=False),
    Column("attempts", Integer, nullable=False),
    Column("next_at", BigInteger),
    Column("failing_since", BigInteger),
    Column("failure", Text),
    Column("dead_at", BigInteger),
)
"""What is still to be told of clients; `id` is that of the audit event, `payload` what is sent.

Of each client the message with the lowest `id` stands first. It has a time `next_at` at which it
is sent, or `dead_at`, when it was given up; those behind it have neither.
"""

Index(
    "ix_outbox_next_at",
    outbox.c.next_at,
    sqlite_where=outbox.c.next_at.is_not(None),
    postgresql_where=outbox.c.next_at.is_not(None),
)
