"""``enrol trust``: the trusted lists a bank goes by; refreshed, shown, compared, searched."""

import asyncio
import json
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn

from enrol.adapters.clock import system_clock
from enrol.adapters.trustlists.job import RefreshJob, run_job
from enrol.adapters.trustlists.snapshots import read_snapshot
from enrol.adapters.trustlists.supervisor import refresh_apart
from enrol.cli.reported import FAILURE, reported
from enrol.cli.trust_report import (
    differences,
    found_services,
    overview,
    overview_line,
    overview_table,
)
from enrol.eidas.loading import silence_warnings_of_names
from enrol.eidas.trustlist import TrustSnapshot
from enrol.errors import ConfigurationError
from enrol.settings import load_settings

app = typer.Typer(
    name="trust",
    help="The trusted lists the bank goes by: who may issue QWACs and QSealCs.",
    no_args_is_help=True,
)

ConfigOption = Annotated[
    Path, typer.Option("--config", "-c", metavar="FILE", help="The settings, a TOML file.")
]
AsJson = Annotated[bool, typer.Option("--json", help="Print JSON, for scripts.")]


@app.command("refresh")
def refresh_command(config: ConfigOption, *, as_json: AsJson = False) -> None:
    """Fetch and verify all trusted lists, and swap them in; a running server takes them up.

    Exit code 1: there is no list of the lists to go by, and what was held stays.
    """
    with _reported(as_json):
        job = _job(config)
        with _progress(enabled=not as_json and sys.stderr.isatty()) as progress:
            snapshot = run_job(job, at=system_clock(), progress=progress)
        if snapshot is None:
            raise ConfigurationError("trust_refresh_running", "A refresh is going on already.")
        _show(snapshot, as_json=as_json)


@app.command("show")
def show_command(config: ConfigOption, *, as_json: AsJson = False) -> None:
    """Show every territory: its list, how old it is, and how many services of each kind."""
    with _reported(as_json):
        _show(read_snapshot(Path(_job(config).snapshot)), as_json=as_json)


@app.command("diff")
def diff_command(
    old: Annotated[Path, typer.Argument(metavar="OLD", help="A snapshot.")],
    new: Annotated[Path, typer.Argument(metavar="NEW", help="A later one.")],
    *,
    as_json: AsJson = False,
) -> None:
    """Compare two snapshots: lists renewed, services come, gone, or of another status."""
    with _reported(as_json):
        lines = differences(read_snapshot(old), read_snapshot(new))
        if as_json:
            _print_json([{"territory": one.territory, "what": one.what} for one in lines])
            return
        for one in lines:
            typer.echo(f"{one.territory}  {one.what}")
        if not lines:
            typer.echo("no difference")


@app.command("find")
def find_command(
    wanted: Annotated[
        str, typer.Argument(metavar="NAME|FILE", help="A part of a name, or a PEM certificate.")
    ],
    config: ConfigOption,
    *,
    as_json: AsJson = False,
) -> None:
    """Find the services of a name, or those that issued a certificate; none is exit code 1."""
    with _reported(as_json):
        snapshot = read_snapshot(Path(_job(config).snapshot))
        services = found_services(snapshot, wanted, at=system_clock())
        if as_json:
            _print_json([service.facts() for service in services])
        else:
            for service in services:
                typer.echo(service.text())
        if not services:
            if not as_json:
                typer.echo("no listed service", err=True)
            raise typer.Exit(FAILURE)


def ensure_snapshot(job: RefreshJob | None) -> None:
    """Refresh once, in another process, where there is no snapshot; raises ConfigurationError."""
    if job is not None and not Path(job.snapshot).exists():
        refresh_now(job)


def refresh_now(job: RefreshJob | None) -> None:
    """Refresh once, in another process; raises ConfigurationError."""
    if job is None:
        return
    report = asyncio.run(refresh_apart(job, at=system_clock()))
    if report.code is not None:
        raise ConfigurationError(report.code, f"The trusted lists: {report.code}: {report.detail}")


def _job(config: Path) -> RefreshJob:
    job = load_settings(config).refresh_job
    if job is None:
        raise ConfigurationError(
            "trust_without_lists", f'{config}: trust.source is "none", or files of CAs: no lists.'
        )
    return job


def _show(snapshot: TrustSnapshot, *, as_json: bool) -> None:
    at = system_clock()
    if as_json:
        _print_json(overview(snapshot, at=at))
    else:
        typer.echo(overview_line(snapshot, at=at))
        Console().print(overview_table(snapshot, at=at))


@contextmanager
def _progress(*, enabled: bool) -> "Iterator[_Bar]":
    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn())
    with Progress(
        *columns, console=Console(stderr=True), transient=True, disable=not enabled
    ) as bar:
        yield _Bar(bar)


class _Bar:
    """A progress bar of one row, which says the territory that was done last."""

    def __init__(self, bar: Progress) -> None:
        self._bar = bar
        self._task = bar.add_task("trusted lists", total=None)

    def __call__(self, territory: str, done: int, total: int) -> None:
        self._bar.update(self._task, description=territory, completed=done, total=total)


@contextmanager
def _reported(as_json: bool) -> Iterator[None]:
    """Say what goes wrong; names in real certificates are not worth a warning."""
    silence_warnings_of_names()
    with reported(as_json=as_json, io_code="trust_io"):
        yield


def _print_json(value: object) -> None:
    typer.echo(json.dumps(value, ensure_ascii=False, indent=2))
