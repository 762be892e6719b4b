"""Alembic's entry: runs the revisions on the connection that `migration.migrate` opened.

The transaction is the caller's: SQLite's DDL is transactional, so all revisions stand or none.
"""

from alembic import context

from enrol.adapters.tables import metadata

context.configure(
    connection=context.config.attributes["connection"],
    target_metadata=metadata,
    transactional_ddl=False,
    render_as_batch=True,
)
context.run_migrations()
