"""Registrations a second of Enrol and its peers, side by side."""

from collections.abc import Callable, Sequence
from statistics import median

from bench.bank import Bank
from bench.bars import Bar, bars
from bench.databases import Postgres, Sqlite
from bench.desk import PLAIN, SIGNED, Enrol
from bench.figures import rounded
from bench.finding import Finding, Plot, Table, Verdict, at_least, at_most
from bench.glewlwyd import Glewlwyd
from bench.plain import Authlib, McpSdk, OidcProvider
from bench.processes import share_out
from bench.run import Plan, Row, Rows, measure
from bench.system import CONNECTIONS, System

SUBJECT = "registrations"
SYSTEMS = (
    *("enrol", "enrol-postgres", "enrol-postgres-2", "enrol-plain"),
    *("oidc-provider", "mcp", "authlib", "glewlwyd"),
)
_MANY = CONNECTIONS[-1]
_COLUMNS = (
    *("system", "connections", "registrations/s", "lowest", "highest", "p50 ms", "p99 ms"),
    *("failed", "CPU µs each", "resident MB", "load's CPU"),
)
_BESIDE = (("oidc-provider", 1.5), ("authlib", 5.0), ("glewlwyd", 6.0))


def find(plan: Plan, bank: Bank, names: Sequence[str]) -> Finding:
    """Measure the systems named, by turns."""
    with Postgres() as postgres:
        makers = _makers(bank, postgres)
        found = measure([makers[name]() for name in names], plan)
    return finding(found, plan)


def _makers(bank: Bank, postgres: Postgres) -> dict[str, Callable[[], System]]:
    sqlite = Sqlite()
    return {
        "enrol": lambda: Enrol("enrol", "Enrol, SQLite", f"{SIGNED}; durable", bank, sqlite),
        "enrol-postgres": lambda: Enrol(
            "enrol-postgres", "Enrol, PostgreSQL", f"{SIGNED}; durable", bank, postgres
        ),
        "enrol-postgres-2": lambda: Enrol(
            "enrol-postgres-2",
            "Enrol, PostgreSQL, 2 workers",
            f"{SIGNED}; durable",
            bank,
            postgres,
            workers=2,
            connections=(_MANY,),
        ),
        "enrol-plain": lambda: Enrol(
            "enrol-plain",
            "Enrol, SQLite, rfc7591",
            f"{PLAIN}; durable",
            bank,
            sqlite,
            dialect="rfc7591",
        ),
        "oidc-provider": OidcProvider,
        "mcp": McpSdk,
        "authlib": Authlib,
        "glewlwyd": Glewlwyd,
    }


def finding(found: Rows, plan: Plan) -> Finding:
    """Return what the rows say."""
    many = [row for row in found.rows if row.connections == _MANY]
    systems = {row.system.name: row.system for row in found.rows}.values()
    return Finding(
        SUBJECT,
        "Registrations a second",
        tables=[
            Table(_COLUMNS, [_cells(row) for row in found.rows]),
            Table(
                ("system", "what it does for a registration"),
                [(each.label, each.does) for each in systems],
                left=2,
            ),
        ],
        verdicts=verdicts(found),
        sentences=_sentences(found, plan),
        plots={"registrations": _plot(many)} if many else {},
        data={
            "runs": [
                {"system": row.system.name, "connections": row.connections, **_numbers(row)}
                for row in found.rows
            ],
            "unmeasured": found.reasons,
        },
    )


def _numbers(row: Row) -> dict[str, object]:
    return {**rounded(row.figures), "rates": [round(rate, 1) for rate in row.rates]}


def _cells(row: Row) -> list[str]:
    run = row.figures
    return [
        row.system.label,
        str(row.connections),
        f"{run.rate:,.0f}",
        f"{min(row.rates):,.0f}",
        f"{max(row.rates):,.0f}",
        f"{run.p50:.2f}",
        f"{run.p99:.2f}",
        f"{run.failed:,.0f}",
        f"{run.cpu:.0f}",
        f"{run.resident_megabytes:.0f}",
        f"{run.generator_share:.0%}",
    ]


def verdicts(found: Rows) -> list[Verdict]:
    """Judge what was measured; rounds are compared with the same round of the other."""
    judged = [
        _beside(found, system, peer, wanted)
        for system in ("enrol", "enrol-postgres")
        for peer, wanted in _BESIDE
    ]
    judged.append(_beside(found, "enrol-postgres-2", "enrol-postgres", 1.6))
    judged.append(_beside(found, "enrol-plain", "oidc-provider", 3.0))
    judged.append(_beside(found, "enrol-plain", "mcp", 0.8))
    for system in ("enrol", "enrol-postgres"):
        row, why = found.of(system), found.reasons.get(system, "not run")
        judged.append(
            at_most(
                f"{_NAMES[system]}: p99 with {_MANY} connections",
                40,
                row and row.figures.p99,
                unit="ms",
                why=why,
            )
        )
        largest = [
            run.resident_megabytes
            for each in found.rows
            for run in each.runs
            if each.system.name == system
        ]
        judged.append(
            at_most(
                f"{_NAMES[system]}: resident memory of a worker",
                120,
                max(largest, default=None),
                unit="MB",
                digits=0,
                why=why,
            )
        )
    return judged


_NAMES = {
    "enrol": "SQLite, 1 worker",
    "enrol-postgres": "PostgreSQL, 1 worker",
    "enrol-postgres-2": "PostgreSQL, 2 workers",
    "enrol-plain": "plain RFC 7591, SQLite",
    "oidc-provider": "oidc-provider",
    "mcp": "mcp",
    "authlib": "Authlib",
    "glewlwyd": "glewlwyd",
}


def _beside(found: Rows, name: str, other: str, wanted: float) -> Verdict:
    """Judge the rate of one system beside that of another, both with many connections."""
    ours, theirs = found.of(name), found.of(other)
    title = f"{_NAMES[name]}, beside {_NAMES[other]}"
    if ours is None or theirs is None:
        missing = name if ours is None else other
        why = found.reasons.get(missing, "not run")
        return at_least(title, wanted, None, why=f"{_NAMES[missing]}: {why}")
    ratios = [one / another for one, another in zip(ours.rates, theirs.rates, strict=True)]
    return at_least(title, wanted, median(ratios))


def _plot(rows: Sequence[Row]) -> Plot:
    title = f"Registrations a second, {_MANY} connections"
    drawn = [
        Bar(
            row.system.label,
            row.figures.rate,
            min(row.rates),
            max(row.rates),
            ours=row.system.name.startswith("enrol"),
        )
        for row in rows
    ]
    return Plot(bars(title, drawn), f"{title}; the lines end at the lowest and the highest round.")


def _sentences(found: Rows, plan: Plan) -> list[str]:
    apart = (
        "The worker has one CPU for itself; the load, and PostgreSQL where it is used, have"
        " another."
        if share_out(1).apart
        else "Worker and load share the one CPU there is."
    )
    two = (
        "Two workers have a CPU each."
        if share_out(2).apart
        else "Two workers, PostgreSQL and the load share all CPUs there are, so that two workers"
        " cannot be twice as fast as one here."
    )
    busiest = max((row.figures.generator_share for row in found.rows), default=0)
    return [
        apart,
        two,
        (
            f"Each figure is the median of {plan.rounds} rounds, by turns between the systems;"
            " rates are compared within each round, and the median of the ratios is judged."
        ),
        (
            f"A round starts a server with an empty register, warms up for {plan.warm_up:g} seconds"
            f" and measures for {plan.seconds:g}."
        ),
        "Every connection sends its next request when the answer to the last one has come.",
        (
            "All connections are kept alive, but for Authlib's: gunicorn's sync worker closes each"
            " after its answer."
        ),
        (
            "A registration counts when the answer is 201 (200 of glewlwyd), and after each round"
            " the register is looked at: it must hold as many."
        ),
        (
            "Requests to Enrol are signed before the run, each with an X-Request-ID of its own; the"
            " connections are those of 8 TPPs."
        ),
        (
            "The peers, and Enrol in dialect rfc7591, get a plain RFC 7591 body without signature;"
            " the peers get it over HTTP without certificates, Enrol over mTLS."
        ),
        (
            "CPU is that of the server's processes, PostgreSQL's left out; resident memory is that"
            " of the largest process at the end of a round."
        ),
        f"The load used {busiest:.0%} of a CPU at most.",
        *(f"Not measured: {name}: {reason}." for name, reason in found.reasons.items()),
    ]
