"""Compatibility switches by name."""

from dataclasses import replace

import pytest

from enrol.httpsig import STET, Quirk
from enrol.httpsig.policy import ALIASES

ON = {
    Quirk.ALGORITHM_ALIAS: {"algorithm_aliases": ALIASES},
    Quirk.EMPTY_HEADERS: {"empty_headers": True},
    Quirk.PUT_SIGNED_AS_POST: {"put_signed_as_post": True},
    Quirk.STRIPPED_PREFIX: {"stripped_prefix": b"/p"},
}


@pytest.mark.parametrize("quirk", Quirk)
def test_a_quirk_switches_one_thing_on(quirk: Quirk) -> None:
    assert STET.with_quirks([quirk], prefix=b"/p") == replace(STET, **ON[quirk])


def test_what_is_not_named_is_switched_off() -> None:
    assert STET.with_quirks(list(Quirk), prefix=b"/p").with_quirks([], prefix=b"/p") == STET
