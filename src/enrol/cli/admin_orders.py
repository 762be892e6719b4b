"""``enrol admin approve|reject|suspend|resume|delete``: decisions about clients."""

import asyncio
import sys
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Annotated

import typer

from enrol.adapters.clock import system_clock
from enrol.cli.admin_report import Outcome, print_outcome, print_outcomes
from enrol.cli.explain_options import AsJson
from enrol.cli.reported import FAILURE, reported
from enrol.cli.serve import ConfigOption
from enrol.client.printable import printable
from enrol.errors import ConfigurationError, RefusalError
from enrol.oauth.types import ClientId
from enrol.registration.operators import Action, Order
from enrol.settings import Settings, load_settings

ClientIds = Annotated[
    list[str], typer.Argument(metavar="CLIENT_ID...", help="As `list` shows them.")
]
Reason = Annotated[str, typer.Option(metavar="TEXT", help="Why, in a line that the TPP may read.")]
Version = Annotated[
    int | None,
    typer.Option(metavar="N", help="Only if the client is still at the version `show` shows."),
]
Actor = Annotated[
    str | None,
    typer.Option(metavar="NAME", help="Who you are, for root and the account of the server."),
]


def approve(
    config: ConfigOption,
    client_ids: ClientIds,
    *,
    reason: Reason = "",
    version: Version = None,
    actor: Actor = None,
    as_json: AsJson = False,
) -> None:
    """Approve clients that are pending; with four eyes it takes two people.

    Exit code 1: one of them could not be approved.
    """
    orders = _orders(Action.APPROVE, client_ids, reason, version)
    _carry_out(config, orders, actor, as_json=as_json)


def reject(
    config: ConfigOption,
    client_ids: ClientIds,
    *,
    reason: Reason,
    version: Version = None,
    actor: Actor = None,
    as_json: AsJson = False,
) -> None:
    """Reject clients that are pending: they can be read and deleted, and nothing else."""
    orders = _orders(Action.REJECT, client_ids, reason, version)
    _carry_out(config, orders, actor, as_json=as_json)


def suspend(
    config: ConfigOption,
    client_ids: ClientIds,
    *,
    reason: Reason,
    version: Version = None,
    actor: Actor = None,
    as_json: AsJson = False,
) -> None:
    """Suspend clients: no tokens from now on, until `resume`; what they registered stays."""
    orders = _orders(Action.SUSPEND, client_ids, reason, version)
    _carry_out(config, orders, actor, as_json=as_json)


def resume(
    config: ConfigOption,
    client_ids: ClientIds,
    *,
    reason: Reason = "",
    version: Version = None,
    actor: Actor = None,
    as_json: AsJson = False,
) -> None:
    """Resume clients that the bank suspended; whom the re-check suspended, it resumes itself."""
    orders = _orders(Action.RESUME, client_ids, reason, version)
    _carry_out(config, orders, actor, as_json=as_json)


def delete(
    config: ConfigOption,
    client_ids: ClientIds,
    *,
    reason: Reason,
    version: Version = None,
    yes: Annotated[bool, typer.Option("--yes", help="Do not ask again.")] = False,
    actor: Actor = None,
    as_json: AsJson = False,
) -> None:
    """Delete clients for good, their tokens with them; the audit trail keeps what they were."""
    orders = _orders(Action.DELETE, client_ids, reason, version)
    if not yes:
        _confirm(orders)
    _carry_out(config, orders, actor, as_json=as_json)


def _orders(
    action: Action, client_ids: Sequence[str], reason: str, version: int | None
) -> list[Order]:
    """Return an order for each client that is named, once if it is named twice."""
    names = list(dict.fromkeys(client_ids))
    for text in (*names, reason):
        check_text(text)
    if version is not None and len(names) > 1:
        raise ConfigurationError("version_ambiguous", "--version: give it with one client only.")
    return [Order(action, ClientId(name), reason, version) for name in names]


def check_text(text: str) -> None:
    """Raise `ConfigurationError` for an argument that is no UTF-8, which nothing is named by."""
    try:
        text.encode()
    except UnicodeEncodeError as exc:
        raise ConfigurationError("argument_malformed", "An argument is not UTF-8 text.") from exc


def _confirm(orders: Sequence[Order]) -> None:
    """Ask whether clients are to be deleted; where nobody can be asked, --yes has to be given."""
    if not _is_attended():
        raise ConfigurationError(
            "confirmation_missing", "Nobody can be asked here: give --yes to delete for good."
        )
    for order in orders:
        typer.echo(printable(f"  {order.client_id}"), err=True)
    typer.confirm("Delete for good?", abort=True, err=True)


def _is_attended() -> bool:
    return sys.stdin.isatty()


def _carry_out(config: Path, orders: Sequence[Order], actor: str | None, *, as_json: bool) -> None:
    """Carry orders out one after the other, and say of each what came of it."""
    check_text(actor or "")
    outcomes: list[Outcome] = []

    def tell(outcome: Outcome) -> None:
        outcomes.append(outcome)
        if not as_json:
            print_outcome(outcome, at=system_clock())

    try:
        with reported(as_json=as_json, io_code="register_io"):
            asyncio.run(_run(load_settings(config), orders, actor, tell))
    finally:
        if as_json and outcomes:
            print_outcomes(outcomes, at=system_clock())
    if any(outcome.code is not None for outcome in outcomes):
        raise typer.Exit(FAILURE)


async def _run(
    settings: Settings, orders: Sequence[Order], actor: str | None, tell: Callable[[Outcome], None]
) -> None:
    """Order through the server, or without one; what is refused does not keep back the others."""
    from enrol.adapters.telemetry import configure_logging  # noqa: PLC0415
    from enrol.bootstrap.operating import operating  # noqa: PLC0415 - it loads the server

    configure_logging(sys.stderr, line_format=settings.log.format)
    try:
        async with operating(settings, actor=actor) as carry_out:
            for order in orders:
                try:
                    tell(Outcome(order, client=await carry_out(order)))
                except RefusalError as exc:
                    tell(Outcome(order, code=exc.code))
    except RefusalError as exc:  # not in this name
        for order in orders:
            tell(Outcome(order, code=exc.code))
