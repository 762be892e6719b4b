"""What a measurement found: tables, plots and verdicts, as values that a report is made of."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from statistics import median


@dataclass(frozen=True, slots=True)
class Verdict:
    """What was to be reached, what was measured, and whether that is enough.

    `met` is None where it could not be measured; `measured` says why then.
    """

    name: str
    wanted: str
    measured: str
    met: bool | None

    @property
    def word(self) -> str:
        """The verdict for people."""
        return {True: "reached", False: "NOT reached", None: "not measured"}[self.met]


@dataclass(frozen=True, slots=True)
class Table:
    """Rows of text under a head; the first `left` columns hold words, the others numbers."""

    head: Sequence[str]
    rows: Sequence[Sequence[str]]
    title: str = ""
    left: int = 1


@dataclass(frozen=True, slots=True)
class Finding:
    """What one subject found.

    `subject` is its name for ``--only``, `sentences` say how it was measured, `plots` are SVG by
    file name, each with what it shows; `data` is what scripts get, all in plain JSON.
    """

    subject: str
    title: str
    tables: Sequence[Table] = ()
    verdicts: Sequence[Verdict] = ()
    sentences: Sequence[str] = ()
    plots: Mapping[str, "Plot"] = field(default_factory=dict)
    data: object = None


@dataclass(frozen=True, slots=True)
class Plot:
    """A picture, and the sentence for who cannot see it."""

    svg: str
    shows: str


def at_least(name: str, wanted: float, measured: float | None, *, why: str = "") -> Verdict:
    """Judge a factor that is to be reached; None was not measured, and `why` says why not."""
    if measured is None:
        return Verdict(name, f"≥ {wanted:g} ×", why, None)
    return Verdict(name, f"≥ {wanted:g} ×", f"{measured:.2f} ×", measured >= wanted)


def at_most(
    name: str, wanted: float, measured: float | None, *, unit: str, digits: int = 1, why: str = ""
) -> Verdict:
    """Judge what is to be kept within a limit; None was not measured, and `why` says why not."""
    limit = f"≤ {wanted:g} {unit}"
    if measured is None:
        return Verdict(name, limit, why, None)
    return Verdict(name, limit, f"{measured:,.{digits}f} {unit}", measured <= wanted)


def spread(values: Sequence[float], digits: int = 0) -> str:
    """Return a median with the lowest and the highest of the rounds."""
    low, high = min(values), max(values)
    return f"{median(values):,.{digits}f} ({low:,.{digits}f} to {high:,.{digits}f})"
