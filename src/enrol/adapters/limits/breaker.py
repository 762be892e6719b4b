"""Leaves alone for a while what failed several times in a row."""

import time
from collections.abc import Callable
from typing import Final

FAILURES: Final = 3
PAUSE: Final = 1.0


class Breaker:
    """Opens after three failures in a row; after a second one caller tries again for all."""

    def __init__(self, now: Callable[[], float] = time.monotonic) -> None:
        self._now = now
        self._failures = 0
        self._until = 0.0

    @property
    def is_open(self) -> bool:
        """Whether what it guards is left alone."""
        return self._failures >= FAILURES

    def lets_through(self) -> bool:
        """Return whether a caller may try; while it is open, one in a second may."""
        if not self.is_open:
            return True
        now = self._now()
        if now < self._until:
            return False
        self._until = now + PAUSE
        return True

    def succeeded(self) -> None:
        """Close."""
        self._failures = 0

    def failed(self) -> None:
        """Count a failure; what failed is left alone from the third on."""
        self._failures += 1
        self._until = self._now() + PAUSE
