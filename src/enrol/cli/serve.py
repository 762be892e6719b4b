"""``enrol serve``, ``migrate``, ``check-config`` and ``sandbox up``."""

import socket
import sys
from contextlib import suppress
from datetime import UTC, datetime
from enum import StrEnum
from functools import partial
from pathlib import Path
from typing import Annotated
from urllib.parse import unquote, urlsplit

import msgspec
import typer

from enrol.adapters.clock import system_clock
from enrol.adapters.opening import migrate_register
from enrol.cli.reported import report_settings
from enrol.cli.sandbox import DialectOption, spoken_dialect
from enrol.cli.trust import ensure_snapshot
from enrol.client.profile import profile_bank_url
from enrol.errors import ConfigurationError
from enrol.registration.ports import Clock
from enrol.sandbox.draft import CRL_PATH, QTSP_HOST
from enrol.sandbox.folder import create_sandbox, is_sandbox
from enrol.sandbox.host import LOOPBACK, PORT
from enrol.sandbox.seed import RandomKeys
from enrol.settings import Settings, load_settings

_NOT_QUALIFIED = (
    "This is a sandbox: its certificates are not qualified, do not use it in production."
)
_SETTINGS_FILE = "enrol.toml"

ConfigOption = Annotated[
    Path, typer.Option("--config", "-c", metavar="FILE", help="The settings, a TOML file.")
]


def serve(
    config: ConfigOption,
    *,
    workers: Annotated[
        int, typer.Option(min=1, max=64, help="Processes that serve; several need PostgreSQL.")
    ] = 1,
) -> None:
    """Run the production server until SIGTERM, then finish what was begun; SIGHUP reloads."""
    from enrol.bootstrap import run_workers  # noqa: PLC0415 - see _run

    code = run_workers(
        partial(load_settings, config),
        workers=workers,
        clock=system_clock,
        on_ready=_say_ready,
        report=report_settings,
    )
    raise typer.Exit(code)


def migrate(config: ConfigOption) -> None:
    """Make the register, or bring it up to date with this version."""
    settings = load_settings(config)
    location = settings.migration_location
    role = unquote(urlsplit(settings.storage.url or "").username or "")
    begins_anew = isinstance(location, Path) and not location.exists()
    migrate_register(location, server_role=role or None)
    if begins_anew:
        settings.seen_head.unlink(missing_ok=True)
    typer.echo(f"{location} is up to date")


def check_config(
    config: Annotated[Path, typer.Argument(metavar="FILE", help="The settings, a TOML file.")],
) -> None:
    """Check the settings and the files they name; nothing is started."""
    from enrol.bootstrap import check  # noqa: PLC0415 - see _run

    check(load_settings(config))
    typer.echo(f"{config}: ok")


class Limits(StrEnum):
    """Which limits a sandbox has."""

    OFF = "off"
    PRODUCTION = "production"


def sandbox_up(
    folder: Annotated[Path, typer.Argument(metavar="DIR", help="The sandbox's folder.")],
    *,
    host: Annotated[str | None, typer.Option(help="Address to listen on.")] = None,
    port: Annotated[int | None, typer.Option(help="Port to listen on; 0 takes a free one.")] = None,
    limits: Annotated[
        Limits, typer.Option(help="Rate limits: off, or those of production.")
    ] = Limits.OFF,
    at: Annotated[
        datetime | None,
        typer.Option(metavar="TIME", help="Let the bank's clock start at this UTC time."),
    ] = None,
    dialect: DialectOption = None,
) -> None:
    """Serve the sandbox bank in DIR, which is made if it is absent."""
    port = _free_port(host or LOOPBACK) if port == 0 else port
    if not is_sandbox(folder):
        now = datetime.now(UTC)
        create_sandbox(
            folder,
            keys=RandomKeys(),
            at=now,
            host=host or LOOPBACK,
            port=port or PORT,
            dialect=spoken_dialect(dialect),
        )
    settings = _adjusted(load_settings(folder / _SETTINGS_FILE), host, port, limits)
    if dialect is not None:
        settings = _speaking(settings, spoken_dialect(dialect).name)
    typer.echo(_NOT_QUALIFIED, err=True)
    _tell_other_url(folder / "tpp" / "profile.toml", settings.public_url)
    ensure_snapshot(settings.refresh_job)
    clock = _clock_from(at)
    raise typer.Exit(_run(_with_site(settings, folder, clock), clock))


def _tell_other_url(profile: Path, url: str) -> None:
    """Say what to change where the TPP's profile has another address than the bank."""
    with suppress(ConfigurationError):  # without a profile there is nothing to change in it
        written = profile_bank_url(profile)
        if written != url:
            typer.echo(
                f"{profile} has the bank at {written}: call enrol tpp with --bank-url {url}, or "
                f'set url = "{url}" in its [bank].',
                err=True,
            )


def _run(settings: Settings, clock: Clock) -> int:
    """Serve; the server is imported here, so that the other commands need not wait for it."""
    from enrol.bootstrap import run  # noqa: PLC0415

    return run(settings, clock=clock, on_ready=_say_ready)


def _adjusted(settings: Settings, host: str | None, port: int | None, limits: Limits) -> Settings:
    """Return the settings with what was given on the command line."""
    server = msgspec.structs.replace(
        settings.server,
        host=host if host is not None else settings.server.host,
        port=port if port is not None else settings.server.port,
    )
    rates = "on" if limits is Limits.PRODUCTION else settings.limits.rates
    limited = msgspec.structs.replace(settings.limits, rates=rates)
    return msgspec.structs.replace(settings, server=server, limits=limited)


def _speaking(settings: Settings, dialect: str) -> Settings:
    """Return the settings with another dialect."""
    registration = msgspec.structs.replace(settings.registration, dialect=dialect)
    return msgspec.structs.replace(settings, registration=registration)


def _with_site(settings: Settings, folder: Path, clock: Clock) -> Settings:
    """Serve the test QTSP's site, and return the settings with where it is.

    It is served where the settings have port 0 for its host; another port is somebody else's.
    """
    from enrol.sandbox.site import Site, serve_site  # noqa: PLC0415 - for a sandbox only

    revocation = settings.revocation
    address, _, port = revocation.hosts.get(QTSP_HOST, "").rpartition(":")
    if not revocation.online or port != "0":
        return settings
    host, taken = serve_site(Site(folder, clock), (address, 0))
    typer.echo(f"The test QTSP answers on http://{host}:{taken}{CRL_PATH} and /ocsp", err=True)
    hosts = {**revocation.hosts, QTSP_HOST: f"{host}:{taken}"}
    served = msgspec.structs.replace(revocation, hosts=hosts)
    return msgspec.structs.replace(settings, revocation=served)


def _clock_from(start: datetime | None) -> Clock:
    """Return the system clock, or one that runs from `start`, read as UTC."""
    if start is None:
        return system_clock
    offset = start.replace(tzinfo=UTC) - system_clock()

    def shifted() -> datetime:
        return system_clock() + offset

    return shifted


def _free_port(host: str) -> int:
    """Return a port that is free now: the public URL must be known before the server listens."""
    with socket.create_server((host, 0)) as probe:
        return int(probe.getsockname()[1])


def _say_ready(host: str, port: int) -> None:
    shown = f"[{host}]" if ":" in host else host
    where = f"unix:{host}" if host.startswith("/") else f"https://{shown}:{port}"
    sys.stdout.write(f"ready {where}\n")
    sys.stdout.flush()
