"""The keys of an issuer are fetched seldom, from the one place that was set, or kept."""

import asyncio
from pathlib import Path

import pytest
from joserfc.jwk import ECKey

from adapters.tls_host import NAME, listening, ok, say
from enrol.adapters.issuer_keys import KEPT_FOR, RENEWED_AFTER, LoadedKeys, from_file, from_url
from enrol.adapters.outbound import Reach, WayOut
from enrol.errors import ConfigurationError, UnavailableError
from statement_issuer import StatementIssuer


class Hand:
    """A clock that a test moves by hand."""

    def __init__(self) -> None:
        self.now = 1000.0

    def __call__(self) -> float:
        return self.now


class Directory:
    """What is published, and how often it was looked at."""

    def __init__(self) -> None:
        self.issuer = StatementIssuer()
        self.looks = 0
        self.is_down = False

    async def load(self) -> bytes:
        self.looks += 1
        await asyncio.sleep(0)
        if self.is_down:
            raise OSError("no way")
        return self.issuer.jwks


@pytest.fixture
def directory() -> Directory:
    return Directory()


@pytest.fixture
def clock() -> Hand:
    return Hand()


@pytest.fixture
def keys(directory: Directory, clock: Hand) -> LoadedKeys:
    return LoadedKeys("https://directory.test", directory.load, monotonic=clock)


def names(found: tuple[object, ...]) -> list[object]:
    return [each.kid for each in found]  # type: ignore[attr-defined]  # all are keys


async def test_keys_are_looked_at_once_however_many_ask(
    keys: LoadedKeys, directory: Directory
) -> None:
    found = await asyncio.gather(*(keys.current() for _ in range(20)))
    assert {len(each) for each in found} == {1}
    assert directory.looks == 1


async def test_keys_are_looked_at_again_after_an_hour(
    keys: LoadedKeys, directory: Directory, clock: Hand
) -> None:
    await keys.current()
    clock.now += KEPT_FOR - 1
    await keys.current()
    assert directory.looks == 1
    clock.now += 1
    await keys.current()
    assert directory.looks == 2


async def test_a_missing_key_is_looked_for_once_a_minute_at_most(
    keys: LoadedKeys, directory: Directory, clock: Hand
) -> None:
    await keys.current()
    directory.issuer.keys["k2"] = ECKey.generate_key("P-256")
    for _ in range(20):
        assert names(await keys.renewed()) == ["k1"]
    assert directory.looks == 1
    clock.now += RENEWED_AFTER
    for _ in range(20):
        assert names(await keys.renewed()) == ["k1", "k2"]
    assert directory.looks == 2


async def test_keys_that_were_had_count_while_new_ones_cannot_be_had(
    keys: LoadedKeys, directory: Directory, clock: Hand
) -> None:
    await keys.current()
    directory.is_down = True
    clock.now += 2 * KEPT_FOR
    assert names(await keys.current()) == ["k1"]


async def test_without_any_key_nothing_can_be_decided_and_nobody_is_flooded(
    keys: LoadedKeys, directory: Directory, clock: Hand
) -> None:
    directory.is_down = True
    for _ in range(5):
        with pytest.raises(UnavailableError, match="statement_keys_unavailable"):
            await keys.current()
    assert directory.looks == 1
    directory.is_down = False
    clock.now += RENEWED_AFTER
    assert names(await keys.current()) == ["k1"]


async def test_a_file_is_read_and_read_again(tmp_path: Path, clock: Hand) -> None:
    path, issuer = tmp_path / "directory.jwks", StatementIssuer()
    path.write_bytes(issuer.jwks)
    keys = LoadedKeys("x", from_file(path), monotonic=clock)
    assert names(await keys.current()) == ["k1"]
    issuer.keys["k2"] = ECKey.generate_key("P-256")
    path.write_bytes(issuer.jwks)
    clock.now += RENEWED_AFTER
    assert names(await keys.renewed()) == ["k1", "k2"]


@pytest.mark.parametrize("content", [None, b"", b"{}"], ids=["missing", "empty", "no keys"])
def test_a_file_without_keys_is_told_at_the_start(tmp_path: Path, content: bytes | None) -> None:
    path = tmp_path / "directory.jwks"
    if content is not None:
        path.write_bytes(content)
    with pytest.raises(ConfigurationError) as error:
        from_file(path)
    assert error.value.code == "statement_keys_invalid"


@pytest.mark.parametrize(
    "url",
    [
        *("http://directory.test/jwks", "https://user@directory.test/jwks", "file:///etc/passwd"),
        *(
            "https://directory.test:0/",
            "https://directory.test:65536/",
            "https://directory.test/#a",
        ),
        "https://directory.test/a b",
    ],
)
def test_an_address_that_is_not_plain_https_is_told_at_the_start(url: str) -> None:
    with pytest.raises(ConfigurationError):
        from_url(url, WayOut(Reach()))


async def test_keys_are_fetched_from_the_address_that_was_set(tmp_path: Path, clock: Hand) -> None:
    async with listening(tmp_path, ok(StatementIssuer().jwks)) as host:
        way_out = WayOut(Reach(allowed_hosts={NAME: host.address}, ca_file=host.ca_file))
        keys = LoadedKeys("x", from_url(f"https://{NAME}/keys?of=all", way_out), monotonic=clock)
        assert names(await keys.current()) == ["k1"]
        assert host.heads[0].startswith(b"GET /keys?of=all HTTP/1.1\r\n")


@pytest.mark.parametrize(
    "speaker",
    [
        say(
            b"HTTP/1.1 302 Found\r\nLocation: https://169.254.169.254/\r\nContent-Length: 0\r\n\r\n"
        ),
        ok(b"{" + b" " * 300_000 + b"}"),
        ok(b"<html>"),
    ],
    ids=["redirect", "large", "no keys"],
)
async def test_what_is_no_plain_key_set_gives_no_keys(
    tmp_path: Path, clock: Hand, speaker: object
) -> None:
    async with listening(tmp_path, speaker) as host:  # type: ignore[arg-type]  # speaks as a host does
        way_out = WayOut(Reach(allowed_hosts={NAME: host.address}, ca_file=host.ca_file))
        keys = LoadedKeys("x", from_url(f"https://{NAME}/keys", way_out), monotonic=clock)
        with pytest.raises(UnavailableError):
            await keys.current()


async def test_an_address_inside_is_not_reached(clock: Hand) -> None:
    async def resolve(_host: str) -> list[str]:
        return ["127.0.0.1"]

    way_out = WayOut(Reach(), resolve=resolve)
    keys = LoadedKeys("x", from_url("https://directory.test/keys", way_out), monotonic=clock)
    with pytest.raises(UnavailableError):
        await keys.current()
