"""A bar on a terminal for what takes long."""

import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from rich.console import Console
from rich.progress import BarColumn, Progress, ProgressColumn, TextColumn, TimeRemainingColumn

Told = Callable[[int, int], object]
"""Takes how much is done, and of how much; 0 where that is not known."""


@contextmanager
def progress(what: str, count: ProgressColumn, *, quiet: bool) -> Iterator[Told]:
    """Give out what moves a bar, with `count` beside it; nothing is shown but on a terminal."""
    with Progress(
        *(TextColumn(what), BarColumn(), count, TimeRemainingColumn()),
        console=Console(stderr=True),
        transient=True,
        disable=quiet or not sys.stderr.isatty(),
    ) as bar:
        task = bar.add_task(what, total=None)
        yield lambda done, total: bar.update(task, completed=done, total=total or None)
