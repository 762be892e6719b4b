"""When registrations count that a bank takes up on its working days."""

from datetime import UTC, date, datetime, time
from zoneinfo import ZoneInfo

import pytest

from enrol.registration.effective import WorkingDays

PARIS = ZoneInfo("Europe/Paris")
BPCE = WorkingDays(
    time(9, 59),
    time(14),
    PARIS,
    frozenset({date(2026, 12, 25), date(2027, 1, 1), date(2026, 5, 1)}),
)


@pytest.mark.parametrize(
    ("received", "counts"),
    [
        pytest.param("2026-11-23 09:58:59", "2026-11-23 14:00", id="a Monday before the cut-off"),
        pytest.param("2026-11-23 09:59:00", "2026-11-24 14:00", id="a Monday at the cut-off"),
        pytest.param("2026-11-23 23:59:59", "2026-11-24 14:00", id="a Monday at night"),
        pytest.param("2026-11-24 00:00:00", "2026-11-24 14:00", id="midnight begins the day"),
        pytest.param("2026-11-27 09:00:00", "2026-11-27 14:00", id="a Friday before the cut-off"),
        pytest.param("2026-11-27 10:00:00", "2026-11-30 14:00", id="a Friday after it"),
        pytest.param("2026-11-28 09:00:00", "2026-11-30 14:00", id="a Saturday"),
        pytest.param("2026-11-29 15:00:00", "2026-11-30 14:00", id="a Sunday"),
        pytest.param("2026-12-24 10:00:00", "2026-12-28 14:00", id="a holiday before a weekend"),
        pytest.param("2026-12-25 08:00:00", "2026-12-28 14:00", id="early on a holiday"),
        pytest.param("2026-12-31 12:00:00", "2027-01-04 14:00", id="the turn of the year"),
        pytest.param("2026-03-27 12:00:00", "2026-03-30 14:00", id="over the start of summer time"),
        pytest.param("2026-10-23 12:00:00", "2026-10-26 14:00", id="over the end of summer time"),
    ],
)
def test_what_is_received_counts_from_the_next_time_of_a_working_day(received, counts):
    at = datetime.fromisoformat(received).replace(tzinfo=PARIS)
    expected = datetime.fromisoformat(counts).replace(tzinfo=PARIS)
    assert BPCE.effective_at(at.astimezone(UTC)) == expected


@pytest.mark.parametrize(
    ("received", "counts"),
    [
        pytest.param("2026-07-06T07:58:59Z", "2026-07-06T12:00:00Z", id="in summer"),
        pytest.param("2026-07-06T08:30:00Z", "2026-07-07T12:00:00Z", id="in summer, after it"),
        pytest.param("2026-01-05T08:58:59Z", "2026-01-05T13:00:00Z", id="in winter"),
        pytest.param("2026-07-05T22:30:00Z", "2026-07-06T12:00:00Z", id="Monday there, not in UTC"),
        pytest.param("2026-03-27T13:30:00Z", "2026-03-30T12:00:00Z", id="winter to summer"),
        pytest.param("2026-10-23T13:30:00Z", "2026-10-26T13:00:00Z", id="summer to winter"),
    ],
)
def test_the_clocks_are_those_of_the_bank(received, counts):
    found = BPCE.effective_at(datetime.fromisoformat(received))
    assert found == datetime.fromisoformat(counts)
    assert found.tzinfo is UTC


def test_a_time_the_clocks_skip_is_one_all_the_same():
    night = WorkingDays(time(1), time(2, 30), ZoneInfo("Asia/Gaza"))  # changes on a Saturday
    found = night.effective_at(datetime(2026, 3, 27, 0, tzinfo=UTC))
    assert found > datetime(2026, 3, 27, tzinfo=UTC)
