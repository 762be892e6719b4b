"""Where the EBA's register is fetched from: what it says of its file, then the file.

Over HTTPS, one request each, no redirect, bounded in size and time; the file is believed when it
has the SHA-256 that was said of it.
"""

import hashlib
import ssl
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Final
from urllib.parse import urljoin, urlsplit

import httpx
import msgspec

from enrol.errors import ConfigurationError

EBA_METADATA: Final = "https://euclid.eba.europa.eu/register/api/filemetadata"

_OK: Final = 200
_LARGEST_METADATA: Final = 64 * 1024
_LARGEST_FILE: Final = 256 * 1024 * 1024


class FileMetadata(msgspec.Struct, frozen=True):
    """What the register says of its latest file."""

    golden_copy_path_context: str
    latest_version_relative_zip_path: str
    sha256_hash: str

    def location(self, origin: str) -> str:
        """Return the URL of the file, which is on the host of `origin`."""
        base = self.golden_copy_path_context.rstrip("/") + "/"
        location = urljoin(origin, base + self.latest_version_relative_zip_path.lstrip("/"))
        if urlsplit(location)[:2] != urlsplit(origin)[:2]:
            raise ValueError("it names a file on another host")
        return location


@dataclass(frozen=True, slots=True)
class RegisterSource:
    """`timeout` is in seconds, of each read; `ca_file` has the CAs of a mirror or a proxy."""

    metadata_url: str = EBA_METADATA
    timeout: float = 60.0
    ca_file: Path | None = None

    @contextmanager
    def fetch(self, progress: Callable[[int, int], object] = lambda *_: None) -> Iterator[Path]:
        """Give out the latest file of the register, which is gone afterwards.

        Raises ConfigurationError ``register_unreachable``.
        """
        with tempfile.TemporaryDirectory(prefix="enrol-register-") as folder:
            path = Path(folder, "register.zip")
            try:
                self._fetch(path, progress)
            except (httpx.HTTPError, httpx.InvalidURL, OSError, ValueError) as exc:
                raise ConfigurationError(
                    "register_unreachable", f"{self.metadata_url}: {type(exc).__name__}: {exc}"
                ) from exc
            yield path

    def _fetch(self, path: Path, progress: Callable[[int, int], object]) -> None:
        if urlsplit(self.metadata_url).scheme != "https":
            raise ValueError("not an HTTPS URL")
        with httpx.Client(
            verify=ssl.create_default_context(cafile=self.ca_file),
            follow_redirects=False,
            timeout=self.timeout,
            headers={"User-Agent": "enrol", "Accept-Encoding": "identity"},
        ) as client:
            body = b"".join(_get(client, self.metadata_url, _LARGEST_METADATA))
            metadata = msgspec.json.decode(body, type=FileMetadata)
            digest, done = hashlib.sha256(), 0
            with path.open("wb") as file:
                for chunk in _get(client, metadata.location(self.metadata_url), _LARGEST_FILE):
                    digest.update(chunk)
                    file.write(chunk)
                    done += len(chunk)
                    progress(done, 0)
            if digest.hexdigest() != metadata.sha256_hash.strip().lower():
                raise ValueError("the file does not have the SHA-256 that was said of it")


def _get(client: httpx.Client, url: str, largest: int) -> Iterator[bytes]:
    done = 0
    with client.stream("GET", url) as response:
        if response.status_code != _OK:
            raise ValueError(f"{url} answered {response.status_code}")
        for chunk in response.iter_raw():
            done += len(chunk)
            if done > largest:
                raise ValueError(f"{url} goes on too long")
            yield chunk
