"""The list of ``enrol admin``: TPPs, their own clients, and below those their agents'."""

import json
import sys
from collections.abc import Container, Iterable, Iterator
from dataclasses import asdict, dataclass
from datetime import datetime
from itertools import groupby
from typing import Final

import typer
from rich.console import Console
from rich.table import Table
from rich.text import Text

from enrol.client.printable import printable_line
from enrol.registration.record import ClientRecord
from enrol.registration.states import state_at

_AT_ONCE: Final = 200
"""Rows of a table on a terminal, which is laid out as a whole."""

_STYLES: Final = {"pending": "yellow", "active": "green", "suspended": "red", "rejected": "dim"}


@dataclass(frozen=True, slots=True)
class Listed:
    """What is listed of a client; `code` is why it is not active, `reason` in an operator's words.

    `client_legal_id` is that of the agent it is of.
    """

    client_id: str
    organization_identifier: str
    client_legal_id: str | None
    client_name: str | None
    scope: str | None
    state: str
    code: str | None
    reason: str | None
    version: int
    updated_at: str


def families(
    records: Iterable[ClientRecord], states: Container[str], *, at: datetime
) -> Iterator[Listed]:
    """Return clients in some states by TPP, its own first, then those of each of its agents.

    `records` come by organisation; those of one are in memory at a time.
    """
    listed = (_listed(record, at) for record in records)
    for _, family in groupby(listed, lambda one: one.organization_identifier):
        members = [one for one in family if one.state in states]
        yield from sorted(members, key=lambda one: one.client_legal_id or "")


def print_list(listed: Iterable[Listed], *, as_json: bool) -> None:
    """Print a list as it comes: a JSON array, a table on a terminal, else lines."""
    if as_json:
        _print_array(listed)
    elif sys.stdout.isatty():
        _print_tables(listed)
    else:
        for one, is_first_of_tpp, is_first_of_agent in _places(listed):
            if is_first_of_tpp:
                typer.echo(_line(one.organization_identifier))
            if is_first_of_agent:
                typer.echo(f"  {_line(one.client_legal_id)}")
            indent = "    " if one.client_legal_id is not None else "  "
            words = (f"{one.state:9}", _line(one.client_id), _line(one.client_name), _why(one))
            typer.echo(indent + "  ".join(words).rstrip())


def _print_array(listed: Iterable[Listed]) -> None:
    before = "["
    for one in listed:
        typer.echo(f"{before}\n  {json.dumps(asdict(one))}", nl=False)
        before = ","
    typer.echo("[]" if before == "[" else "\n]")


def _print_tables(listed: Iterable[Listed]) -> None:
    console = Console()
    table = _table()
    for one, is_first_of_tpp, is_first_of_agent in _places(listed):
        if table.row_count >= _AT_ONCE:
            console.print(table)
            table = _table()
        if is_first_of_tpp:
            table.add_row(Text(_line(one.organization_identifier), style="bold"))
        if is_first_of_agent:
            table.add_row(Text(f"  {_line(one.client_legal_id)}", style="bold dim"))
        indent = "    " if one.client_legal_id is not None else "  "
        table.add_row(
            Text(indent + _line(one.client_id)),
            Text(one.state, style=_STYLES.get(one.state, "")),
            Text(_line(one.client_name)),
            Text(_why(one)),
        )
    console.print(table)


def _table() -> Table:
    table = Table(box=None)
    table.add_column("CLIENT", overflow="fold")
    for name in ("STATE", "NAME", "WHY"):
        table.add_column(name)
    return table


def _places(listed: Iterable[Listed]) -> Iterator[tuple[Listed, bool, bool]]:
    """Return each client with whether it is the first of its TPP, and of an agent."""
    tpp: str | None = None
    agent: str | None = None
    for one in listed:
        is_first_of_tpp = one.organization_identifier != tpp
        if is_first_of_tpp:
            tpp, agent = one.organization_identifier, None
        is_first_of_agent = one.client_legal_id != agent
        agent = one.client_legal_id
        yield one, is_first_of_tpp, is_first_of_agent


def _listed(record: ClientRecord, at: datetime) -> Listed:
    metadata, state = record.metadata, state_at(record.standing, at)
    standing = record.standing if state.value != "active" else None
    return Listed(
        client_id=record.client_id,
        organization_identifier=record.organization_identifier,
        client_legal_id=metadata.client_legal_id,
        client_name=metadata.client_name,
        scope=metadata.scope,
        state=state.value,
        code=standing.code if standing else None,
        reason=standing.reason if standing else None,
        version=record.version,
        updated_at=record.updated_at.isoformat(),
    )


def _why(one: Listed) -> str:
    return ": ".join(filter(None, (one.code, printable_line(one.reason))))


def _line(text: str | None) -> str:
    return printable_line(text) or ""
