"""``enrol audit``: the trail of decisions verified, exported and shown, beside a running server."""

import os
import sys
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager, suppress
from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated, Any, BinaryIO, Final

import msgspec
import typer
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

from enrol.adapters.trail import DatabaseTrail, open_trail
from enrol.adapters.trail_file import ExportedTrail, open_export, write_trail
from enrol.cli.audit_report import print_event, print_head, print_review
from enrol.cli.explain_options import AsJson
from enrol.cli.serve import ConfigOption
from enrol.errors import ConfigurationError
from enrol.registration.chain import ChainedEvent, Head
from enrol.registration.evidence import VERDICTS
from enrol.registration.rejudge import EvidenceJudge
from enrol.registration.review import review_trail
from enrol.settings import load_settings

app = typer.Typer(no_args_is_help=True, help="Prove later what was decided, and on what grounds.")

DOES_NOT_HOLD: Final = 1
_EVERY: Final = 100
"""After how many events a progress bar moves."""


@app.command("verify")
def verify(
    *,
    config: Annotated[
        Path | None, typer.Option("--config", "-c", metavar="FILE", help="The server's settings.")
    ] = None,
    file: Annotated[
        Path | None,
        typer.Option("--file", metavar="FILE", help="An export, instead of the database."),
    ] = None,
    expect_head: Annotated[
        str | None,
        typer.Option(
            metavar="HASH", help="A head noted before; the trail must contain it, grown or not."
        ),
    ] = None,
    as_json: AsJson = False,
) -> None:
    """Verify the chain of all events, and every signature and certificate kept with them.

    Exit code 0 when everything holds, 1 when something does not, 2 when it cannot be read.
    """
    expected = _hash(expect_head) if expect_head is not None else None
    with _trail(config, file) as trail, _progress("verifying", trail.head, as_json) as judged:
        review = review_trail(trail, EvidenceJudge(trail), expected_head=expected, judged=judged)
    print_review(review, as_json=as_json)
    raise typer.Exit(DOES_NOT_HOLD if review.wrong else 0)


@app.command("export")
def export(
    config: ConfigOption,
    *,
    out: Annotated[
        Path | None,
        typer.Option(metavar="FILE", help="A new file to write to; by default stdout."),
    ] = None,
    as_json: AsJson = False,
) -> None:
    """Write the trail and its evidence as JSON lines, which `enrol audit verify --file` verifies.

    With --json and --out, stdout gets the head that was exported.
    """
    with _database(config) as trail, _progress("exporting", trail.head, as_json) as written:
        if out is None:
            write_trail(trail, sys.stdout.buffer, at=datetime.now(UTC), written=written)
            sys.stdout.buffer.flush()
            return
        with _new_file(out) as stream:
            write_trail(trail, stream, at=datetime.now(UTC), written=written)
        head = trail.head
    print_head(head, as_json=as_json)


@app.command("show")
def show(
    config: ConfigOption,
    *,
    name: Annotated[
        str | None,
        typer.Argument(
            metavar="NAME",
            help="A number, client_id, X-Request-ID or type of an event; without it, the head.",
        ),
    ] = None,
    as_json: AsJson = False,
) -> None:
    """Show an event, the last one where there are several, or where the chain ends."""
    with _database(config) as trail:
        if name is None:
            print_head(trail.head, as_json=as_json)
            return
        event, others = _find(trail, name)
        before = trail.event(event.id - 1)
        finding, faults = EvidenceJudge(trail)(event)
        print_event(
            event,
            finding,
            faults,
            before=before,
            others=others,
            verdicts=_verdicts(trail, event),
            as_json=as_json,
        )


def _verdicts(trail: DatabaseTrail, event: ChainedEvent) -> dict[str, dict[str, Any]]:
    """Return what was found of the certificates of an event, as far as it is there to be read."""
    verdicts = {}
    for member in VERDICTS:
        try:
            digest = msgspec.json.decode(event.evidence, type=dict[str, Any]).get(member)
            content = trail.blob(bytes.fromhex(digest)) if isinstance(digest, str) else None
            verdicts[member] = msgspec.json.decode(content or b"", type=dict[str, Any])
        except (ValueError, RecursionError):
            continue  # it is a finding of the judge where it should be there
    return verdicts


def _find(trail: DatabaseTrail, name: str) -> tuple[ChainedEvent, list[int]]:
    """Return the event that is named, and the numbers of the others with that name."""
    numbers = [int(name)] if name.isascii() and name.isdigit() and len(name) < 16 else []
    numbers = [number for number in numbers if trail.event(number)] or trail.named(name)
    event = trail.event(numbers[-1]) if numbers else None
    if event is None:
        raise ConfigurationError(
            "event_unknown", f"No event has the number, client_id, X-Request-ID or type {name!a}."
        )
    if not event.is_typed:
        raise ConfigurationError(
            "event_malformed", f"Event {event.id} was changed: its columns are not Enrol's."
        )
    return event, numbers[:-1]


@contextmanager
def _trail(config: Path | None, file: Path | None) -> Iterator[DatabaseTrail | ExportedTrail]:
    """Open the trail in a database or in an export."""
    if (config is None) == (file is None):
        raise ConfigurationError("trail_missing", "Give either --config or --file.")
    opened: AbstractContextManager[DatabaseTrail | ExportedTrail]
    opened = open_export(file) if file is not None else _database(config or Path())
    with opened as trail:
        yield trail


def _database(config: Path) -> AbstractContextManager[DatabaseTrail]:
    return open_trail(load_settings(config).location)


def _hash(text: str) -> bytes:
    try:
        digest = bytes.fromhex(text)
    except ValueError:
        digest = b""
    if len(digest) != 32:
        raise ConfigurationError(
            "head_malformed", "--expect-head: a head is 64 hexadecimal digits."
        )
    return digest


@contextmanager
def _new_file(path: Path) -> Iterator[BinaryIO]:
    """Write a file for its owner only; where that fails, there is none."""
    if path.exists():
        raise ConfigurationError("export_exists", f"{path} exists; name a new file with --out.")
    draft = path.with_name(f"{path.name}.part")
    try:
        descriptor = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
        with open(descriptor, "wb") as stream:  # noqa: PTH123 - of a descriptor
            yield stream
        draft.rename(path)
    except OSError as exc:
        raise ConfigurationError("export_unwritable", f"{path} cannot be written.") from exc
    finally:
        with suppress(OSError):
            draft.unlink()


@contextmanager
def _progress(verb: str, head: Head, as_json: bool) -> Iterator[Callable[[int], object]]:
    """Show on a terminal how many events are done, as it is told."""
    console = Console(stderr=True)
    if as_json or not console.is_terminal:
        yield lambda _: None
        return
    columns = TextColumn(verb), BarColumn(), MofNCompleteColumn(), TimeRemainingColumn()
    with Progress(*columns, console=console, transient=True) as progress:
        task = progress.add_task(verb, total=head.id)

        def move(done: int) -> None:
            if done % _EVERY == 0:
                progress.update(task, completed=done)

        yield move
