"""What a run gives, and the median of several."""

from dataclasses import asdict, dataclass, fields
from statistics import median

from bench.load import Window
from bench.processes import UnmeasuredError


@dataclass(frozen=True, slots=True)
class Figures:
    """One run, or the medians of several; latencies in milliseconds, CPU in microseconds each.

    `generator_share` is the part of its CPU that the generator used: below 1 it had time left.
    """

    rate: float
    p50: float
    p99: float
    failed: float
    cpu: float
    resident_megabytes: float
    generator_share: float


def figures(window: Window) -> Figures:
    """Return the figures of one run; raises `UnmeasuredError` where nothing succeeded."""
    count = len(window.latencies)
    if not count:
        raise UnmeasuredError(f"no request succeeded, {window.failed} failed")
    latencies = sorted(window.latencies)
    return Figures(
        rate=count / window.elapsed,
        p50=latencies[count // 2] * 1e3,
        p99=latencies[count * 99 // 100] * 1e3,
        failed=window.failed,
        cpu=window.system_cpu / (count + window.failed) * 1e6,
        resident_megabytes=window.resident_megabytes,
        generator_share=window.generator_cpu / window.elapsed,
    )


def medians(runs: list[Figures]) -> Figures:
    """Return the median of each figure; failures are added up instead."""
    middle = {f.name: median(getattr(run, f.name) for run in runs) for f in fields(Figures)}
    return Figures(**middle | {"failed": sum(run.failed for run in runs)})


def rounded(run: Figures) -> dict[str, float]:
    """Return the figures as JSON has them."""
    return {name: round(value, 3) for name, value in asdict(run).items()}
