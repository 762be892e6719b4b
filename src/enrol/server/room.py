"""Room for requests: how many are answered at once."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

from enrol.errors import UnavailableError
from enrol.registration.meters import Meters


@dataclass(frozen=True, slots=True)
class Room:
    """So many `places`; `meters` count how many are taken.

    A request takes none while its body is awaited: a sender that is slow holds up nobody else.
    """

    places: int
    meters: Meters

    @property
    def is_full(self) -> bool:
        """Whether every place is taken."""
        return self.meters.in_flight >= self.places

    def enter(self) -> None:
        """Take a place."""
        self.meters.in_flight += 1

    def leave(self) -> None:
        """Give a place back."""
        self.meters.in_flight -= 1

    @contextmanager
    def left(self) -> Iterator[None]:
        """Give the place back meanwhile.

        Raises `UnavailableError` ``overloaded`` where others have it by then.
        """
        self.leave()
        try:
            yield
        finally:
            self.enter()
        if self.meters.in_flight > self.places:
            raise UnavailableError("overloaded", retry_after=1)
