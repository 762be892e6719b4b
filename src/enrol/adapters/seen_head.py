"""The end of the audit trail as this node saw it last, in a file beside the register.

A register that lacks that event is an older state of itself: clients that were registered,
suspended or deleted since are not, and what is decided on from there contradicts what TPPs know.
"""

from pathlib import Path
from typing import Final

import msgspec

from enrol.adapters.files import replace_file
from enrol.adapters.trail import DatabaseTrail
from enrol.errors import ConfigurationError
from enrol.registration.audit import EventType
from enrol.registration.chain import Head


class _Seen(msgspec.Struct, frozen=True):
    events: int
    hash: str


_decode: Final = msgspec.json.Decoder(_Seen).decode


def read_seen_head(path: Path) -> Head | None:
    """Return the head in a file, None where there is no file; raises `ConfigurationError`."""
    try:
        seen = _decode(path.read_bytes())
        return Head(seen.events, bytes.fromhex(seen.hash))
    except FileNotFoundError:
        return None
    except (OSError, ValueError) as exc:  # a DecodeError is one
        raise ConfigurationError(
            "seen_head_unreadable",
            f"{path} cannot be read. It says where the audit trail had come to; remove it if the "
            "register is known to be the right one.",
        ) from exc


def write_seen_head(path: Path, head: Head) -> None:
    """Put a head into a file, durably; raises `OSError`."""
    replace_file(path, msgspec.json.encode(_Seen(head.id, head.hash.hex())) + b"\n")


def check_not_rolled_back(trail: DatabaseTrail, path: Path) -> None:
    """Refuse a register without the event in the file at `path`, if there is that file.

    Where it is among those that a restoration is known to have lost, the register is the right
    one. Raises `ConfigurationError`.
    """
    seen = read_seen_head(path)
    if seen is None:
        return
    event = trail.next_event(seen.id - 1)
    if event is not None and (event.id, event.hash) == (seen.id, seen.hash):
        return
    if event is not None and event.id > seen.id and event.type == EventType.REGISTER_RESTORED:
        return
    raise ConfigurationError(
        "register_rolled_back",
        f"The register is older than it was: it ends with event {trail.head.id}, and {path} has "
        f"seen {seen.id}, which is not in it. Where a backup was restored on purpose, `enrol "
        "restore --in-place` says so; else find out who replaced it.",
    )
