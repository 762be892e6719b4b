"""Who is at the other end of the control socket, what they may, and as whom they are written down.

The kernel vouches for account and groups of the process that connected (unix(7), SO_PEERCRED).
"""

import pwd
import re
import socket
import struct
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from enrol.errors import EntitlementError, MalformedRequestError

ROOT: Final = 0

_SO_PEERGROUPS: Final = 59
_CREDENTIALS: Final = struct.Struct("=iII")
_GROUP: Final = struct.Struct("=I")
_MOST_GROUPS: Final = 256
_OVERFLOW: Final = Path("/proc/sys/kernel/overflowuid")
_ACCOUNT: Final = re.compile(r"[A-Za-z0-9_][A-Za-z0-9_.@\\$+-]{0,63}")
_PERSON: Final = re.compile(r"[A-Za-z0-9_][A-Za-z0-9_.@+-]{0,63}")


@dataclass(frozen=True, slots=True)
class Peer:
    """The account and the groups of the process at the other end, when it connected."""

    uid: int
    groups: frozenset[int]


@dataclass(frozen=True, slots=True)
class House:
    """Whose a register is: the account that serves it, and the group of its operators, if any."""

    owner: int
    operators: int | None = None

    def is_trusted(self, uid: int) -> bool:
        """Whether an account may write the register itself, so that nothing is kept from it."""
        return uid in (ROOT, self.owner)

    def admits(self, peer: Peer) -> bool:
        """Whether a peer may order.

        Not one whose account has no number here, as it is of another user namespace: many of those
        look like one.
        """
        if self.is_trusted(peer.uid):
            return True
        return self.operators in peer.groups and peer.uid != _unmapped()


def peer_of(connection: socket.socket) -> Peer:
    """Return who connected; raises `OSError`, also for a process of more than 256 groups."""
    uid, gid = _credentials(connection)
    size = _MOST_GROUPS * _GROUP.size
    more = connection.getsockopt(socket.SOL_SOCKET, _SO_PEERGROUPS, size)
    return Peer(uid, frozenset({gid, *(group for (group,) in _GROUP.iter_unpack(more))}))


def listener_of(connection: socket.socket) -> int:
    """Return the number of the account that listens; raises `OSError`."""
    return _credentials(connection)[0]


def actor_of(uid: int, claimed: str | None, house: House) -> str:
    """Return who an order is written down as: the account, or the person it asks in the name of.

    Raises `EntitlementError` ``actor_not_believed`` where the account may not ask in the name of
    others, and `MalformedRequestError` ``actor_malformed``.
    """
    account = account_of(uid)
    if claimed is None:
        return account
    if not house.is_trusted(uid):
        raise EntitlementError("actor_not_believed")
    if not _PERSON.fullmatch(claimed):
        raise MalformedRequestError("actor_malformed")
    return f"{claimed} by {account}"


def account_of(uid: int) -> str:
    """Return the name of an account; one without a name, or with a strange one, has a number."""
    try:
        name = pwd.getpwuid(uid).pw_name
    except KeyError:
        name = ""
    return name if _ACCOUNT.fullmatch(name) else f"uid:{uid}"


def _credentials(connection: socket.socket) -> tuple[int, int]:
    found = connection.getsockopt(socket.SOL_SOCKET, socket.SO_PEERCRED, _CREDENTIALS.size)
    _, uid, gid = _CREDENTIALS.unpack(found)
    return uid, gid


def _unmapped() -> int:
    """Return the number that accounts of other user namespaces have here."""
    try:
        return int(_OVERFLOW.read_text("ascii"))
    except (OSError, ValueError):
        return 65_534
