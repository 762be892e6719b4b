"""Several nodes: assertions that were used are remembered by all, and what each has admitted."""

import sqlalchemy as sa
from alembic import op

revision = "0006"
down_revision = "0005"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Make the tables; what was in the memory of a process is not in them.

    What nodes tell each other is of a minute, and need not outlive a crash of PostgreSQL.
    """
    op.create_table(
        "used_assertions",
        sa.Column("name", sa.LargeBinary(), nullable=False),
        sa.Column("expires_at", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("name", name=op.f("pk_used_assertions")),
        sqlite_with_rowid=False,
    )
    op.create_index(op.f("ix_used_assertions_expires_at"), "used_assertions", ["expires_at"])
    op.create_table(
        "limit_spendings",
        sa.Column("node", sa.Text(), nullable=False),
        sa.Column("turn", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("at", sa.BigInteger(), nullable=False),
        sa.Column("spent", sa.LargeBinary(), nullable=False),
        sa.PrimaryKeyConstraint("node", "turn", name=op.f("pk_limit_spendings")),
        sqlite_with_rowid=False,
    )
    if op.get_bind().dialect.name == "postgresql":
        op.execute("ALTER TABLE limit_spendings SET UNLOGGED")


def downgrade() -> None:
    """Drop the tables: an assertion that still holds could be used once more."""
    op.drop_table("limit_spendings")
    op.drop_table("used_assertions")
