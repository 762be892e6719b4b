"""The short way to tell that an URI is good agrees with the rules one by one."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from enrol.registration.redirect_uri import find_faults, is_https_uri

PARTS = ["a", "1", "-", ".", "/", "//", "_", "~", "%2e", "%2F", ":", "?", "#", "@", "xn--", "tpp"]
CLOSE = st.lists(st.sampled_from(PARTS), max_size=8).map("".join)


def with_query(uri: str) -> str:
    """Return the URI in a form that is looked at rule by rule."""
    return f"{uri}?q"


@given(CLOSE, CLOSE)
def test_what_is_plain_breaks_no_rule(host: str, path: str) -> None:
    uri = f"https://{host}.example{path}"
    if "?" not in uri and "#" not in uri:
        assert is_https_uri(uri) == is_https_uri(with_query(uri))
        assert [*find_faults((uri,))] == [*find_faults((with_query(uri),))]


@pytest.mark.parametrize(
    "uri",
    [
        "https://tpp.example",
        "https://tpp.example/",
        "https://a.tpp.example/callback/",
        "https://tpp.example/a.b/c~d",
    ],
)
def test_plain_uris_are_good(uri: str) -> None:
    assert is_https_uri(uri)
    assert not [*find_faults((uri,))]


@pytest.mark.parametrize(
    "uri",
    [
        "https://tpp.example/a/../b",
        "https://tpp.example/./a",
        "https://tpp.example//a",
        "https://tpp.1",
        "https://xn--tpp.example/a",
        "https://tpp.example\n",
        f"https://{'a' * 64}.example",
        f"https://{'.'.join(['a' * 60] * 5)}.example",
    ],
)
def test_uris_that_are_nearly_plain_are_not(uri: str) -> None:
    assert not is_https_uri(uri)
    assert [*find_faults((uri,))]
