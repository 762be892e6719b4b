"""The measurement for people: a table for the terminal, a page for the documentation."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date

from rich.box import SIMPLE_HEAD
from rich.table import Table

from bench.machine import is_pinned
from bench.run import CONNECTIONS, Plan, Row

_COLUMNS = (
    "system",
    "connections",
    "registrations/s",
    "p50 ms",
    "p99 ms",
    "failed",
    "CPU µs each",
    "resident MB",
    "generator CPU",
)
_TERMINAL_COLUMNS = (
    "",
    "connec-\ntions",
    "per\nsecond",
    "p50\nms",
    "p99\nms",
    "failed",
    "CPU\nµs each",
    "resident\nMB",
    "load's\nCPU",
)
_MANY = CONNECTIONS[-1]


@dataclass(frozen=True, slots=True)
class Target:
    """What is to be reached, what was, and whether that is enough."""

    name: str
    wanted: str
    measured: str
    met: bool


def targets(rows: Sequence[Row]) -> list[Target]:
    """Return how the measurement stands to what Enrol wants to reach, as far as it tells."""
    many = {row.system.name: row.figures for row in rows if row.connections == _MANY}
    if "enrol" not in many:
        return []
    enrol = many["enrol"]
    found = [
        _at_least(f"{label}, registrations/s", factor, enrol.rate / many[name].rate)
        for name, label, factor in (
            ("oidc-provider", "beside oidc-provider", 1.0),
            ("authlib", "beside Authlib", 3.0),
        )
        if name in many
    ]
    resident = max(row.figures.resident_megabytes for row in rows if row.system.name == "enrol")
    return [
        *found,
        Target("p99", "≤ 40 ms", f"{enrol.p99:.1f} ms", enrol.p99 <= 40),
        Target("resident memory", "≤ 120 MB", f"{resident:.0f} MB", resident <= 120),
    ]


def _at_least(name: str, factor: float, measured: float) -> Target:
    return Target(name, f"≥ {factor:.1f} ×", f"{measured:.2f} ×", measured >= factor)


def cells(row: Row) -> list[str]:
    """Return a row as text, in the order of the columns."""
    run = row.figures
    return [
        row.system.label,
        str(row.connections),
        f"{run.rate:,.0f}",
        f"{run.p50:.2f}",
        f"{run.p99:.2f}",
        f"{run.failed:.0f}",
        f"{run.cpu:.0f}",
        f"{run.resident_megabytes:.0f}",
        f"{run.generator_share:.0%}",
    ]


def terminal_tables(rows: Sequence[Row]) -> list[Table]:
    """Return the figures, and what they are worth, as tables for a terminal."""
    figures = _table("Registrations, one worker each")
    for index, name in enumerate(_TERMINAL_COLUMNS):
        figures.add_column(name, justify="right" if index else "left", no_wrap=True)
    for row in rows:
        figures.add_row(row.system.name, *cells(row)[1:], end_section=_is_last(row, rows))
    judged = _table(f"Targets, at {_MANY} connections")
    for name in ("target", "wanted", "measured", ""):
        judged.add_column(name)
    for target in targets(rows):
        verdict = "[green]met[/]" if target.met else "[red]missed[/]"
        judged.add_row(target.name, target.wanted, target.measured, verdict)
    return [figures, judged] if judged.row_count else [figures]


def _table(title: str) -> Table:
    """Return an empty table that, filled, fits into 80 columns."""
    return Table(
        title=title, title_justify="left", box=SIMPLE_HEAD, pad_edge=False, collapse_padding=True
    )


def _is_last(row: Row, rows: Sequence[Row]) -> bool:
    """Tell whether the rows of this number of connections end here."""
    return [each for each in rows if each.connections == row.connections][-1] is row


def page(rows: Sequence[Row], plan: Plan, machine: Mapping[str, str]) -> str:
    """Return ``docs/reference/performance.md``."""
    return "\n".join(
        [
            "# Performance",
            "",
            f"Measured on {date.today().isoformat()} by `make bench`, which writes this page.",  # noqa: DTZ011 - where it ran
            "",
            *_markdown(_COLUMNS, [cells(row) for row in rows], left=1),
            "",
            "## Targets",
            "",
            f"With {_MANY} connections and one worker each:",
            "",
            *_markdown(
                ("target", "wanted", "measured", "met"),
                [
                    [each.name, each.wanted, each.measured, "yes" if each.met else "no"]
                    for each in targets(rows)
                ],
                left=4,
            ),
            "",
            "## What each does for a registration",
            "",
            *(f"- {row.system.label}: {row.system.does}." for row in rows[: _systems(rows)]),
            "",
            "The peers get a plain RFC 7591 body over HTTP, without certificate or signature.",
            "",
            "## How it is measured",
            "",
            *_method(rows, plan),
            "",
            "Rates of the single rounds, registrations a second:",
            "",
            *_markdown(
                ("system", "connections", *(f"round {n + 1}" for n in range(plan.rounds))),
                [
                    [
                        row.system.label,
                        str(row.connections),
                        *(f"{rate:,.0f}" for rate in row.rates),
                    ]
                    for row in rows
                ],
                left=1,
            ),
            "",
            "## Machine",
            "",
            *(f"- {name}: {text}" for name, text in machine.items()),
            "",
        ]
    )


def _systems(rows: Sequence[Row]) -> int:
    return len({row.system.name for row in rows})


def _method(rows: Sequence[Row], plan: Plan) -> list[str]:
    pinned = (
        "The server has one CPU for itself, the generator of the load another."
        if is_pinned()
        else "Server and generator of the load share the one CPU there is."
    )
    return [
        pinned,
        f"Each figure is the median of {plan.rounds} runs, by turns between the systems.",
        (
            f"A run starts a server with an empty register, warms up for {plan.warm_up:g} seconds"
            f" and measures for {plan.seconds:g}."
        ),
        "Every connection sends its next request when the answer to the last one has come.",
        (
            "All connections are kept alive, but for Authlib's: gunicorn's sync worker closes each"
            " after its answer."
        ),
        (
            "A registration counts when the answer is 201, and after each run the register is"
            " looked at: it must hold as many."
        ),
        (
            "Requests to Enrol are signed before the run, each with an X-Request-ID of its own;"
            " the connections are those of 8 TPPs."
        ),
        (
            "CPU is that of the server's processes; resident memory is that of its largest process"
            " at the end of a run."
        ),
        (
            f"The generator used {max(row.figures.generator_share for row in rows):.0%} of its CPU"
            " at most, so that it is not what limits a rate."
        ),
    ]


def _markdown(head: Sequence[str], body: Sequence[Sequence[str]], *, left: int) -> list[str]:
    """Return a table of which the first `left` columns hold words."""
    rule = ["---" if index < left else "---:" for index in range(len(head))]
    return [f"| {' | '.join(row)} |" for row in (head, rule, *body)]
