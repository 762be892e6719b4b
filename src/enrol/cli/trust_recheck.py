"""``enrol trust recheck``: every stored client judged anew, by hand."""

import asyncio
import json
import sys
from dataclasses import asdict
from functools import partial
from typing import Annotated

import typer
from rich.progress import MofNCompleteColumn

from enrol.adapters.clock import system_clock
from enrol.cli.progress import Told, progress
from enrol.cli.trust import AsJson, ConfigOption
from enrol.errors import RefusalError
from enrol.explanations import explain
from enrol.registration.standing import RecheckReport
from enrol.settings import Settings, load_settings

_FAILURE = 1


def recheck_command(
    config: ConfigOption,
    *,
    dry_run: Annotated[
        bool, typer.Option("--dry-run", help="Say what would change, and change nothing.")
    ] = False,
    as_json: AsJson = False,
) -> None:
    """Judge the certificates, licence and roles of every registered client anew.

    Whose trust is lost is suspended, whose trust is back is resumed; through the server where one
    runs. Exit code 1: not everything could be decided.
    """
    settings = load_settings(config)
    with progress("clients", MofNCompleteColumn(), quiet=as_json) as told:
        report = _recheck(settings, told, apply=not dry_run)
    if as_json:
        typer.echo(json.dumps(asdict(report)))
    else:
        would = "would be " if dry_run else ""
        typer.echo(
            f"{report.clients} clients with {report.certificates} certificates: "
            f"{report.suspended} {would}suspended, {report.resumed} {would}resumed, "
            f"{report.undecided} undecided"
        )
    if report.undecided:
        raise typer.Exit(_FAILURE)


def _recheck(settings: Settings, told: Told, *, apply: bool) -> RecheckReport:
    """Run the re-check; what it needs is imported here, so that other commands need not wait."""
    from enrol.adapters.recheck import recheck_register  # noqa: PLC0415
    from enrol.adapters.telemetry import configure_logging  # noqa: PLC0415
    from enrol.bootstrap import recheck_of, writing_states  # noqa: PLC0415
    from enrol.eidas.loading import silence_warnings_of_names  # noqa: PLC0415

    configure_logging(sys.stderr, line_format=settings.log.format)
    silence_warnings_of_names()

    async def run() -> RecheckReport:
        recheck = recheck_of(settings, at=system_clock())
        return await recheck_register(
            *(settings.location, recheck),
            folder=settings.state_folder,
            writer=partial(writing_states, settings) if apply else None,
            progress=told,
        )

    try:
        return asyncio.run(run())
    except RefusalError as exc:
        words = explain(exc.code)
        typer.echo(f"error: {words.meaning} {words.remedy}", err=True)
        raise typer.Exit(_FAILURE) from exc
