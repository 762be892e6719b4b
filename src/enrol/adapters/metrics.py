"""Metrics in the text format of Prometheus, made when they are asked for."""

from collections.abc import Iterable, Iterator, Sequence
from itertools import accumulate
from typing import Final

from prometheus_client import CollectorRegistry, GCCollector, ProcessCollector, generate_latest
from prometheus_client.core import (
    CounterMetricFamily,
    GaugeMetricFamily,
    HistogramMetricFamily,
    Metric,
)
from prometheus_client.registry import Collector

from enrol import __version__
from enrol.registration.meters import Histogram, Meters, Reading

CONTENT_TYPE: Final = "text/plain; version=0.0.4; charset=utf-8"

_NONE: Final = "none"
"""The entry point of what is none, as Prometheus takes an empty label for an absent one."""


class Exposition:
    """The metrics of one server; `readings` are those that are not counted but read."""

    def __init__(self, meters: Meters, readings: Sequence[Reading] = ()) -> None:
        self._registry = CollectorRegistry()
        self._registry.register(_Collector(meters, readings))
        ProcessCollector(registry=self._registry)
        GCCollector(registry=self._registry)

    def render(self) -> bytes:
        """Return all metrics as they are now."""
        return generate_latest(self._registry)


class _Collector(Collector):
    def __init__(self, meters: Meters, readings: Sequence[Reading]) -> None:
        self._meters = meters
        self._readings = readings

    def collect(self) -> Iterator[Metric]:
        yield _info()
        yield from _requests(self._meters)
        yield from _commits(self._meters)
        yield _calls(self._meters)
        yield from _read(self._readings)


def _info() -> Metric:
    info = GaugeMetricFamily(
        "enrol_build_info", "The version that runs; always 1", labels=["version"]
    )
    info.add_metric([__version__], 1)
    return info


def _requests(meters: Meters) -> Iterator[Metric]:
    where = ["entry_point", "method"]
    answers = CounterMetricFamily(
        "enrol_requests", "Requests that were answered", labels=[*where, "status"]
    )
    seconds = HistogramMetricFamily(
        "enrol_request_seconds", "Seconds from a request's head to its answer", labels=where
    )
    for template, meter in meters.entry_points.items():
        name = template or _NONE
        for (method, status), count in meter.answers.items():
            answers.add_metric([name, method, str(status)], count)
        for method, histogram in meter.seconds.items():
            _add(seconds, (name, method), histogram)
    refusals = CounterMetricFamily("enrol_refusals", "Requests that were refused", labels=["code"])
    for code, count in meters.refusals.items():
        refusals.add_metric([code], count)
    yield from (answers, seconds, refusals)
    yield GaugeMetricFamily(
        "enrol_requests_in_flight", "Requests that are being answered", meters.in_flight
    )


def _commits(meters: Meters) -> Iterator[Metric]:
    commits = meters.commits
    batches = HistogramMetricFamily("enrol_commit_batch_size", "Writes that shared a transaction")
    _add(batches, (), commits.batches)
    seconds = HistogramMetricFamily("enrol_commit_seconds", "Seconds a transaction took")
    _add(seconds, (), commits.seconds)
    written = CounterMetricFamily(
        "enrol_changes", "Changes of the register that were made durable", labels=["change"]
    )
    for change, count in commits.written.items():
        written.add_metric([change], count)
    yield from (batches, seconds, written)


def _calls(meters: Meters) -> Metric:
    calls = HistogramMetricFamily(
        "enrol_outbound_seconds", "Seconds a call of another host took", labels=["kind", "outcome"]
    )
    for (kind, outcome), histogram in meters.calls.seconds.items():
        _add(calls, (kind, outcome), histogram)
    return calls


def _read(readings: Iterable[Reading]) -> Iterator[Metric]:
    """Return the readings, those of one name together; one of nothing has its name only."""
    families: dict[str, CounterMetricFamily | GaugeMetricFamily] = {}
    for reading in readings:
        family = families.get(reading.name)
        if family is None:
            kind = CounterMetricFamily if reading.kind == "counter" else GaugeMetricFamily
            names = [name for name, _ in reading.labels]
            family = families[reading.name] = kind(reading.name, reading.meaning, labels=names)
        value = reading.read()
        if value is not None:
            family.add_metric([text for _, text in reading.labels], value)
    yield from families.values()


def _add(family: HistogramMetricFamily, labels: Iterable[str], histogram: Histogram) -> None:
    bounds = [*map(str, histogram.bounds), "+Inf"]
    counts = accumulate(histogram.counts)
    family.add_metric(list(labels), list(zip(bounds, counts, strict=True)), histogram.total)
