"""The register's file as the EBA gives it out, read entity by entity.

A ZIP of 20 MB with one JSON document of 217 MB and its SHA-256. Nothing is ever held but the
entity at hand, and nothing in the file can make it grow: sizes, ratio and nesting are bounded.
"""

import hashlib
import re
import zipfile
import zlib
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import IO, Final

import ijson

from enrol.eidas.entity import parse_entity
from enrol.eidas.register import RegisterEntry
from enrol.errors import ConfigurationError

Progress = Callable[[int, int], object]
"""Told how many octets of how many were read."""

_LARGEST_ARCHIVE: Final = 256 * 1024 * 1024
_LARGEST_DOCUMENT: Final = 2 * 1024 * 1024 * 1024
_LARGEST_ENTITY: Final = 512 * 1024
_LARGEST_RATIO: Final = 200
_MOST_MEMBERS: Final = 16
_MOST_OPEN: Final = 1000
_CHUNK: Final = 64 * 1024
_DIGEST: Final = re.compile(rb"\s*([0-9A-Fa-f]{64})(?:\s.*)?", re.DOTALL)
_STAMP: Final = re.compile(r"-([0-9]{12})\.json", re.IGNORECASE)
_PACKINGS: Final = frozenset({zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED})


@dataclass(slots=True)
class ReadingReport:
    """What was read: entities of all kinds, those kept, and those kept not for their shape.

    `digest_checked` is false where the file came without its SHA-256.
    """

    entities: int = 0
    kept: int = 0
    unreadable: int = 0
    digest_checked: bool = False


class GoldenCopy:
    """One file of the register; a context manager that holds it open.

    Every method raises ConfigurationError ``register_file_refused`` for a file that is not one.
    """

    def __init__(self, path: Path, *, progress: Progress = lambda *_: None) -> None:
        self._path = path
        self._progress = progress
        self.report = ReadingReport()
        try:
            self._archive = _open(path)
        except (zipfile.BadZipFile, NotImplementedError, ValueError, OSError) as exc:
            raise self._refusal(str(exc)) from exc
        try:
            self._document = self._find_document()
        except BaseException:
            self._archive.close()
            raise

    def __enter__(self) -> "GoldenCopy":
        return self

    def __exit__(self, *_: object) -> None:
        self._archive.close()

    @property
    def made_at(self) -> datetime | None:
        """When the register was written out (aware UTC), as the document's name says."""
        match = _STAMP.search(self._document.filename)
        if match is None:
            return None
        try:
            return datetime.strptime(match[1], "%Y%m%d%H%M").replace(tzinfo=UTC)
        except ValueError:
            return None

    def entries(self) -> Iterator[RegisterEntry]:
        """Read all institutions; only when it has ended is the document known to be whole."""
        try:
            with self._archive.open(self._document) as raw:
                document = _Document(raw, self._document.file_size, self._progress)
                yield from self._read(document)
                document.read_to_the_end()
            self._check_digest(document.sha256)
        except (
            *(zipfile.BadZipFile, zlib.error, EOFError, NotImplementedError, RuntimeError),
            *(ijson.JSONError, ValueError, RecursionError, OSError),
        ) as exc:
            raise self._refusal(f"{type(exc).__name__}: {exc}") from exc

    def _read(self, document: "_Document") -> Iterator[RegisterEntry]:
        """Read ``[[disclaimer], [entity, …]]``; what is none of the two is passed over."""
        for value in ijson.items(document, "item.item", buf_size=_CHUNK, use_float=True):
            document.begin_entity()
            if not isinstance(value, dict) or "EntityCode" not in value:
                continue
            self.report.entities += 1
            try:
                entry = parse_entity(value)
            except ValueError:
                self.report.unreadable += 1
                continue
            if entry is not None:
                self.report.kept += 1
                yield entry

    def _find_document(self) -> zipfile.ZipInfo:
        members = self._archive.infolist()
        documents = [one for one in members if one.filename.lower().endswith(".json")]
        if len(documents) != 1:
            raise self._refusal(f"it holds {len(documents)} JSON documents, and not one")
        document = documents[0]
        if document.flag_bits & 1 or document.compress_type not in _PACKINGS:
            raise self._refusal("its document is encrypted, or packed in an unknown way")
        packed = max(document.compress_size, 1)
        if document.file_size > _LARGEST_DOCUMENT or document.file_size // packed > _LARGEST_RATIO:
            raise self._refusal("its document unpacks to too much")
        return document

    def _check_digest(self, found: str) -> None:
        """Compare with the SHA-256 beside the document, where there is one."""
        sidecars = [
            one for one in self._archive.infolist() if one.filename.lower().endswith(".sha256")
        ]
        for sidecar in sidecars:
            with self._archive.open(sidecar) as file:
                match = _DIGEST.fullmatch(file.read(1024))
            if match is None or match[1].decode().lower() != found:
                raise ValueError("the digest beside its document is another")
        self.report.digest_checked |= bool(sidecars)

    def _refusal(self, why: str) -> ConfigurationError:
        return refusal(self._path, why)


def refusal(path: Path, why: str) -> ConfigurationError:
    """Return the error of a file that is not one of the register."""
    return ConfigurationError(
        "register_file_refused", f"{path} is not a file of the EBA's register: {why}."
    )


class _Document:
    """The document as a file that tells its digest and progress, and bounds what is in memory."""

    def __init__(self, raw: IO[bytes], size: int, progress: Progress) -> None:
        self._raw = raw
        self._size = size
        self._progress = progress
        self._hash = hashlib.sha256()
        self._read = 0
        self._of_entity = 0

    @property
    def sha256(self) -> str:
        return self._hash.hexdigest()

    def read(self, size: int = -1) -> bytes:
        """Return at most 64 KiB."""
        if size == 0:
            return b""
        data = self._raw.read(_CHUNK)
        self._hash.update(data)
        self._read += len(data)
        self._of_entity += len(data)
        self._progress(self._read, self._size)
        if self._of_entity > _LARGEST_ENTITY or _opens_more_than_it_closes(data):
            raise ValueError("one entity is too large")
        return data

    def begin_entity(self) -> None:
        self._of_entity = 0

    def read_to_the_end(self) -> None:
        while self.read(_CHUNK):
            self._of_entity = 0


def _opens_more_than_it_closes(data: bytes) -> bool:
    opened = data.count(b"[") + data.count(b"{") - data.count(b"]") - data.count(b"}")
    return opened > _MOST_OPEN


def _open(path: Path) -> zipfile.ZipFile:
    if path.stat().st_size > _LARGEST_ARCHIVE:
        raise ValueError("it is too large")
    archive = zipfile.ZipFile(path)
    if len(archive.infolist()) > _MOST_MEMBERS:
        archive.close()
        raise ValueError("it holds too many files")
    return archive
