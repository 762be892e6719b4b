"""Metrics as Prometheus reads them."""

from prometheus_client.parser import text_string_to_metric_families

from enrol.adapters.metrics import CONTENT_TYPE, Exposition
from enrol.registration.meters import Meters, Reading


def rendered(meters: Meters, *readings: Reading) -> dict[str, float]:
    """Return the samples by name and labels."""
    text = Exposition(meters, readings).render().decode()
    return {
        f"{sample.name}{sorted(sample.labels.items())}": sample.value
        for family in text_string_to_metric_families(text)
        for sample in family.samples
    }


def test_what_was_counted_is_shown_as_it_is_now():
    meters = Meters()
    meters.entry_point("").answered("other", 400, "http_malformed", seconds=0.3)
    meters.commits.written["registered"] += 3
    meters.calls.called("ocsp", "timeout", seconds=2.5)
    meters.in_flight = 7
    samples = rendered(meters)
    where = "('entry_point', 'none'), ('method', 'other')"
    assert samples[f"enrol_requests_total[{where}, ('status', '400')]"] == 1
    assert samples[f"enrol_request_seconds_bucket[{where[:23]}, ('le', '0.25'){where[23:]}]"] == 0
    assert samples[f"enrol_request_seconds_bucket[{where[:23]}, ('le', '0.5'){where[23:]}]"] == 1
    assert samples["enrol_refusals_total[('code', 'http_malformed')]"] == 1
    assert samples["enrol_changes_total[('change', 'registered')]"] == 3
    call = "('kind', 'ocsp'), ('outcome', 'timeout')"
    assert samples[f"enrol_outbound_seconds_sum[{call}]"] == 2.5
    assert samples["enrol_requests_in_flight[]"] == 7


def test_buckets_are_cumulative_and_end_with_everything():
    meters = Meters()
    for size in (1, 2, 500):
        meters.commits.batches.observe(size)
    samples = rendered(meters)
    counts = [samples[f"enrol_commit_batch_size_bucket[('le', '{le}')]"] for le in (1.0, 2.0)]
    assert counts == [1, 2]
    assert samples["enrol_commit_batch_size_bucket[('le', '+Inf')]"] == 3
    assert samples["enrol_commit_batch_size_count[]"] == 3


def test_readings_of_one_name_stand_together_and_those_of_nothing_are_left_out():
    def reading(label: str, value: float | None) -> Reading:
        return Reading("enrol_x", "X", lambda: value, labels=(("of", label),), kind="counter")

    samples = rendered(Meters(), reading("a", 1), reading("b", None), reading("c", 2))
    found = {name: value for name, value in samples.items() if name.startswith("enrol_x")}
    assert found == {
        "enrol_x_total[('of', 'a')]": 1,
        "enrol_x_total[('of', 'c')]": 2,
    }


def test_the_process_is_shown_and_the_format_is_the_plain_one():
    samples = rendered(Meters())
    assert samples["process_resident_memory_bytes[]"] > 0
    assert CONTENT_TYPE.startswith("text/plain; version=0.0.4")
