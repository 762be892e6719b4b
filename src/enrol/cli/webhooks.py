"""``enrol webhooks``: what the bank's receiver of events has not been told yet."""

import asyncio
from datetime import datetime
from typing import Annotated, Final

import msgspec
import typer
from rich.console import Console
from rich.table import Table

from enrol.adapters.outbox_view import ListedMessage, read_messages, read_status
from enrol.cli.explain_options import AsJson
from enrol.cli.serve import ConfigOption
from enrol.errors import RefusalError
from enrol.explanations import explain
from enrol.registration.message_orders import MessageAction, MessageOrder
from enrol.settings import Settings, load_settings

app = typer.Typer(
    no_args_is_help=True, help="See what the receiver of events was not told, send again, drop."
)

WAITS: Final = 1
REFUSED: Final = 1

IdArgument = Annotated[int, typer.Argument(metavar="ID", help="The number `list` shows.")]
ActorOption = Annotated[
    str | None,
    typer.Option(metavar="NAME", help="The person to be written down, for a trusted account."),
]


@app.command("status")
def status(config: ConfigOption, *, as_json: AsJson = False) -> None:
    """Say how much waits, and since when. Exit code 1: a message was given up."""
    settings = load_settings(config)
    found = read_status(settings.location)
    if as_json:
        told = {"url": settings.webhooks.url, **msgspec.to_builtins(found)}
        typer.echo(msgspec.json.encode(told).decode())
    else:
        typer.echo(f"receiver       {settings.webhooks.url or 'none: [webhooks] url is not set'}")
        typer.echo(f"waiting        {found.waiting} messages of {found.clients} clients")
        typer.echo(f"given up       {found.given_up}")
        if found.oldest is not None:
            typer.echo(f"oldest         {_shown(found.oldest)}")
        if found.failing_since is not None:
            typer.echo(f"failing since  {_shown(found.failing_since)}: {found.last_failure}")
    if found.given_up:
        raise typer.Exit(WAITS)


@app.command("list")
def list_messages(
    config: ConfigOption,
    *,
    given_up: Annotated[
        bool, typer.Option("--given-up", help="Only those that were given up.")
    ] = False,
    client_id: Annotated[
        str | None, typer.Option("--client-id", metavar="ID", help="Only those of one client.")
    ] = None,
    as_json: AsJson = False,
) -> None:
    """List the messages that wait, in their order; with --json one a line."""
    messages = [
        message
        for message in read_messages(load_settings(config).location)
        if (not given_up or message.state == "given_up") and client_id in (None, message.client_id)
    ]
    if as_json:
        for message in messages:
            typer.echo(msgspec.json.encode(message).decode())
    elif messages:
        Console(soft_wrap=True).print(_table(messages))
    else:
        typer.echo("Nothing waits.")


@app.command("retry")
def retry(
    config: ConfigOption,
    *,
    number: Annotated[
        int | None, typer.Argument(metavar="ID", help="The number `list` shows.")
    ] = None,
    everything: Annotated[
        bool, typer.Option("--all", help="Every message that stands first of its client.")
    ] = False,
    actor: ActorOption = None,
) -> None:
    """Send a message at once, also one that was given up."""
    if (number is None) != everything:
        raise typer.BadParameter("give either ID or --all")
    _carry_out(load_settings(config), MessageOrder(MessageAction.RETRY, number), actor)
    typer.echo("Due now.")


@app.command("drop")
def drop(
    config: ConfigOption,
    number: IdArgument,
    *,
    reason: Annotated[str, typer.Option(metavar="TEXT", help="Why nobody is told.")],
    actor: ActorOption = None,
) -> None:
    """Tell nobody of an event, and let the later ones of its client go; the audit trail says so."""
    order = MessageOrder(MessageAction.DROP, number, reason)
    _carry_out(load_settings(config), order, actor)
    typer.echo(f"Dropped: {number}")


def _carry_out(settings: Settings, order: MessageOrder, actor: str | None) -> None:
    """Carry an order out through the server, or without one where none runs."""
    from enrol.bootstrap.operating import handling_messages  # noqa: PLC0415 - it loads the server

    async def run() -> None:
        async with handling_messages(settings, actor=actor) as carry_out:
            await carry_out(order)

    try:
        asyncio.run(run())
    except RefusalError as exc:
        words = explain(exc.code)
        typer.echo(f"error: {words.meaning} {words.remedy}", err=True)
        raise typer.Exit(REFUSED) from exc


def _table(messages: list[ListedMessage]) -> Table:
    table = Table(box=None)
    for name in ("ID", "EVENT", "CLIENT", "HAPPENED", "STATE", "TRIES", "NEXT", "LAST FAILURE"):
        table.add_column(name, no_wrap=True)
    for message in messages:
        table.add_row(
            str(message.id),
            message.type,
            message.client_id,
            _shown(message.at),
            message.state.replace("_", " "),
            str(message.attempts),
            _shown(message.next_at) if message.next_at else "",
            message.failure or "",
        )
    return table


def _shown(time: str) -> str:
    return datetime.fromisoformat(time).strftime("%Y-%m-%d %H:%M:%SZ")
