"""How an examination of certificates is shown, to people and as JSON; names are shown escaped."""

from collections.abc import Iterator
from typing import Final

import msgspec
from rich.console import Console
from rich.table import Table
from rich.text import Text

from enrol.client.printable import printable
from enrol.eidas.examination import (
    CertificateFacts,
    CertificateReport,
    CheckReport,
    ExaminationReport,
    Status,
)
from enrol.eidas.rules import CertificateUse

_NAMES: Final = {CertificateUse.QWAC: "QWAC", CertificateUse.QSEALC: "QSealC"}
_STYLES: Final = {
    Status.PASSED: ("passed", "green"),
    Status.FAILED: ("failed", "bold red"),
    Status.UNDECIDED: ("not decidable", "yellow"),
}
_WIDTH: Final = 120


def print_examination(report: ExaminationReport, *, as_json: bool) -> None:
    """Print a report: what fails first, then every check."""
    if as_json:
        console = Console(soft_wrap=True, highlight=False, markup=False, emoji=False)
        console.print(msgspec.json.format(msgspec.json.encode(report), indent=2).decode())
        return
    console = Console(highlight=False, markup=False, emoji=False)
    if not console.is_terminal:
        console.width = _WIDTH
    console.print(_headline(report))
    for one in report.certificates:
        console.print()
        console.print(_title(one))
        if one.facts is not None:
            console.print(_facts(one.facts))
        console.print(_table(one.checks))
    console.print()
    console.print(Text("Together", style="bold"))
    console.print(_table(report.together))


def _headline(report: ExaminationReport) -> Text:
    moment = f"{report.at:%Y-%m-%dT%H:%M:%SZ}"
    failed = sum(check.status is Status.FAILED for check in report.checks)
    match report.status:
        case Status.PASSED:
            return Text(f"Every check that can be made passes at {moment}.", style="bold green")
        case Status.FAILED:
            checks = "check fails" if failed == 1 else "checks fail"
            return Text(f"{failed} {checks} at {moment}.", style="bold red")
        case Status.UNDECIDED:
            text = f"Nothing fails at {moment}, and not everything could be decided."
            return Text(text, style="bold yellow")


def _title(one: CertificateReport) -> Text:
    _, style = _STYLES[one.status]
    title = Text(f"As a {_NAMES[one.use]}", style="bold")
    if one.refused_by is not None:
        title.append(f": a bank answers {one.refused_by}", style=style)
    return title


def _facts(facts: CertificateFacts) -> Table:
    table = Table.grid(padding=(0, 2))
    for name, value in _fact_lines(facts):
        table.add_row(Text(f"  {name}", style="dim"), Text(printable(value)))
    return table


def _fact_lines(facts: CertificateFacts) -> Iterator[tuple[str, str]]:
    yield "subject", facts.subject
    yield "issuer", facts.issuer
    yield "valid", f"{facts.not_before:%Y-%m-%d} to {facts.not_after:%Y-%m-%d}"
    yield "key", f"{facts.key}, signed over {facts.signature_hash or 'an unknown hash'}"
    yield "organization", ", ".join(facts.organization_identifiers) or "none"
    yield "roles", ", ".join(facts.psp_roles) or "none"
    if facts.nca_id is not None:
        yield "authority", f"{facts.nca_id} {facts.nca_name or ''}".strip()
    yield "SHA-256", facts.sha256
    if facts.deviations:
        yield "deviations", ", ".join(facts.deviations)


def _table(checks: tuple[CheckReport, ...]) -> Table:
    table = Table(box=None, pad_edge=False, padding=(0, 1), show_header=False)
    table.add_column(justify="right", min_width=4)
    table.add_column(min_width=13)
    table.add_column(ratio=1, overflow="fold")
    for check in checks:
        status, style = _STYLES[check.status]
        table.add_row(str(check.number), Text(status, style=style), _said(check))
    return table


def _said(check: CheckReport) -> Text:
    """Return the title of a check, and under it why it did not pass and what to do."""
    text = Text(check.title)
    if check.meaning is not None:
        text.append(f"\n{printable(check.meaning)}", style="dim")
    if check.remedy is not None:
        text.append(f"\n{printable(check.remedy)}")
    if check.code is not None:
        text.append(f"\n{printable(f'{check.code}, {check.clause}')}", style="dim")
    return text
