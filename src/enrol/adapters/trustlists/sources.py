"""Where lists come from: the network, or a folder that somebody keeps filled."""

import re
from collections.abc import Iterable, Sequence
from datetime import datetime
from pathlib import Path
from typing import Final, Protocol

from enrol.adapters.trustlists.document import LARGEST, Pointer, parse_list, to_text
from enrol.adapters.trustlists.errors import ListRefusedError
from enrol.eidas.trustlist import ListHead

_NUMBER: Final = re.compile(r"([0-9]{1,9})\.xml", re.IGNORECASE)


class ListSource(Protocol):
    """Gives lists that nobody has verified, as bytes, the most likely first."""

    async def lotls(self) -> Sequence[bytes]:
        """Return the list of the lists; raises ListRefusedError ``list_unreachable``."""

    async def pivots(self, location: str) -> Sequence[bytes]:
        """Return the earlier list of the lists at `location`; raises ListRefusedError."""

    async def lists(self, pointer: Pointer) -> Sequence[bytes]:
        """Return the list a pointer names; raises ListRefusedError ``list_unreachable``."""


class DirectorySource:
    """A folder with the list of the lists, its pivots and the national lists, by content.

    Names of files do not matter: a list says itself whose it is. Files issued after `at`, and
    such as are no list, are passed over.
    """

    def __init__(self, folder: Path, *, at: datetime) -> None:
        self._folder = folder
        self._at = at
        self._found: list[tuple[ListHead, bool, Path]] | None = None

    async def lotls(self) -> Sequence[bytes]:
        """Return every list of the lists, the latest first."""
        return self._read(path for _, is_lotl, path in self._files() if is_lotl)

    async def pivots(self, location: str) -> Sequence[bytes]:
        """Return the list of the lists with the number in the name of the pivot."""
        number = _NUMBER.search(location)
        wanted = int(number[1]) if number else -1
        name = location.rpartition("/")[2]
        return self._read(
            path
            for head, is_lotl, path in self._files()
            if is_lotl and (head.sequence_number == wanted or path.name == name)
        )

    async def lists(self, pointer: Pointer) -> Sequence[bytes]:
        """Return the lists of the territory, the latest first."""
        return self._read(
            path
            for head, is_lotl, path in self._files()
            if not is_lotl and head.territory == pointer.territory
        )

    def _files(self) -> list[tuple[ListHead, bool, Path]]:
        """Return what is in the folder, the highest sequence number first."""
        if self._found is None:
            try:
                paths = sorted(path for path in self._folder.iterdir() if path.is_file())
            except OSError as exc:
                raise ListRefusedError(
                    "list_unreachable", f"{self._folder} cannot be read"
                ) from exc
            heads = [each for path in paths if (each := self._head(path)) is not None]
            self._found = sorted(heads, key=lambda each: -each[0].sequence_number)
        return self._found

    def _head(self, path: Path) -> tuple[ListHead, bool, Path] | None:
        if path.suffix.lower() not in {".xml", ".xtsl"}:
            return None
        try:
            document = parse_list(to_text(_bounded(path)))
        except (OSError, ListRefusedError):
            return None
        is_past = document.head.issued <= self._at
        return (document.head, document.is_lotl, path) if is_past else None

    def _read(self, paths: Iterable[Path]) -> Sequence[bytes]:
        try:
            found = [_bounded(path) for path in paths]
        except OSError as exc:
            raise ListRefusedError("list_unreachable", "a file cannot be read") from exc
        if not found:
            raise ListRefusedError("list_unreachable", f"{self._folder} does not hold it")
        return found


def _bounded(path: Path) -> bytes:
    """Return the content of a file, at most one byte more than a list may have."""
    with path.open("rb") as file:
        return file.read(LARGEST + 1)
