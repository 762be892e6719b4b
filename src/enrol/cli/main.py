"""The commands of ``enrol``, and what happens to errors that reach the top."""

import sys
from typing import Annotated

import typer

from enrol import __version__
from enrol.cli import (
    admin,
    audit,
    backup,
    dialect,
    explain,
    register,
    sandbox,
    serve,
    tpp,
    trust,
    webhooks,
)
from enrol.cli.reported import report_settings
from enrol.cli.trust_recheck import recheck_command
from enrol.errors import ConfigurationError

app = typer.Typer(
    name="enrol",
    help="The registration desk of open banking: server, TPP client and sandbox.",
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    context_settings={"help_option_names": ["-h", "--help"]},
)
app.add_typer(sandbox.app, name="sandbox")
app.add_typer(tpp.app, name="tpp")
app.add_typer(explain.app, name="explain")
app.add_typer(dialect.app, name="dialect")
app.add_typer(trust.app, name="trust")
app.add_typer(register.app, name="register")
app.add_typer(audit.app, name="audit")
app.add_typer(admin.app, name="admin")
app.add_typer(webhooks.app, name="webhooks")
trust.app.command("recheck")(recheck_command)
app.command("serve")(serve.serve)
app.command("migrate")(serve.migrate)
app.command("backup")(backup.backup)
app.command("restore")(backup.restore)
app.command("check-config")(serve.check_config)
sandbox.app.command("up")(serve.sandbox_up)


def _print_version(wanted: bool) -> None:
    if wanted:
        typer.echo(f"enrol {__version__}")
        raise typer.Exit


@app.callback()
def _options(
    version: Annotated[
        bool,
        typer.Option(
            "--version", callback=_print_version, is_eager=True, help="Print the version."
        ),
    ] = False,
) -> None:
    """Say what the program is; its commands do the work."""


def main() -> None:
    """Run the program; an error in settings or files is one line and exit code 2."""
    try:
        app()
    except ConfigurationError as exc:
        sys.exit(report_settings(exc))
