"""The audit trail in a file of JSON lines: written from a register, read without one.

First a line of the whole, then the blobs, then the events, so that it is read from front to back.
"""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import datetime
from pathlib import Path
from typing import BinaryIO, Final, cast

import msgspec

from enrol.errors import ConfigurationError
from enrol.registration.chain import ChainedEvent, Columns, Head
from enrol.registration.review import Trail

VERSION: Final = 1
_LONGEST_LINE: Final = 64 * 1024 * 1024

Digest = str
"""A SHA-256 in hexadecimal."""


class _TrailLine(msgspec.Struct, frozen=True, tag_field="line", tag="trail"):
    """The first line: where the chain ended when it was exported; `hash` is of the last event."""

    version: int
    exported_at: datetime
    events: int
    hash: Digest


class _BlobLine(msgspec.Struct, frozen=True, tag_field="line", tag="blob"):
    """Bytes that evidence names; `content` is base64."""

    sha256: Digest
    content: bytes


class _EventLine(msgspec.Struct, frozen=True, tag_field="line", tag="event"):
    """One event, by the columns its hash is over; `request` is base64."""

    id: int
    at: int
    type: str
    code: str | None
    organization_identifier: str | None
    client_id: str | None
    request_id: str | None
    evidence: str
    request: bytes | None
    hash: Digest

    @property
    def columns(self) -> Columns:
        """What the hash is over."""
        return cast("Columns", msgspec.structs.astuple(self)[:-1])


_Line = _TrailLine | _BlobLine | _EventLine
_encode: Final = msgspec.json.Encoder().encode
_decode: Final = msgspec.json.Decoder(_Line).decode


def write_trail(
    trail: Trail, out: BinaryIO, *, at: datetime, written: Callable[[int], object]
) -> None:
    """Write a trail as lines, a few of them in memory; `written` is told the number of each event.

    Raises what the trail and the stream raise.
    """
    head = trail.head
    out.write(_encode(_TrailLine(VERSION, at, head.id, head.hash.hex())) + b"\n")
    out.writelines(
        _encode(_BlobLine(sha256.hex(), content)) + b"\n" for sha256, content in trail.blobs()
    )
    for event in trail.events():
        out.write(_encode(_EventLine(*event.columns, event.hash.hex())) + b"\n")
        written(event.id)


class ExportedTrail:
    """A trail in a file; raises `ConfigurationError` ``export_malformed`` where it is none."""

    def __init__(self, file: BinaryIO) -> None:
        self._file = file
        self._number = 0
        first = self._read()
        if not isinstance(first, _TrailLine) or first.version != VERSION:
            raise self._malformed()
        self.head = Head(first.events, self._hash(first.hash))
        self._places: dict[bytes, int] = {}
        place = file.tell()
        while isinstance(line := self._read(), _BlobLine):
            self._places[self._hash(line.sha256)] = place
            place = file.tell()
        self._first_event = place, self._number - 1

    def events(self) -> Iterator[ChainedEvent]:
        """Return every event in the order of the file."""
        place, self._number = self._first_event
        self._file.seek(place)
        while (line := self._read()) is not None:
            if not isinstance(line, _EventLine):
                raise self._malformed()
            place = self._file.tell()
            yield ChainedEvent(*line.columns, self._hash(line.hash))
            self._file.seek(place)

    def blobs(self) -> Iterator[tuple[bytes, bytes]]:
        """Return every blob: the SHA-256 it is kept under, and its bytes."""
        for sha256 in self._places:
            content = self.blob(sha256)
            if content is not None:
                yield sha256, content

    def blob(self, sha256: bytes) -> bytes | None:
        """Return the bytes kept under a SHA-256."""
        place = self._places.get(sha256)
        if place is None:
            return None
        self._file.seek(place)
        line = _decode(self._file.readline(_LONGEST_LINE))
        return line.content if isinstance(line, _BlobLine) else None

    def _read(self) -> _Line | None:
        self._number += 1
        line = self._file.readline(_LONGEST_LINE)
        if not line:
            return None
        try:
            return cast("_Line", _decode(line))
        except (msgspec.DecodeError, RecursionError) as exc:
            raise self._malformed() from exc

    def _hash(self, text: Digest) -> bytes:
        try:
            digest = bytes.fromhex(text)
        except ValueError as exc:
            raise self._malformed() from exc
        if len(digest) != 32:
            raise self._malformed()
        return digest

    def _malformed(self) -> ConfigurationError:
        return ConfigurationError(
            "export_malformed", f"Line {self._number} is not one of `enrol audit export`."
        )


@contextmanager
def open_export(path: Path) -> Iterator[ExportedTrail]:
    """Open a file that `write_trail` wrote; raises `ConfigurationError`."""
    try:
        with path.open("rb") as file:
            yield ExportedTrail(file)
    except OSError as exc:
        raise ConfigurationError("export_unreadable", f"{path} cannot be read.") from exc
