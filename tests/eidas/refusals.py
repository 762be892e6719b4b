"""What a check says: the code it refuses with, or nothing."""

from collections.abc import Callable

from enrol.errors import RefusalError


def refusal_of(check: Callable[..., object], *args, **kwargs) -> str | None:
    """Return the code that the check refuses with; anything else it raises is a defect."""
    try:
        check(*args, **kwargs)
    except RefusalError as refused:
        return refused.code
    return None
