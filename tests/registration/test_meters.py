"""What a server counts of itself."""

from enrol.registration.meters import Histogram, Meters


def test_a_histogram_counts_each_value_once_at_the_first_bound_it_fits_under():
    histogram = Histogram((1.0, 2.0))
    for value in (0.5, 1.0, 1.5, 9.0):
        histogram.observe(value)
    assert histogram.counts == [2, 1, 1]
    assert histogram.total == 12.0


def test_an_answer_is_counted_by_method_and_status_and_a_refusal_by_its_code():
    meters = Meters()
    meter = meters.entry_point("/register")
    meter.answered("POST", 201, None, seconds=0.002)
    meter.answered("POST", 401, "token_missing", seconds=0.002)
    assert meter.answers == {("POST", 201): 1, ("POST", 401): 1}
    assert sum(meter.seconds["POST"].counts) == 2
    assert meters.refusals == {"token_missing": 1}


def test_an_entry_point_has_one_meter_however_often_it_is_asked_for():
    meters = Meters()
    assert meters.entry_point("") is meters.entry_point("")


def test_an_answer_to_what_is_no_request_has_no_duration():
    meters = Meters()
    meters.entry_point("").cut_off(400, "http_malformed")
    assert meters.entry_point("").answers == {("other", 400): 1}
    assert not meters.entry_point("").seconds
