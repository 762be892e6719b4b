"""What a run of a fault gives: what was done, and of each metric what was to reach and measured."""

from dataclasses import dataclass
from enum import StrEnum


class Verdict(StrEnum):
    """Whether a run reached all it had to."""

    MET = "met"
    MISSED = "missed"
    NOT_RUN = "not run"


@dataclass(frozen=True, slots=True)
class Finding:
    """One metric."""

    metric: str
    to_reach: str
    measured: str
    met: bool


@dataclass(frozen=True, slots=True)
class Result:
    """One run of one fault; without findings it was not run, and `reason` says why."""

    fault: str
    storage: str
    done: str
    findings: tuple[Finding, ...]
    seconds: float = 0.0
    reason: str = ""

    @property
    def verdict(self) -> Verdict:
        """Judge: a run without a finding proves nothing."""
        if not self.findings:
            return Verdict.NOT_RUN
        return Verdict.MET if all(each.met for each in self.findings) else Verdict.MISSED


def at_most(metric: str, limit: float, measured: float, unit: str = "") -> Finding:
    """Return the finding of a metric that must not be larger than a limit."""
    return Finding(metric, f"≤ {_said(limit, unit)}", _said(measured, unit), measured <= limit)


def at_least(metric: str, limit: float, measured: float, unit: str = "") -> Finding:
    """Return the finding of a metric that must not be smaller than a limit."""
    return Finding(metric, f"≥ {_said(limit, unit)}", _said(measured, unit), measured >= limit)


def none_of(metric: str, found: list[str], of: str = "") -> Finding:
    """Return the finding of what must not happen; the first that did is named."""
    count = f"{len(found)}{of}"
    measured = f"{count}: {found[0]}" if found else count
    return Finding(metric, "0", measured, not found)


def holds(metric: str, measured: str, *, met: bool, to_reach: str) -> Finding:
    """Return the finding of what is no number."""
    return Finding(metric, to_reach, measured, met)


def _said(value: float, unit: str) -> str:
    number = f"{value:,}" if isinstance(value, int) else f"{value:,.2f}"
    return f"{number} {unit}".rstrip()
