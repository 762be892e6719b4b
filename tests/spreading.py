"""Which tests stay together where several workers run them, and which come first.

Tests of one file share what it sets up, and those of some folders share servers. What takes
longest begins, so that no worker is left alone with it in the end.
"""

from collections.abc import Sequence
from pathlib import Path

import pytest

_TESTS = Path(__file__).parent
_SHARING_SERVERS = ("attacks", "interop", "proxies")
_EACH_ALONE = ("docs/test_walkthroughs.py",)
"""Every test starts a bank of its own and shares nothing."""

_FIRST = ("attacks", "live", "docs", "proxies", "adapters", "bench")


def spread(items: list[pytest.Item]) -> None:
    """Sort tests, and name the group of each for pytest-xdist's `--dist loadgroup`."""
    items.sort(key=lambda item: _rank(_parts(item)))
    for item in items:
        item.add_marker(pytest.mark.xdist_group(_group(item)))


def _parts(item: pytest.Item) -> tuple[str, ...]:
    return item.path.relative_to(_TESTS).parts


def _rank(parts: Sequence[str]) -> int:
    return _FIRST.index(parts[0]) if parts[0] in _FIRST else len(_FIRST)


def _group(item: pytest.Item) -> str:
    parts = _parts(item)
    if parts[0] in _SHARING_SERVERS:
        return parts[0]
    file = "/".join(parts)
    return item.name if file in _EACH_ALONE else file
