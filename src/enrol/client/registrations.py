"""What a TPP remembers of its registrations: ``registrations.json`` beside the profile."""

import fcntl
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Final

import msgspec

from enrol.errors import ConfigurationError

FILE_NAME: Final = "registrations.json"


class KeptRegistration(msgspec.Struct, frozen=True, omit_defaults=True):
    """One registration: its client_id, the bank's url, the profile's file name, when (ISO, UTC).

    `kids` name the QSealCs registered last. The token, a secret, is kept where the bank manages
    by it. `client_legal_id` is the agent whose client it is, if one's.
    """

    client_id: str
    bank: str
    profile: str
    registered_at: str
    kids: tuple[str, ...] = ()
    registration_access_token: str | None = None
    client_legal_id: str | None = None


class _Document(msgspec.Struct, frozen=True):
    registrations: tuple[KeptRegistration, ...] = ()


def kept_registrations(profile: Path) -> tuple[KeptRegistration, ...]:
    """Return the registrations made with a profile, oldest first; raises `ConfigurationError`."""
    return tuple(kept for kept in _read(_file(profile)) if kept.profile == profile.name)


def last_registration(profile: Path, bank: str) -> str | None:
    """Return the client_id registered last with a profile at a bank (its url), or None."""
    for kept in reversed(kept_registrations(profile)):
        if kept.bank == bank:
            return kept.client_id
    return None


def find_registration(profile: Path, *, client_id: str, bank: str) -> KeptRegistration | None:
    """Return what is kept of a client, by whichever profile of the folder it was registered."""
    for kept in reversed(_read(_file(profile))):
        if (kept.client_id, kept.bank) == (client_id, bank):
            return kept
    return None


def keep_registration(profile: Path, registration: KeptRegistration) -> None:
    """Add a registration; raises `ConfigurationError` ``registrations_file``."""
    with _changing(profile) as kept:
        same = (registration.client_id, registration.bank, registration.profile)
        if not any((old.client_id, old.bank, old.profile) == same for old in kept):
            kept.append(registration)


def note_change(
    profile: Path, *, client_id: str, bank: str, kids: tuple[str, ...] | None, token: str | None
) -> None:
    """Write down what changed of a registration, if it is kept; None is no change.

    Raises `ConfigurationError` ``registrations_file``.
    """
    old = find_registration(profile, client_id=client_id, bank=bank)
    if old is None:
        return
    new = msgspec.structs.replace(
        old,
        kids=old.kids if kids is None else kids,
        registration_access_token=token or old.registration_access_token,
    )
    if new == old:
        return
    with _changing(profile) as kept:
        kept[:] = [new if one == old else one for one in kept]


def forget_registration(profile: Path, *, client_id: str, bank: str) -> None:
    """Remove a registration, if it is kept; raises `ConfigurationError` ``registrations_file``."""
    if not _file(profile).exists():
        return
    with _changing(profile) as kept:
        kept[:] = [old for old in kept if (old.client_id, old.bank) != (client_id, bank)]


def _file(profile: Path) -> Path:
    return profile.parent / FILE_NAME


def _read(path: Path) -> tuple[KeptRegistration, ...]:
    try:
        return msgspec.json.decode(path.read_bytes(), type=_Document).registrations
    except FileNotFoundError:
        return ()
    except (OSError, msgspec.MsgspecError) as exc:
        raise ConfigurationError(
            "registrations_file",
            f"{path} cannot be read. It is kept by enrol tpp; move it away to begin anew.",
        ) from exc


@contextmanager
def _changing(profile: Path) -> Iterator[list[KeptRegistration]]:
    """Give the registrations of a folder to change, to one process at a time, and write them."""
    path = _file(profile)
    try:
        folder = os.open(path.parent, os.O_RDONLY)
    except OSError as exc:
        raise _unwritable(path) from exc
    try:
        fcntl.flock(folder, fcntl.LOCK_EX)
        kept = list(_read(path))
        yield kept
        replace_file(path, msgspec.json.format(msgspec.json.encode(_Document(tuple(kept)))))
    except OSError as exc:
        raise _unwritable(path) from exc
    finally:
        os.close(folder)


def replace_file(path: Path, content: bytes) -> None:
    """Write a file whole or not at all; a new one is for its owner only. Raises OSError."""
    target = path.resolve()
    mode = target.stat().st_mode & 0o777 if target.exists() else 0o600
    draft = target.with_name(f".{target.name}.{os.getpid()}")
    try:
        with os.fdopen(os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "wb") as file:
            os.fchmod(file.fileno(), mode)
            file.write(content)
            file.flush()
            os.fsync(file.fileno())
        draft.replace(target)
    finally:
        draft.unlink(missing_ok=True)


def _unwritable(path: Path) -> ConfigurationError:
    return ConfigurationError(
        "registrations_file", f"{path} cannot be written. Make its folder writable."
    )
