"""Registrations a second of Enrol and its peers, side by side: `python -m bench`."""

import json
import tempfile
from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console

from bench.desk import Enrol
from bench.figures import rounded
from bench.machine import describe_machine
from bench.plain import Authlib, OidcProvider
from bench.report import page, targets, terminal_tables
from bench.run import CONNECTIONS, Plan, Row, measure
from bench.system import System

_ROOT = Path(__file__).parents[1]
_PAGE = _ROOT / "docs" / "reference" / "performance.md"
_NAMES = ("enrol", "oidc-provider", "authlib")
_SHORTEST = 5.0


def main(
    *,
    seconds: Annotated[float, typer.Option(min=0.5, help="How long a run measures.")] = 10,
    warm_up: Annotated[float, typer.Option(min=0, help="Seconds before that.")] = 2,
    rounds: Annotated[int, typer.Option(min=1, help="Runs of each; medians are given.")] = 3,
    only: Annotated[list[str] | None, typer.Option(metavar="NAME", help=", ".join(_NAMES))] = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON, for scripts.")] = False,
    write: Annotated[
        bool, typer.Option(help="Write docs/reference/performance.md, after a whole measurement.")
    ] = True,
) -> None:
    """Measure registrations a second, latency, CPU and memory, one worker each."""
    names = tuple(only or _NAMES)
    if not set(names) <= set(_NAMES):
        raise typer.BadParameter(f"--only takes {', '.join(_NAMES)}")
    progress = Console(stderr=True)
    (_ROOT / "build").mkdir(exist_ok=True)
    with tempfile.TemporaryDirectory(prefix="bench-", dir=_ROOT / "build") as name:
        plan = Plan(Path(name), warm_up, seconds, rounds)
        progress.print("making certificates and signing requests ahead", style="dim")
        rows = measure(
            [_system(name, plan) for name in names],
            plan,
            lambda text: progress.print(text, style="dim", highlight=False),
        )
        _show(rows, as_json=as_json)
        if write and names == _NAMES and seconds >= _SHORTEST:
            _PAGE.parent.mkdir(parents=True, exist_ok=True)
            _PAGE.write_text(page(rows, plan, describe_machine(plan.work)), "utf-8")
            progress.print(f"wrote {_PAGE.relative_to(_ROOT)}", style="dim")


def _system(name: str, plan: Plan) -> System:
    if name == "enrol":
        seconds = plan.warm_up + plan.seconds
        return Enrol(plan.work / "sandbox", connections=max(CONNECTIONS), seconds=seconds)
    return OidcProvider() if name == "oidc-provider" else Authlib()


def _show(rows: list[Row], *, as_json: bool) -> None:
    if not as_json:
        for table in terminal_tables(rows):
            Console().print(table)
        return
    measured = [
        {"system": row.system.name, "connections": row.connections, **rounded(row.figures)}
        for row in rows
    ]
    judged = [
        {"target": each.name, "measured": each.measured, "met": each.met} for each in targets(rows)
    ]
    typer.echo(json.dumps({"runs": measured, "targets": judged}, indent=2))


if __name__ == "__main__":
    typer.run(main)
