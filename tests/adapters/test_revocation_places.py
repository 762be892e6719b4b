"""Where a certificate can send the bank, and where it cannot."""

from types import SimpleNamespace

import pytest

from adapters.inquiries import SITE, Local, leaf_of, outcome
from eidas.minting import mint_crl
from enrol.adapters import outbound
from enrol.adapters.places import lists_of, responders_of, url_of
from enrol.adapters.revocation import OnlineRevocationSource
from enrol.eidas.certificate import parse_certificate


def places(authority, **urls) -> list[str]:
    certificate = parse_certificate(leaf_of(authority, **urls))
    return [url_of(each) for each in (*responders_of(certificate), *lists_of(certificate))]


@pytest.mark.parametrize(
    ("url", "expected"),
    [
        ("http://QTSP.test", "http://qtsp.test/"),
        ("HTTP://qtsp.test/OCSP", "http://qtsp.test/OCSP"),
        ("http://qtsp.test:80/a", "http://qtsp.test/a"),
        ("http://qtsp.test:8080/a", "http://qtsp.test:8080/a"),
        ("https://qtsp.test/a/../b?c=d/e", "https://qtsp.test/a/../b?c=d/e"),
        ("http://qtsp.test?c=d", "http://qtsp.test/?c=d"),
        ("http://qtsp.test:0/a", None),
        ("http://qtsp.test:65536/a", None),
        ("http://user@qtsp.test/a", None),
        ("http://qtsp.test\\@127.0.0.1/a", None),
        ("http://[::1]/a", None),
        ("http://qtsp.test/a b", None),
        ("http://qtsp.test/a\r\nX: y", None),
        ("http://qtsp.test/a#b", None),
        ("file:///etc/passwd", None),
        ("ldap://qtsp.test/cn=CA", None),
        ("gopher://qtsp.test/1", None),
        ("", None),
        (f"http://qtsp.test/{'a' * 2048}", None),
    ],
)
def test_only_plain_urls_of_the_web_are_places(qtsp, url, expected):
    found = places(qtsp, ocsp=(url,), crl=())
    assert found == ([] if expected is None else [expected])


async def unreachable(qtsp, url: str, *, resolve=None) -> str:
    """Say what comes of a certificate that sends the bank somewhere."""
    source = OnlineRevocationSource(Local(), resolve=resolve)
    return await outcome(source, qtsp, leaf_of(qtsp, ocsp=(url,), crl=(url,)))


@pytest.fixture
def no_connection(monkeypatch):
    """Every connection fails the test."""

    def fail(*_arguments, **_options):
        pytest.fail("a connection was made")

    monkeypatch.setattr(outbound.httpx, "AsyncHTTPTransport", fail)


@pytest.mark.parametrize(
    "url",
    [
        "http://127.0.0.1/ocsp",
        "http://2130706433/ocsp",
        "http://0x7f.1/ocsp",
        "http://0177.0.0.1/ocsp",
        "http://169.254.169.254/latest/meta-data",
        "http://localhost/ocsp",
        "http://intranet/ocsp",
    ],
)
async def test_an_address_or_a_short_name_is_not_looked_up(qtsp, no_connection, url):
    async def resolve(_host):
        pytest.fail("it was looked up")

    assert await unreachable(qtsp, url, resolve=resolve) == "revocation_unknown"


@pytest.mark.parametrize(
    "addresses",
    [
        *(["127.0.0.1"], ["10.0.0.1"], ["169.254.169.254"], ["::1"], ["fd00::1"]),
        *(["::ffff:10.0.0.1"], ["::ffff:93.184.216.34"], ["64:ff9b::7f00:1"]),
        ["93.184.216.34", "10.0.0.1"],
    ],
    ids=", ".join,
)
async def test_a_name_with_an_address_that_is_not_public_is_not_reached(
    qtsp, no_connection, addresses
):
    async def resolve(_host):
        return addresses

    assert await unreachable(qtsp, SITE, resolve=resolve) == "revocation_unknown"


async def test_the_connection_goes_to_the_address_that_was_checked(qtsp, monkeypatch):
    reached = []

    class Transport:
        def __init__(self, **_options) -> None:
            pass

        async def __aenter__(self):
            return self

        async def __aexit__(self, *_exception):
            return None

        async def handle_async_request(self, request):
            reached.append((request.url.host, request.url.port, request.headers["Host"]))
            stream = SimpleNamespace(get_extra_info=lambda _name: ("127.0.0.1", 80))
            body = outbound.httpx.ByteStream(mint_crl(qtsp))
            return outbound.httpx.Response(200, stream=body, extensions={"network_stream": stream})

    monkeypatch.setattr(outbound.httpx, "AsyncHTTPTransport", Transport)
    answers = iter([["93.184.216.34"], ["127.0.0.1"]])

    async def resolve(_host):
        return next(answers)

    source = OnlineRevocationSource(Local(), resolve=resolve)
    leaf = leaf_of(qtsp, ocsp=(), crl=(f"{SITE}/ca.crl",))
    assert await outcome(source, qtsp, leaf) == "revocation_unknown"  # the peer is another
    assert reached == [("93.184.216.34", None, "qtsp.test")]
