"""The keys of an issuer of software statements, from a file or from a URL that the bank set.

The URL is never anybody else's: nothing of a statement or a request leads anywhere.
"""

import asyncio
import re
import time
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Final

import structlog

from enrol.adapters.outbound import FAILURES, Question, Target, WayOut
from enrol.errors import ConfigurationError, UnavailableError
from enrol.oauth.jws import JwsError, JwsKey, read_key_set

_log = structlog.get_logger(__name__)

KEPT_FOR: Final = 3600.0
"""Seconds that keys count as fresh."""
RENEWED_AFTER: Final = 60.0
"""Seconds from one look to the next, whoever asks for it."""
_DEADLINE: Final = 5.0
_LARGEST: Final = 262_144
_ACCEPT: Final = {"Accept": "application/jwk-set+json, application/json"}
_URL: Final = re.compile(
    r"https://([0-9A-Za-z.-]{1,253})(?::([1-9][0-9]{0,4}))?(/[0-9A-Za-z!$%&'()*+,\-./:;=?@_~]*)?"
)

Load = Callable[[], Awaitable[bytes]]
"""Returns a key set as it is now; raises one of `FAILURES`."""


class LoadedKeys:
    """`IssuerKeys` that are looked at every hour, or earlier when one is missing.

    Where they cannot be had, those that were had before go on counting.
    """

    def __init__(
        self, issuer: str, load: Load, *, monotonic: Callable[[], float] = time.monotonic
    ) -> None:
        self._issuer = issuer
        self._load = load
        self._monotonic = monotonic
        self._keys: tuple[JwsKey, ...] = ()
        self._looked_at: float | None = None
        self._looking = asyncio.Lock()

    async def current(self) -> tuple[JwsKey, ...]:
        """Return the keys, seen within the hour where that was possible."""
        return await self._within(KEPT_FOR if self._keys else RENEWED_AFTER)

    async def renewed(self) -> tuple[JwsKey, ...]:
        """Return the keys, seen within the minute."""
        return await self._within(RENEWED_AFTER)

    async def _within(self, age: float) -> tuple[JwsKey, ...]:
        """Return the keys after a look that is no older than `age`, in seconds; one looks for all.

        Raises `UnavailableError` ``statement_keys_unavailable`` where no keys were ever had.
        """
        async with self._looking:
            now = self._monotonic()
            if self._looked_at is None or now - self._looked_at >= age:
                self._looked_at = now
                await self._look()
        if not self._keys:
            raise UnavailableError("statement_keys_unavailable", retry_after=int(RENEWED_AFTER))
        return self._keys

    async def _look(self) -> None:
        try:
            self._keys = read_key_set(await self._load())
        except (JwsError, *FAILURES) as exc:
            _log.warning("statement_keys_failed", issuer=self._issuer, cause=type(exc).__name__)


def from_file(path: Path) -> Load:
    """Return what reads a key set from a file; raises `ConfigurationError` where it is none now."""
    try:
        read_key_set(path.read_bytes())
    except OSError as exc:
        raise ConfigurationError(
            "statement_keys_invalid", f"{path}: cannot be read ({exc})"
        ) from exc
    except JwsError as exc:
        raise ConfigurationError(
            "statement_keys_invalid",
            f"{path}: not a JSON Web Key Set of public keys, each with a kid of its own",
        ) from exc

    async def load() -> bytes:
        return await asyncio.to_thread(path.read_bytes)

    return load


def from_url(url: str, way_out: WayOut) -> Load:
    """Return what fetches a key set; raises `ConfigurationError` where the URL is none of HTTPS."""
    target, question = _target_of(url), Question("GET", _ACCEPT, _LARGEST)

    async def load() -> bytes:
        async with asyncio.timeout(_DEADLINE):
            return await way_out.send(target, question)

    return load


def _target_of(url: str) -> Target:
    match = _URL.fullmatch(url)
    if match is None or int(match[2] or 443) > 65_535:
        raise ConfigurationError(
            "statement_keys_invalid", f"{url}: must be https://host[:port]/path"
        )
    return Target("https", match[1].lower(), int(match[2] or 443), match[3] or "/")
