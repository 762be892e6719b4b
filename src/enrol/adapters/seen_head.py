"""The end of the audit trail as this machine saw it last, in a file of its own.

A register without that event is an older state of itself: clients that were registered, suspended
or deleted since are not, and nobody would notice.
"""

from pathlib import Path
from typing import Final

import msgspec

from enrol.adapters.files import replace_file
from enrol.adapters.location import Location
from enrol.adapters.trail import open_trail
from enrol.errors import ConfigurationError
from enrol.registration.audit import EventType
from enrol.registration.chain import Head


class _Seen(msgspec.Struct, frozen=True):
    events: int
    hash: str


_decode: Final = msgspec.json.Decoder(_Seen).decode


def read_seen_head(path: Path) -> Head | None:
    """Return the head in a file, None where there is none; raises `ConfigurationError`."""
    try:
        seen = _decode(path.read_bytes())
        return Head(seen.events, bytes.fromhex(seen.hash))
    except FileNotFoundError:
        return None
    except (OSError, ValueError) as exc:  # what msgspec raises is a ValueError
        raise ConfigurationError(
            "seen_head_unreadable",
            f"{path} cannot be read. It says how far the audit trail had come; where the register "
            "is known to be the right one, remove it.",
        ) from exc


def write_seen_head(path: Path, head: Head) -> None:
    """Put a head into a file, durably; raises `OSError`."""
    replace_file(path, msgspec.json.encode(_Seen(head.id, head.hash.hex())) + b"\n")


def check_not_rolled_back(location: Location, path: Path) -> None:
    """Refuse a register without the event in the file at `path`, where there is that file.

    An event that a restoration is known to have lost need not be there. Raises
    `ConfigurationError`.
    """
    seen = read_seen_head(path)
    if seen is None:
        return
    with open_trail(location) as trail:
        event = trail.first_from(seen.id)
        ends_with = trail.head.id
    if event is not None:
        if (event.id, event.hash) == (seen.id, seen.hash):
            return
        if event.id > seen.id and event.type == EventType.REGISTER_RESTORED:
            return
    raise ConfigurationError(
        "register_rolled_back",
        f"{location} is older than it was: {path} has seen event {seen.id}, which is not in it "
        f"any more; it ends with {ends_with}. Where it was restored on purpose, run `enrol restore "
        f"--in-place`; where it is to begin anew, remove {path.name}; else find out who did this.",
    )
