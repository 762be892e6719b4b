"""The fetcher believes nothing about a URL, and reaches nothing but the host it checked."""

import asyncio
from types import SimpleNamespace

import httpx
import pytest

from adapters.tls_host import NAME, listening, ok, say, silent
from enrol.adapters import outbound
from enrol.adapters.fetch import FetchPolicy, HttpsCertificateFetcher, NoFetcher
from enrol.errors import ConfigurationError, SignatureError

URL = f"https://{NAME}/certs/qseal_00.pem"
PEM = b"-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n"
PUBLIC = "93.184.216.34"


class Hand:
    """A clock that a test moves by hand."""

    def __init__(self) -> None:
        self.now = 1000.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def clock():
    return Hand()


@pytest.fixture
def fetcher_of(clock):
    """A fetcher that may reach one host on the loopback."""

    def make(host, **policy):
        return HttpsCertificateFetcher(
            FetchPolicy(allowed_hosts={NAME: host.address}, ca_file=host.ca_file, **policy),
            monotonic=clock,
        )

    return make


@pytest.fixture
def no_connection(monkeypatch):
    """Every connection fails the test."""

    def fail(*_arguments, **_options):
        pytest.fail("a connection was made")

    monkeypatch.setattr(outbound.httpx, "AsyncHTTPTransport", fail)


class Transport:
    """Remembers where it was sent, and answers from the peer a test names."""

    requests: list[httpx.Request]
    peer: tuple[str, int]

    def __init__(self, **options) -> None:
        assert options["trust_env"] is False

    async def __aenter__(self):
        return self

    async def __aexit__(self, *_exception):
        return None

    async def handle_async_request(self, request):
        self.requests.append(request)
        stream = SimpleNamespace(get_extra_info=lambda _name: self.peer)
        return httpx.Response(
            200, stream=httpx.ByteStream(PEM), extensions={"network_stream": stream}
        )


@pytest.fixture
def transport(monkeypatch):
    monkeypatch.setattr(outbound.httpx, "AsyncHTTPTransport", Transport)
    Transport.requests, Transport.peer = [], (PUBLIC, 443)
    return Transport


def resolver(*answers):
    """Return a resolver that gives these answers in turn; each is a list or an error."""
    asked: list[str] = []

    async def resolve(host):
        asked.append(host)
        answer = answers[min(len(asked), len(answers)) - 1]
        if isinstance(answer, Exception):
            raise answer
        return answer

    resolve.asked = asked
    return resolve


async def refused(fetcher, url=URL):
    with pytest.raises(SignatureError) as error:
        await fetcher.fetch(url)
    return error.value.code


async def test_body_is_fetched_with_the_name_in_tls_and_host(tmp_path, fetcher_of):
    async with listening(tmp_path, ok(PEM, b"Set-Cookie: a=b")) as host:
        assert await fetcher_of(host).fetch(URL) == PEM
    head = host.heads[0].split(b"\r\n")
    assert head[0] == b"GET /certs/qseal_00.pem HTTP/1.1"
    assert {b"Host: cdn.tpp.test", b"Accept-Encoding: identity"} <= set(head)
    assert host.names == [NAME]


async def test_path_is_sent_as_it_stands_and_case_of_the_host_does_not_matter(tmp_path, fetcher_of):
    async with listening(tmp_path, ok(PEM)) as host:
        assert await fetcher_of(host).fetch(
            "https://CDN.tpp.test:443/a/../b%2f_é".replace("é", "e")
        )
    assert host.heads[0].startswith(b"GET /a/../b%2f_e HTTP/1.1\r\nHost: cdn.tpp.test\r\n")


async def test_body_is_remembered_for_an_hour(tmp_path, fetcher_of, clock):
    async with listening(tmp_path, ok(PEM)) as host:
        fetcher = fetcher_of(host)
        for moment in (0, 3599, 3601):
            clock.now = 1000.0 + moment
            assert await fetcher.fetch(URL) == PEM
    assert len(host.heads) == 2


async def test_failure_is_remembered_for_half_a_minute(tmp_path, fetcher_of, clock):
    async with listening(tmp_path, say(b"HTTP/1.1 404 Not Found\r\n\r\n")) as host:
        fetcher = fetcher_of(host)
        for moment in (0, 29, 31):
            clock.now = 1000.0 + moment
            assert await refused(fetcher) == "key_url_unreachable"
    assert len(host.heads) == 2


REDIRECT = b"HTTP/1.1 %d Moved\r\nLocation: https://cdn.tpp.test/other\r\nContent-Length: 0\r\n\r\n"


@pytest.mark.parametrize(
    "speak",
    [
        pytest.param(say(REDIRECT % 301), id="redirect 301"),
        pytest.param(say(REDIRECT % 302), id="redirect 302"),
        pytest.param(say(REDIRECT % 307), id="redirect 307"),
        pytest.param(say(REDIRECT % 308), id="redirect 308"),
        pytest.param(say(b"HTTP/1.1 500 Oops\r\nContent-Length: 0\r\n\r\n"), id="status 500"),
        pytest.param(say(b"HTTP/1.1 206 Part\r\nContent-Length: 0\r\n\r\n"), id="status 206"),
        pytest.param(ok(PEM, b"Content-Encoding: gzip"), id="gzip"),
        pytest.param(ok(PEM, b"Content-Encoding: identity"), id="identity named"),
        pytest.param(ok(b"x" * 65_537), id="one byte too many"),
        pytest.param(say(b"HTTP/1.1 200 OK\r\nContent-Length: 99\r\n\r\nshort"), id="length lie"),
        pytest.param(say(b"HTTP/1.1 200 OK\r\n" + b"A: b\r\n" * 40_000), id="endless head"),
        pytest.param(say(b"SSH-2.0-OpenSSH_9.9\r\n\r\n"), id="not HTTP"),
        pytest.param(say(), id="nothing"),
    ],
)
async def test_answer_that_is_no_plain_200_is_unreachable(tmp_path, fetcher_of, speak):
    async with listening(tmp_path, speak) as host:
        assert await refused(fetcher_of(host)) == "key_url_unreachable"
    assert len(host.heads) == 1


async def test_largest_body_is_64_kilobytes(tmp_path, fetcher_of):
    async with listening(tmp_path, ok(b"x" * 65_536)) as host:
        assert len(await fetcher_of(host).fetch(URL)) == 65_536


async def test_endless_body_is_cut_off(tmp_path, fetcher_of):
    sent = 0

    async def flood(writer):
        nonlocal sent
        writer.write(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n")
        while True:
            writer.write(b"4000\r\n" + b"x" * 0x4000 + b"\r\n")
            await writer.drain()
            sent += 0x4000

    async with listening(tmp_path, flood) as host:
        assert await refused(fetcher_of(host)) == "key_url_unreachable"
    assert sent < 50_000_000


async def stall(writer):
    writer.write(b"HTTP/1.1 200 OK\r\nContent-Length: 1000\r\n\r\nbegun")
    await writer.drain()
    await silent(writer)


@pytest.mark.parametrize("speak", [silent, stall], ids=["no answer", "half an answer"])
async def test_slow_host_is_left(tmp_path, fetcher_of, speak):
    async with listening(tmp_path, speak) as host:
        fetcher = fetcher_of(host, total_timeout=0.3)
        assert await refused(fetcher) == "key_url_unreachable"


async def test_certificate_must_be_of_a_known_authority(tmp_path, fetcher_of):
    async with listening(tmp_path, ok(PEM)) as host:
        host.ca_file = None
        assert await refused(fetcher_of(host)) == "key_url_unreachable"
    assert host.heads == []


async def test_certificate_must_be_of_the_name(tmp_path, fetcher_of):
    async with listening(tmp_path, ok(PEM), name="other.tpp.test") as host:
        assert await refused(fetcher_of(host)) == "key_url_unreachable"
    assert host.heads == []


async def test_closed_port_is_unreachable(tmp_path, fetcher_of):
    async with listening(tmp_path, ok(PEM)) as host:
        pass
    assert await refused(fetcher_of(host)) == "key_url_unreachable"


@pytest.mark.parametrize(
    "url",
    [
        "http://tpp.example/seal",
        "HTTPS://tpp.example/seal",
        "https://tpp.example:8443/seal",
        "https://tpp.example:0443/seal",
        "https://tpp.example:/seal",
        "https://user:pw@tpp.example/seal",
        "https://tpp.example@127.0.0.1/seal",
        "https://tpp.example\\@127.0.0.1/seal",
        "https://tpp.example/seal?a=b",
        "https://tpp.example/seal#a",
        "https://tpp.example/seal\n",
        " https://tpp.example/seal",
        "https://tpp.example/sé",
        "https://tpp.exämple/seal",
        "https://tpp.example/a b",
        "https:///seal",
        "https:/tpp.example/seal",
        "https:tpp.example/seal",
        "file:///etc/passwd",
        "https://intranet/seal",
        "https://localhost/seal",
        "https://127.0.0.1/seal",
        "https://127.1/seal",
        "https://0x7f.1/seal",
        "https://0177.0.0.1/seal",
        "https://2130706433/seal",
        "https://169.254.169.254/latest/meta-data",
        "https://[::1]/seal",
        "https://[::ffff:127.0.0.1]/seal",
        "https://tpp.example./seal",
        "https://.tpp.example/seal",
        "https://tpp..example/seal",
        "https://-tpp.example/seal",
        "https://tpp.example-/seal",
        f"https://{'a' * 64}.example/seal",
        f"https://{'a.' * 130}example/seal",
        "",
    ],
)
async def test_url_against_the_policy_is_refused_without_looking_it_up(url, no_connection):
    resolve = resolver([PUBLIC])
    assert await refused(HttpsCertificateFetcher(resolve=resolve), url) == "key_url_refused"
    assert resolve.asked == []


@pytest.mark.parametrize(
    "addresses",
    [
        ["127.0.0.1"],
        ["10.0.0.1"],
        ["169.254.169.254"],
        ["100.64.0.1"],
        ["224.0.0.1"],
        ["::1"],
        ["fe80::1%eth0"],
        ["fc00::1"],
        ["::ffff:93.184.216.34"],
        ["64:ff9b::7f00:1"],
        ["2002:7f00:1::"],
        [PUBLIC, "127.0.0.1"],
        ["127.0.0.1", PUBLIC],
        ["no address"],
    ],
    ids=", ".join,
)
async def test_name_with_an_address_that_is_not_public_is_refused(addresses, no_connection):
    fetcher = HttpsCertificateFetcher(resolve=resolver(addresses))
    assert await refused(fetcher) == "key_url_refused"


async def test_name_is_resolved_once_and_the_connection_goes_to_that_address(transport):
    resolve = resolver([PUBLIC], ["127.0.0.1"])
    assert await HttpsCertificateFetcher(resolve=resolve).fetch(URL) == PEM
    assert resolve.asked == [NAME]
    (request,) = transport.requests
    assert (request.url.host, request.url.port, request.url.scheme) == (PUBLIC, None, "https")
    assert request.extensions["sni_hostname"] == NAME
    assert request.headers["Host"] == NAME


async def test_answer_from_another_address_is_refused(transport):
    transport.peer = ("127.0.0.1", 443)
    fetcher = HttpsCertificateFetcher(resolve=resolver([PUBLIC]))
    assert await refused(fetcher) == "key_url_refused"


async def test_next_address_is_tried_where_one_takes_no_connection(transport, monkeypatch):
    answer = Transport.handle_async_request

    async def first_fails(self, request):
        if request.url.host == "93.184.216.33":
            raise httpx.ConnectError("refused")
        return await answer(self, request)

    monkeypatch.setattr(Transport, "handle_async_request", first_fails)
    fetcher = HttpsCertificateFetcher(resolve=resolver(["93.184.216.33", PUBLIC]))
    assert await fetcher.fetch(URL) == PEM


async def test_address_of_version_6_is_reached(transport):
    transport.peer = ("2606:4700:0::1", 443)
    fetcher = HttpsCertificateFetcher(resolve=resolver(["2606:4700::1"]))
    assert await fetcher.fetch(URL) == PEM
    assert transport.requests[0].url.host == "2606:4700::1"


@pytest.mark.parametrize("answer", [OSError("NXDOMAIN"), UnicodeError("label"), []], ids=repr)
async def test_name_that_cannot_be_resolved_is_unreachable(answer, no_connection):
    fetcher = HttpsCertificateFetcher(resolve=resolver(answer))
    assert await refused(fetcher) == "key_url_unreachable"


async def test_resolver_that_hangs_is_left(no_connection):
    async def hang(_host):
        await asyncio.Event().wait()

    fetcher = HttpsCertificateFetcher(FetchPolicy(resolve_timeout=0.05), resolve=hang)
    assert await refused(fetcher) == "key_url_unreachable"


async def test_one_host_is_fetched_from_so_often_and_no_more(transport, clock):
    fetcher = HttpsCertificateFetcher(resolve=resolver([PUBLIC]), monotonic=clock)
    codes = []
    for number in range(200):
        try:
            await fetcher.fetch(f"https://victim.test/{number}")
        except SignatureError as exc:
            codes.append(exc.code)
    assert len(transport.requests) == 20
    assert set(codes) == {"key_url_unreachable"}
    assert await fetcher.fetch("https://other.test/1") == PEM
    clock.now += 60
    assert await fetcher.fetch("https://victim.test/200") == PEM


async def test_so_many_fetches_run_at_a_time(tmp_path, fetcher_of):
    waiting, release = asyncio.Queue(), asyncio.Event()

    async def hold(writer):
        waiting.put_nowait(writer)
        await release.wait()
        await ok(PEM)(writer)

    async with listening(tmp_path, hold) as host:
        fetcher = fetcher_of(host, parallel=2)
        urls = [f"https://{NAME}/{number}" for number in range(6)]
        fetches = asyncio.gather(*map(fetcher.fetch, urls))
        for _ in range(2):
            await waiting.get()
        for _ in range(100):
            await asyncio.sleep(0)
        assert waiting.empty()
        release.set()
        assert await fetches == [PEM] * 6


async def test_cancelled_fetch_leaves_room_for_the_next(tmp_path, fetcher_of):
    reached = asyncio.Event()

    async def hold(writer):
        reached.set()
        await silent(writer)

    async with listening(tmp_path, hold) as host:
        fetcher = fetcher_of(host, parallel=1, total_timeout=0.3)
        task = asyncio.ensure_future(fetcher.fetch(URL))
        await reached.wait()
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task
        assert await refused(fetcher) == "key_url_unreachable"
    assert len(host.heads) == 2


async def test_fetcher_that_is_switched_off_refuses():
    assert await refused(NoFetcher()) == "key_url_refused"


def test_missing_ca_file_is_named(tmp_path):
    with pytest.raises(ConfigurationError, match=r"absent\.pem"):
        HttpsCertificateFetcher(FetchPolicy(ca_file=tmp_path / "absent.pem"))
