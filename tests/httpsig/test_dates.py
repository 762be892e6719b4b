"""Dates of HTTP."""

from datetime import UTC, datetime

import pytest

from enrol.httpsig.dates import parse_date, parse_fixdate
from httpsig_messages import code_of

AT = datetime(2023, 11, 14, 22, 13, 20, tzinfo=UTC)
FIXDATE = b"Tue, 14 Nov 2023 22:13:20 GMT"
RFC850 = b"Tuesday, 14-Nov-23 22:13:20 GMT"
ASCTIME = b"Tue Nov 14 22:13:20 2023"


def test_the_form_that_is_sent():
    assert parse_fixdate(FIXDATE) == AT


@pytest.mark.parametrize("text", [FIXDATE, RFC850, ASCTIME])
def test_the_three_forms_that_are_read(text):
    assert parse_date(text, at=AT) == AT


@pytest.mark.parametrize("text", [RFC850, ASCTIME])
def test_obsolete_forms_are_refused_where_only_one_is_read(text):
    assert code_of(parse_fixdate, text) == "TIM-6"


def test_day_of_asctime_may_have_one_digit():
    assert parse_date(b"Mon Nov  6 22:13:20 2023", at=AT) == AT.replace(day=6)


@pytest.mark.parametrize(
    ("year", "weekday", "means"), [(73, "Tuesday", 2073), (74, "Thursday", 1974)]
)
def test_year_of_two_digits_is_at_most_fifty_years_ahead(year, weekday, means):
    assert parse_date(f"{weekday}, 14-Nov-{year} 22:13:20 GMT".encode(), at=AT).year == means


@pytest.mark.parametrize(
    "text",
    [
        b"Wed, 14 Nov 2023 22:13:20 GMT",
        b"Tue, 14 Nov 2023 24:13:20 GMT",
        b"Tue, 14 Nov 2023 22:13:60 GMT",
        b"Tue, 31 Feb 2023 22:13:20 GMT",
        b"Tue, 14 Nov 2023 22:13:20 CET",
        b"Tue, 14 Nov 2023 22:13:20 +0000",
        b"Tue, 14 nov 2023 22:13:20 GMT",
        b"Tue, 4 Nov 2023 22:13:20 GMT",
        b"Tue, 14 Nov 0000 22:13:20 GMT",
        "Tue, 14 Nov 202\u0663 22:13:20 GMT".encode(),
        b"1700000000",
        b"",
        FIXDATE + b"\n",
    ],
)
def test_what_is_no_date_is_refused(text):
    assert code_of(parse_date, text, at=AT) == "TIM-6"
    assert code_of(parse_fixdate, text) == "TIM-6"
