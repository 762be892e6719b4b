"""The life of a client after it is registered: its management token, and what others are told."""

import sqlalchemy as sa
from alembic import op

revision = "0005"
down_revision = "0004"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Make the tables; every client has its first management token, in use."""
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
        sa.Column("client_id", sa.Text(), nullable=False),
        sa.Column("type", sa.Text(), nullable=False),
        sa.Column("at", sa.BigInteger(), nullable=False),
        sa.Column("payload", sa.LargeBinary(), nullable=False),
        sa.Column("attempts", sa.Integer(), nullable=False),
        sa.Column("next_at", sa.BigInteger(), nullable=False),
        sa.Column("failure", sa.Text()),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_outbox")),
        sqlite_autoincrement=True,
    )


def downgrade() -> None:
    """Drop the tables: what was not told yet is not told."""
    op.drop_table("outbox")
    op.drop_table("client_token_uses")
    for table in ("client_history", "clients"):
        op.drop_column(table, "token_generation")
