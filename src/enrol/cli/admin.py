"""``enrol admin``: the people of the bank look at clients, and decide about them."""

from enum import StrEnum
from typing import Annotated, Final

import typer

from enrol.adapters.clock import system_clock
from enrol.adapters.roster import open_roster
from enrol.cli import admin_orders
from enrol.cli.admin_list import families, print_list
from enrol.cli.admin_report import print_client
from enrol.cli.explain_options import AsJson
from enrol.cli.reported import reported
from enrol.cli.serve import ConfigOption
from enrol.eidas.organization import OrganizationIdentifier
from enrol.errors import ConfigurationError
from enrol.oauth.types import ClientId
from enrol.settings import load_settings

app = typer.Typer(no_args_is_help=True, help="Look at the registered clients, and decide on them.")

_EVENTS: Final = 10
"""How many of its last events are shown of a client."""


class LivingState(StrEnum):
    """The states of clients that are listed; of deleted ones the audit trail tells."""

    PENDING = "pending"
    ACTIVE = "active"
    SUSPENDED = "suspended"
    REJECTED = "rejected"


@app.command("list")
def list_command(
    config: ConfigOption,
    *,
    state: Annotated[
        list[LivingState] | None, typer.Option("--state", help="Only these; repeat it.")
    ] = None,
    organization: Annotated[
        str | None,
        typer.Option("--organization", metavar="ID", help="Only those of a TPP, PSDFR-…"),
    ] = None,
    as_json: AsJson = False,
) -> None:
    """List the clients by TPP, its agents below its own; with --json an array in that order."""
    admin_orders.check_text(organization or "")
    at = system_clock()
    only = OrganizationIdentifier(organization) if organization is not None else None
    with (
        reported(as_json=as_json, io_code="register_io"),
        open_roster(load_settings(config).location) as roster,
    ):
        listed = families(roster.clients(only), frozenset(state or LivingState), at=at)
        print_list(listed, as_json=as_json)


@app.command("show")
def show_command(
    config: ConfigOption,
    client_id: Annotated[str, typer.Argument(metavar="CLIENT_ID", help="As `list` shows it.")],
    *,
    as_json: AsJson = False,
) -> None:
    """Show a client: what it registered, its keys, its state and why, what happened to it last."""
    admin_orders.check_text(client_id)
    name = ClientId(client_id)
    with (
        reported(as_json=as_json, io_code="register_io"),
        open_roster(load_settings(config).location) as roster,
    ):
        living = roster.find(name)
        record = living or roster.find_ended(name)
        if record is None:
            raise ConfigurationError(
                "client_not_found", "No client has this client_id; look with enrol admin list."
            )
        events = roster.last_events(name, _EVENTS)
        print_client(record, events, at=system_clock(), is_gone=living is None, as_json=as_json)


app.command("approve")(admin_orders.approve)
app.command("reject")(admin_orders.reject)
app.command("suspend")(admin_orders.suspend)
app.command("resume")(admin_orders.resume)
app.command("delete")(admin_orders.delete)
