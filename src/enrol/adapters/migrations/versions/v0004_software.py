"""Software: which clients are the same, and each organisation's clients in their order."""

import sqlalchemy as sa
from alembic import op

from enrol.adapters import rows
from enrol.registration.software import software_digest

revision = "0004"
down_revision = "0003"
branch_labels = None
depends_on = None

_BY_ORGANIZATION = "ix_clients_organization_identifier"
_AT_ONCE = 500
_CLIENTS = """
SELECT c.client_id, c.organization_identifier, c.version, c.metadata, c.issued_at, c.updated_at, 1,
       k.kid, k.x5t_s256, k.url, k.certificate,
       NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL
FROM (SELECT * FROM clients WHERE client_id > ? ORDER BY client_id LIMIT ?) AS c
LEFT JOIN client_keys AS k ON k.client_id = c.client_id
ORDER BY c.client_id, k.position
"""


def upgrade() -> None:
    """Make the table, for the clients that are there too."""
    op.create_table(
        "client_software",
        sa.Column("client_id", sa.Text(), nullable=False),
        sa.Column("software", sa.LargeBinary(), nullable=False),
        sa.ForeignKeyConstraint(
            ["client_id"], ["clients.client_id"], name=op.f("fk_client_software_client_id")
        ),
        sa.PrimaryKeyConstraint("client_id", name=op.f("pk_client_software")),
        sqlite_with_rowid=False,
    )
    op.create_index(op.f("ix_client_software_software"), "client_software", ["software"])
    op.create_index(
        f"{_BY_ORGANIZATION}_client_id", "clients", ["organization_identifier", "client_id"]
    )
    op.drop_index(op.f(_BY_ORGANIZATION), "clients")
    _fill()


def downgrade() -> None:
    """Drop the table; the same software may be registered again."""
    op.create_index(op.f(_BY_ORGANIZATION), "clients", ["organization_identifier"])
    op.drop_index(f"{_BY_ORGANIZATION}_client_id", "clients")
    op.drop_table("client_software")


def _fill() -> None:
    connection, after = op.get_bind(), ""
    while found := connection.exec_driver_sql(_CLIENTS, (after, _AT_ONCE)).fetchall():
        clients = rows.living_clients(map(tuple, found))
        connection.exec_driver_sql(
            "INSERT INTO client_software (client_id, software) VALUES (?, ?)",
            [(client.client_id, software_digest(client)) for client in clients],
        )
        after = clients[-1].client_id
