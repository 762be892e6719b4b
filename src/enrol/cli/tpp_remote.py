"""``--dry-run`` and ``list --remote``: what a bank says without changing anything."""

from collections.abc import Mapping

import typer

from enrol.cli.tpp_desk import REFUSED, Desk
from enrol.cli.tpp_family import Member
from enrol.cli.tpp_trouble import tell_finding
from enrol.client import DryRun, DryRunIgnoredError, Seal
from enrol.client.printable import printable_line
from enrol.client.transcript import shorten_secrets


def rehearse(
    desk: Desk,
    metadata: Mapping[str, object],
    *,
    client_id: str | None = None,
    seals: tuple[Seal, ...] = (),
) -> None:
    """Ask what would come of a registration, or of an update of a client; exit 1 if refused.

    A bank that does not know dry runs registers: that is kept, and said.
    """
    try:
        answer = desk.client.rehearse(metadata, client_id=client_id, seals=seals)
    except DryRunIgnoredError as exc:
        if client_id is None:
            desk.keep(exc.registration)
        else:
            desk.note(exc.registration, seals)
        raise
    _tell(desk, answer)
    if not answer.accepted:
        raise typer.Exit(REFUSED)


def list_remote(desk: Desk) -> None:
    """Say which clients the bank has of this organisation, as a tree where it has agents."""
    clients = desk.client.list_registrations()
    members = [_member(client) for client in clients]
    root = next((text for c in clients if (text := printable_line(c.get("agent_of")))), "own")
    is_told = desk.report.family(root, members)
    for client in clients if not is_told else ():
        lines = {name: value for name, value in client.items() if name != "client_id"}
        desk.report.say(printable_line(client["client_id"]) or "", shorten_secrets(lines))
    if not clients:
        desk.report.warn(f"{desk.profile.bank.url} lists no client of this organisation.")
    desk.report.answer(clients)


def _member(client: Mapping[str, object]) -> Member:
    """Return a client of a list on one line."""
    names = ("client_id", "client_name", "software_id", "scope")
    texts = [text for name in names if (text := printable_line(client.get(name))) is not None]
    return Member("  ".join(texts), printable_line(client.get("client_legal_id")))


def _tell(desk: Desk, answer: DryRun) -> None:
    report, bank = desk.report, desk.profile.bank.url
    told: dict[str, object] = {
        f"{member} (changed)": meaning for member, meaning in answer.substitutions
    }
    if answer.ignored is not None:
        told["ignored"] = answer.ignored
    if (standing := printable_line(answer.document.get("client_id"))) is not None:
        told["stands already"] = standing
    if answer.accepted:
        report.say(
            f"Dry run at {bank}: accepted. Nothing was stored.",
            shorten_secrets(answer.metadata) | told | {"X-Request-ID": answer.request_id},
        )
    else:
        report.bad(f"Dry run at {bank}: would be refused. Nothing was stored.")
        for finding in answer.findings:
            tell_finding(report, finding)
        for name, value in told.items():
            report.line(name, str(value))
        report.line("X-Request-ID", answer.request_id)
    report.answer(answer.document)
