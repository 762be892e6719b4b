"""The migrations of the register; Alembic's environment, run from the installed package."""
