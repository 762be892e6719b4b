"""The findings for people: tables for the terminal, and the page of the documentation."""

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from pathlib import Path

from rich.box import SIMPLE_HEAD
from rich.table import Table as RichTable

from bench.finding import Finding, Table

PLOTS = "performance"
"""The folder of the plots, beside the page."""

_COLOURS = {True: "green", False: "red", None: "yellow"}


def terminal_tables(findings: Sequence[Finding]) -> list[RichTable]:
    """Return every table, and last the verdicts, for a terminal."""
    shown = []
    for found in findings:
        for table in found.tables:
            rich = _rich(table.title or found.title)
            for index, name in enumerate(table.head):
                rich.add_column(name, justify="left" if index < table.left else "right")
            for row in table.rows:
                rich.add_row(*row)
            shown.append(rich)
    judged = _rich("Targets")
    for name in ("target", "wanted", "measured", ""):
        judged.add_column(name)
    for each in (verdict for found in findings for verdict in found.verdicts):
        judged.add_row(each.name, each.wanted, each.measured, f"[{_COLOURS[each.met]}]{each.word}")
    return [*shown, judged] if judged.row_count else shown


def _rich(title: str) -> RichTable:
    return RichTable(
        title=title, title_justify="left", box=SIMPLE_HEAD, pad_edge=False, collapse_padding=True
    )


def as_data(findings: Sequence[Finding]) -> dict[str, object]:
    """Return the findings for scripts, in plain JSON."""
    return {
        "findings": {found.subject: found.data for found in findings},
        "targets": [
            {
                "subject": found.subject,
                "target": each.name,
                "wanted": each.wanted,
                "measured": each.measured,
                "met": each.met,
            }
            for found in findings
            for each in found.verdicts
        ],
    }


def write_page(folder: Path, findings: Sequence[Finding], machine: Mapping[str, str]) -> Path:
    """Write ``performance.md`` into a folder, its plots beside it, and return its path."""
    plots = folder / PLOTS
    plots.mkdir(parents=True, exist_ok=True)
    for found in findings:
        for name, plot in found.plots.items():
            (plots / f"{name}.svg").write_text(plot.svg, "utf-8")
    path = folder / "performance.md"
    path.write_text(page(findings, machine), "utf-8")
    return path


def page(findings: Sequence[Finding], machine: Mapping[str, str]) -> str:
    """Return ``docs/reference/performance.md``."""
    today = datetime.now(UTC).date().isoformat()
    judged = [
        [each.name, each.wanted, each.measured, each.word]
        for found in findings
        for each in found.verdicts
    ]
    lines = [
        "# Performance",
        "",
        f"Measured on {today} by one run of `make bench`, which writes this page.",
        "Beside each part stands the command that measures it alone.",
        "",
        "## Targets",
        "",
        *_markdown(Table(("target", "wanted", "measured", "verdict"), judged, left=4)),
        "",
    ]
    for found in findings:
        lines.extend(_section(found))
    lines.extend(
        ["## Machine", "", *(f"- {name}: {text}" for name, text in machine.items()), ""],
    )
    return "\n".join(lines)


def _section(found: Finding) -> list[str]:
    lines = [f"## {found.title}", "", f'`make bench ARGS="--only {found.subject}"`', ""]
    for name, plot in found.plots.items():
        lines.extend([f"![{plot.shows}]({PLOTS}/{name}.svg)", ""])
    for table in found.tables:
        if table.title:
            lines.extend([f"{table.title}:", ""])
        lines.extend([*_markdown(table), ""])
    return [*lines, *found.sentences, ""]


def _markdown(table: Table) -> list[str]:
    rule = ["---" if index < table.left else "---:" for index in range(len(table.head))]
    return [f"| {' | '.join(row)} |" for row in (table.head, rule, *table.rows)]
