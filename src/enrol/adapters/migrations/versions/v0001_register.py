"""The register: clients, their history and keys, the ledger, the audit trail, access tokens."""

import sqlalchemy as sa
from alembic import op

revision = "0001"
down_revision = None
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Create every table."""
    _create_clients()
    _create_client_keys()
    _create_records()
    _create_access_tokens()


def downgrade() -> None:
    """Drop every table."""
    for table in (
        "access_tokens",
        "audit_events",
        "ledger",
        "client_keys",
        "client_history",
        "clients",
    ):
        op.drop_table(table)


def _create_clients() -> None:
    op.create_table(
        "clients",
        sa.Column("client_id", sa.Text(), nullable=False),
        sa.Column("organization_identifier", sa.Text(), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("metadata", sa.LargeBinary(), nullable=False),
        sa.Column("issued_at", sa.BigInteger(), nullable=False),
        sa.Column("updated_at", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("client_id", name=op.f("pk_clients")),
        sa.CheckConstraint("version >= 1", name=op.f("ck_clients_version")),
    )
    op.create_index(
        op.f("ix_clients_organization_identifier"), "clients", ["organization_identifier"]
    )
    op.create_table(
        "client_history",
        sa.Column("client_id", sa.Text(), nullable=False),
        sa.Column("version", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("organization_identifier", sa.Text(), nullable=False),
        sa.Column("metadata", sa.LargeBinary(), nullable=False),
        sa.Column("issued_at", sa.BigInteger(), nullable=False),
        sa.Column("updated_at", sa.BigInteger(), nullable=False),
        sa.Column("keys", sa.LargeBinary(), nullable=False),
        sa.Column("removed", sa.Integer(), nullable=False),
        sa.PrimaryKeyConstraint("client_id", "version", name=op.f("pk_client_history")),
        sa.CheckConstraint("removed IN (0, 1)", name=op.f("ck_client_history_removed")),
    )


def _create_client_keys() -> None:
    op.create_table(
        "client_keys",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("client_id", sa.Text(), nullable=False),
        sa.Column("position", sa.Integer(), nullable=False),
        sa.Column("organization_identifier", sa.Text(), nullable=False),
        sa.Column("kid", sa.Text()),
        sa.Column("x5t_s256", sa.Text(), nullable=False),
        sa.Column("url", sa.Text()),
        sa.Column("certificate", sa.LargeBinary(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_client_keys")),
        sa.UniqueConstraint(
            "client_id", "position", name=op.f("uq_client_keys_client_id_position")
        ),
        sa.ForeignKeyConstraint(
            ["client_id"], ["clients.client_id"], name=op.f("fk_client_keys_client_id")
        ),
    )
    op.create_index(
        "ix_client_keys_kid",
        "client_keys",
        ["organization_identifier", "kid"],
        sqlite_where=sa.text("kid IS NOT NULL"),
    )
    op.create_index(
        "ix_client_keys_x5t_s256", "client_keys", ["organization_identifier", "x5t_s256"]
    )
    op.create_index(
        "ix_client_keys_url",
        "client_keys",
        ["organization_identifier", "url"],
        sqlite_where=sa.text("url IS NOT NULL"),
    )


def _create_records() -> None:
    op.create_table(
        "ledger",
        sa.Column("key", sa.LargeBinary(), nullable=False),
        sa.Column("signature", sa.LargeBinary(), nullable=False),
        sa.Column("organization_identifier", sa.Text(), nullable=False),
        sa.Column("request_id", sa.Text(), nullable=False),
        sa.Column("client_id", sa.Text(), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("at", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("key", name=op.f("pk_ledger")),
    )
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
        sa.PrimaryKeyConstraint("id", name=op.f("pk_audit_events")),
        sqlite_autoincrement=True,
    )


def _create_access_tokens() -> None:
    op.create_table(
        "access_tokens",
        sa.Column("token_hash", sa.LargeBinary(), nullable=False),
        sa.Column("client_id", sa.Text(), nullable=False),
        sa.Column("organization_identifier", sa.Text(), nullable=False),
        sa.Column("x5t_s256", sa.Text(), nullable=False),
        sa.Column("scope", sa.Text(), nullable=False),
        sa.Column("expires_at", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("token_hash", name=op.f("pk_access_tokens")),
        sqlite_with_rowid=False,
    )
    for column in ("client_id", "expires_at"):
        op.create_index(op.f(f"ix_access_tokens_{column}"), "access_tokens", [column])
