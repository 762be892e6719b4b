"""The machine's clock."""

from datetime import UTC, datetime


def system_clock() -> datetime:
    """Return now, aware UTC."""
    return datetime.now(UTC)
