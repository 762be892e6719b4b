"""What a running server counts of itself: plain numbers, counted where things happen.

Whoever shows them reads them. All are of one event loop; counting costs about a microsecond.
"""

from bisect import bisect_left
from collections import defaultdict
from collections.abc import Callable
from dataclasses import dataclass
from typing import Final, Literal

SECONDS: Final = (
    *(0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1),
    *(0.25, 0.5, 1.0, 2.5, 5.0, 10.0),
)
SIZES: Final = (1.0, 2.0, 4.0, 8.0, 16.0, 32.0, 64.0, 128.0, 256.0)

CallKind = Literal["ocsp", "crl", "key_url"]
CallOutcome = Literal["ok", "timeout", "refused", "failed"]
Written = Literal["registered", "updated", "deleted", "token_issued"]


class Histogram:
    """How many values lie up to each bound, each counted once; the last count has no bound."""

    __slots__ = ("bounds", "counts", "total")

    def __init__(self, bounds: tuple[float, ...] = SECONDS) -> None:
        self.bounds = bounds
        self.counts = [0] * (len(bounds) + 1)
        self.total = 0.0

    def observe(self, value: float) -> None:
        """Count a value."""
        self.counts[bisect_left(self.bounds, value)] += 1
        self.total += value


class EntryPointMeter:
    """The answers of one entry point: how many by method and status, and how long they took."""

    __slots__ = ("_refusals", "answers", "seconds")

    def __init__(self, refusals: dict[str, int]) -> None:
        self._refusals = refusals
        self.answers: defaultdict[tuple[str, int], int] = defaultdict(int)
        self.seconds: defaultdict[str, Histogram] = defaultdict(Histogram)

    def answered(self, method: str, status: int, code: str | None, *, seconds: float) -> None:
        """Count an answer; `code` is that of a refusal."""
        self.answers[method, status] += 1
        self.seconds[method].observe(seconds)
        if code is not None:
            self._refusals[code] += 1

    def cut_off(self, status: int, code: str) -> None:
        """Count an answer to bytes that were no request."""
        self.answers["other", status] += 1
        self._refusals[code] += 1


class CommitMeter:
    """What the writer of the register does: sizes of batches, their seconds, what they wrote."""

    __slots__ = ("batches", "seconds", "written")

    def __init__(self) -> None:
        self.batches = Histogram(SIZES)
        self.seconds = Histogram()
        self.written: defaultdict[Written, int] = defaultdict(int)


class CallMeter:
    """Calls of other people's hosts, by kind and outcome."""

    __slots__ = ("seconds",)

    def __init__(self) -> None:
        self.seconds: defaultdict[tuple[CallKind, CallOutcome], Histogram] = defaultdict(Histogram)

    def called(self, kind: CallKind, outcome: CallOutcome, *, seconds: float) -> None:
        """Count a call that has ended."""
        self.seconds[kind, outcome].observe(seconds)


class Meters:
    """Everything a server counts; `refusals` are by code, `in_flight` is how many are answered."""

    __slots__ = ("calls", "commits", "entry_points", "in_flight", "refusals")

    def __init__(self) -> None:
        self.entry_points: dict[str, EntryPointMeter] = {}
        self.refusals: defaultdict[str, int] = defaultdict(int)
        self.commits = CommitMeter()
        self.calls = CallMeter()
        self.in_flight = 0

    def entry_point(self, template: str) -> EntryPointMeter:
        """Return the meter of an entry point; the empty template is that of none."""
        meter = self.entry_points.get(template)
        if meter is None:
            meter = self.entry_points[template] = EntryPointMeter(self.refusals)
        return meter


@dataclass(frozen=True, slots=True)
class Reading:
    """A number that is read when somebody asks, None where there is none now.

    A `counter` only grows; anything else may fall. `labels` tell readings of one name apart.
    """

    name: str
    meaning: str
    read: Callable[[], float | None]
    labels: tuple[tuple[str, str], ...] = ()
    kind: Literal["gauge", "counter"] = "gauge"
