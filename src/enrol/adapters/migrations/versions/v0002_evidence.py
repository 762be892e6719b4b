"""Evidence: the request of an event, its hash in the chain, and the blobs it rests on."""

from collections.abc import Sequence
from typing import Any

import sqlalchemy as sa
from alembic import op

from enrol.registration.chain import GENESIS, chain_hash

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None

_AT_ONCE = 1000
_COLUMNS = "id, at, type, code, organization_identifier, client_id, request_id, evidence"
_GIVEN = "SELECT seq FROM sqlite_sequence WHERE name = 'audit_events'"


def upgrade() -> None:
    """Link the events that are there into a chain, in the order of their numbers."""
    op.create_table(
        "evidence_blobs",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("sha256", sa.LargeBinary(), nullable=False),
        sa.Column("content", sa.LargeBinary(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_evidence_blobs")),
        sa.UniqueConstraint("sha256", name=op.f("uq_evidence_blobs_sha256")),
    )
    _replace_events(
        sa.Column("request", sa.LargeBinary()), sa.Column("hash", sa.LargeBinary(), nullable=False)
    )
    _link_events()
    op.drop_table("audit_events_before")


def downgrade() -> None:
    """Drop what evidence was kept, and the chain; the events stay."""
    _replace_events()
    op.execute(
        f"INSERT INTO audit_events ({_COLUMNS}) "  # noqa: S608 - names written above
        f"SELECT {_COLUMNS} FROM audit_events_before ORDER BY id"
    )
    op.drop_table("audit_events_before")
    op.drop_table("evidence_blobs")


def _replace_events(*columns: sa.Column[Any]) -> None:
    """Put an empty table, with these columns more than the first had, beside the old one.

    A number that was given once is not given again, so the count of the old table goes on.
    """
    given = op.get_bind().exec_driver_sql(_GIVEN).scalar()
    op.rename_table("audit_events", "audit_events_before")
    op.create_table(
        "audit_events",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("at", sa.BigInteger(), nullable=False),
        sa.Column("type", sa.Text(), nullable=False),
        sa.Column("code", sa.Text()),
        sa.Column("organization_identifier", sa.Text()),
        sa.Column("client_id", sa.Text()),
        sa.Column("request_id", sa.Text()),
        sa.Column("evidence", sa.Text(), nullable=False),
        *columns,
        sa.PrimaryKeyConstraint("id", name=op.f("pk_audit_events")),
        sqlite_autoincrement=True,
    )
    if given is not None:
        op.get_bind().exec_driver_sql(
            "INSERT INTO sqlite_sequence (name, seq) VALUES ('audit_events', ?)", (given,)
        )


def _link_events() -> None:
    """Copy every event with its hash, a thousand at a time."""
    connection, previous, after = op.get_bind(), GENESIS, -1
    while events := _events_after(after):
        linked = []
        for event in events:
            previous = chain_hash(previous, (*event, None))
            linked.append((*event, None, previous))
        connection.exec_driver_sql(
            f"INSERT INTO audit_events ({_COLUMNS}, request, hash) "  # noqa: S608 - as above
            "VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
            linked,
        )
        after = events[-1][0]


def _events_after(event_id: int) -> Sequence[Any]:
    return (
        op.get_bind()
        .exec_driver_sql(
            f"SELECT {_COLUMNS} FROM audit_events_before "  # noqa: S608 - as above
            f"WHERE id > ? ORDER BY id LIMIT {_AT_ONCE}",
            (event_id,),
        )
        .fetchall()
    )
