"""Suspensions: clients whose trust was lost stay, and say why."""

import sqlalchemy as sa
from alembic import op

revision = "0003"
down_revision = "0002"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Make the table; nobody is suspended yet."""
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


def downgrade() -> None:
    """Drop the table: every client is active again."""
    op.drop_table("client_suspensions")
