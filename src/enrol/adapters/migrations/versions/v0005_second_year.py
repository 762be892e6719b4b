"""The life of a client after it is registered: its management token, and what others are told."""

import sqlalchemy as sa
from alembic import op

revision = "0005"
down_revision = "0004"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Make the tables; every client has its first management token, in use.

    Who is suspended stays so.
    """
    for table in ("clients", "client_history"):
        op.add_column(
            table, sa.Column("token_generation", sa.Integer(), server_default="1", nullable=False)
        )
    op.create_table(
        "client_token_uses",
        sa.Column("client_id", sa.Text(), nullable=False),
        sa.Column("generation", sa.Integer(), nullable=False),
        sa.ForeignKeyConstraint(
            ["client_id"], ["clients.client_id"], name=op.f("fk_client_token_uses_client_id")
        ),
        sa.PrimaryKeyConstraint("client_id", name=op.f("pk_client_token_uses")),
        sqlite_with_rowid=False,
    )
    op.create_table(
        "outbox",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("message_id", sa.Text(), nullable=False),
        sa.Column("client_id", sa.Text(), nullable=False),
        sa.Column("type", sa.Text(), nullable=False),
        sa.Column("at", sa.BigInteger(), nullable=False),
        sa.Column("payload", sa.LargeBinary(), nullable=False),
        sa.Column("attempts", sa.Integer(), nullable=False),
        sa.Column("next_at", sa.BigInteger()),
        sa.Column("failing_since", sa.BigInteger()),
        sa.Column("failure", sa.Text()),
        sa.Column("dead_at", sa.BigInteger()),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_outbox")),
    )
    op.create_index(op.f("ix_outbox_client_id"), "outbox", ["client_id"])
    op.create_index(
        "ix_outbox_next_at", "outbox", ["next_at"], sqlite_where=sa.text("next_at IS NOT NULL")
    )
    _make_standings()
    _make_agents_and_statements()


def downgrade() -> None:
    """Drop the tables: what was not told yet is not told, and who is not active is suspended."""
    _unmake_standings()
    op.drop_table("software_statements")
    op.drop_table("client_agents")
    op.drop_table("outbox")
    op.drop_table("client_token_uses")
    for table in ("client_history", "clients"):
        op.drop_column(table, "token_generation")


def _make_standings() -> None:
    """Make the table of standings, of those who are suspended."""
    op.create_table(
        "client_standings",
        sa.Column("client_id", sa.Text(), nullable=False),
        sa.Column("state", sa.Text(), nullable=False),
        sa.Column("code", sa.Text(), nullable=False),
        sa.Column("since", sa.BigInteger(), nullable=False),
        sa.Column("reason", sa.Text()),
        sa.Column("actor", sa.Text()),
        sa.Column("effective_at", sa.BigInteger()),
        sa.Column("approved_by", sa.Text()),
        sa.Column("unapproved", sa.Integer(), nullable=False),
        sa.CheckConstraint(
            "state IN ('pending', 'suspended', 'rejected')", name=op.f("ck_client_standings_state")
        ),
        sa.CheckConstraint("unapproved IN (0, 1)", name=op.f("ck_client_standings_unapproved")),
        sa.ForeignKeyConstraint(
            ["client_id"], ["clients.client_id"], name=op.f("fk_client_standings_client_id")
        ),
        sa.PrimaryKeyConstraint("client_id", name=op.f("pk_client_standings")),
        sqlite_with_rowid=False,
    )
    op.create_index(
        op.f("ix_client_standings_effective_at"),
        "client_standings",
        ["effective_at"],
        sqlite_where=sa.text("effective_at IS NOT NULL"),
    )
    op.execute(
        "INSERT INTO client_standings (client_id, state, code, since, unapproved)"
        " SELECT client_id, 'suspended', code, since, 0 FROM client_suspensions"
    )
    op.drop_table("client_suspensions")


def _make_agents_and_statements() -> None:
    """Make the table of agents, of those who are, and that of the statements that were used."""
    op.create_table(
        "client_agents",
        sa.Column("client_id", sa.Text(), nullable=False),
        sa.Column("organization_identifier", sa.Text(), nullable=False),
        sa.ForeignKeyConstraint(
            ["client_id"], ["clients.client_id"], name=op.f("fk_client_agents_client_id")
        ),
        sa.PrimaryKeyConstraint("client_id", name=op.f("pk_client_agents")),
        sqlite_with_rowid=False,
    )
    op.create_index(
        op.f("ix_client_agents_organization_identifier"),
        "client_agents",
        ["organization_identifier"],
    )
    op.execute(
        "INSERT INTO client_agents (client_id, organization_identifier)"
        " SELECT client_id, organization_identifier FROM clients"
        " WHERE json_extract(CAST(metadata AS TEXT), '$.client_legal_id') IS NOT NULL"
    )
    op.create_table(
        "software_statements",
        sa.Column("name", sa.LargeBinary(), nullable=False),
        sa.Column("digest", sa.LargeBinary(), nullable=False),
        sa.Column("organization_identifier", sa.Text(), nullable=False),
        sa.Column("client_id", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("name", name=op.f("pk_software_statements")),
        sqlite_with_rowid=False,
    )


def _unmake_standings() -> None:
    """Make the table of suspensions, of all who are not active: none of them becomes so by this."""
    op.create_table(
        "client_suspensions",
        sa.Column("client_id", sa.Text(), nullable=False),
        sa.Column("code", sa.Text(), nullable=False),
        sa.Column("since", sa.BigInteger(), nullable=False),
        sa.ForeignKeyConstraint(
            ["client_id"], ["clients.client_id"], name=op.f("fk_client_suspensions_client_id")
        ),
        sa.PrimaryKeyConstraint("client_id", name=op.f("pk_client_suspensions")),
        sqlite_with_rowid=False,
    )
    op.execute(
        "INSERT INTO client_suspensions (client_id, code, since)"
        " SELECT client_id, code, since FROM client_standings"
    )
    op.drop_table("client_standings")
