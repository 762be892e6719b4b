"""Fetching the register: what its metadata say of it, and nothing else, is believed."""

import asyncio
import hashlib
import json
from collections.abc import Awaitable, Callable

import pytest

from adapters.tls_host import listening, ok, say
from enrol.adapters.register.source import EBA_METADATA, FileMetadata, RegisterSource
from enrol.errors import ConfigurationError

ZIP = b"PK and so on"


def metadata(**changes: object) -> bytes:
    return json.dumps(
        {
            "golden_copy_path_context": "/register/downloads/PSDMD/",
            "latest_version_relative_zip_path": "20261123/download.zip",
            "latest_version_relative_zip_size": str(len(ZIP)),
            "sha256_hash": hashlib.sha256(ZIP).hexdigest(),
            "timestamp": "Mon Nov 23 16:00:29 UTC 2026",
        }
        | changes
    ).encode()


def fetched(tmp_path, first: Callable[..., Awaitable[None]], second=None, *, scheme="https"):
    """Fetch from a host that answers the first request so, and every other otherwise."""
    answers = iter((first, *[second or ok(ZIP)] * 3))

    async def run() -> tuple[bytes, list[bytes]]:
        async def speak(writer):
            await next(answers)(writer)

        async with listening(tmp_path, speak, name="localhost") as host:
            source = RegisterSource(
                f"{scheme}://localhost:{host.address[1]}/api/filemetadata",
                timeout=5,
                ca_file=host.ca_file,
            )

            def read() -> bytes:
                with source.fetch() as path:
                    return path.read_bytes()

            return await asyncio.to_thread(read), [head.split(b" ")[1] for head in host.heads]

    return asyncio.run(run())


def test_the_file_is_where_the_metadata_say(tmp_path):
    content, asked = fetched(tmp_path, ok(metadata()))
    assert content == ZIP
    assert asked == [b"/api/filemetadata", b"/register/downloads/PSDMD/20261123/download.zip"]


@pytest.mark.parametrize(
    ("first", "second"),
    [
        pytest.param(ok(metadata(sha256_hash="0" * 64)), None, id="another digest"),
        pytest.param(ok(b"<html>maintenance</html>"), None, id="a page"),
        pytest.param(ok(b"{}"), None, id="no file named"),
        pytest.param(ok(b" " * 70_000), None, id="endless metadata"),
        pytest.param(
            ok(metadata(golden_copy_path_context="https://127.0.0.1:1/")), None, id="another host"
        ),
        pytest.param(
            say(b"HTTP/1.1 302 Found\r\nLocation: /other\r\nContent-Length: 0\r\n\r\n"),
            None,
            id="redirected",
        ),
        pytest.param(
            ok(metadata()), say(b"HTTP/1.1 200 OK\r\nContent-Length: 99\r\n\r\nPK"), id="cut off"
        ),
        pytest.param(ok(metadata()), ok(ZIP[:-1]), id="another file"),
    ],
)
def test_anything_else_is_refused(tmp_path, first, second):
    with pytest.raises(ConfigurationError) as refused:
        fetched(tmp_path, first, second)
    assert refused.value.code == "register_unreachable"


def test_only_https_is_spoken(tmp_path):
    with pytest.raises(ConfigurationError, match="not an HTTPS URL"):
        fetched(tmp_path, ok(metadata()), scheme="http")


def test_the_location_is_that_of_the_real_register():
    said = FileMetadata(
        "https://euclid.eba.europa.eu/register/downloads/PSDMD/", "20260816/a.zip", "0"
    )
    location = "https://euclid.eba.europa.eu/register/downloads/PSDMD/20260816/a.zip"
    assert said.location(EBA_METADATA) == location
