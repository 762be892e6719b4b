"""What Enrol does a second, beside its peers, and what that needs: `python -m bench`."""

import json
import tempfile
import time
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console

from bench import hotpath, limit, registrations
from bench.bank import Bank
from bench.finding import Finding
from bench.machine import describe_machine
from bench.report import as_data, terminal_tables, write_page
from bench.run import Plan

_ROOT = Path(__file__).parents[1]
_REFERENCE = _ROOT / "docs" / "reference"
_SHORTEST = 5.0

_SUBJECTS: Mapping[str, Callable[[Plan, Bank], Finding]] = {
    limit.SUBJECT: limit.find,
    hotpath.SUBJECT: hotpath.find,
}
_NAMES = (registrations.SUBJECT, *_SUBJECTS)


def main(
    *,
    seconds: Annotated[float, typer.Option(min=0.5, help="How long a round measures.")] = 10,
    warm_up: Annotated[float, typer.Option(min=0, help="Seconds before that.")] = 2,
    rounds: Annotated[int, typer.Option(min=1, help="Rounds of each; medians are given.")] = 3,
    only: Annotated[
        list[str] | None, typer.Option(metavar="SUBJECT", help=f"{', '.join(_NAMES)}; repeatable.")
    ] = None,
    system: Annotated[
        list[str] | None,
        typer.Option(
            metavar="NAME",
            help=f"Whose registrations: {', '.join(registrations.SYSTEMS)}; repeatable.",
        ),
    ] = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON, for scripts.")] = False,
    write: Annotated[
        bool, typer.Option(help="Write docs/reference/performance.md, after a whole run.")
    ] = True,
) -> None:
    """Measure Enrol beside its peers; a whole run takes half an hour."""
    subjects = _checked(only, _NAMES, "--only")
    systems = _checked(system, registrations.SYSTEMS, "--system")
    progress, begun = Console(stderr=True), time.monotonic()

    def say(text: str) -> None:
        minutes, rest = divmod(int(time.monotonic() - begun), 60)
        progress.print(f"{minutes:3}:{rest:02}  {text}", style="dim", highlight=False)

    (_ROOT / "build").mkdir(exist_ok=True)
    with tempfile.TemporaryDirectory(prefix="bench-", dir=_ROOT / "build") as name:
        plan = Plan(Path(name), warm_up, seconds, rounds, say)
        say("making certificates and signing requests ahead")
        bank = Bank(plan.work / "sandbox")
        bank.sign(plan.warm_up + plan.seconds)
        findings = _find(plan, bank, subjects, systems)
        machine = describe_machine(plan.work)
    _show(findings, as_json=as_json)
    whole = (subjects, systems) == (_NAMES, registrations.SYSTEMS)
    if write and whole and seconds >= _SHORTEST:
        path = write_page(_REFERENCE, findings, machine)
        say(f"wrote {path.relative_to(_ROOT)}")


def _checked(given: list[str] | None, names: Sequence[str], option: str) -> tuple[str, ...]:
    """Return what was named in the order of `names`, all of them where nothing was."""
    if given and not set(given) <= set(names):
        raise typer.BadParameter(f"{option} takes {', '.join(names)}")
    return tuple(name for name in names if not given or name in given)


def _find(plan: Plan, bank: Bank, subjects: Sequence[str], systems: Sequence[str]) -> list[Finding]:
    findings = []
    if registrations.SUBJECT in subjects:
        findings.append(registrations.find(plan, bank, systems))
    findings.extend(find(plan, bank) for name, find in _SUBJECTS.items() if name in subjects)
    return findings


def _show(findings: Sequence[Finding], *, as_json: bool) -> None:
    if as_json:
        typer.echo(json.dumps(as_data(findings), indent=2))
        return
    for table in terminal_tables(findings):
        Console().print(table)


if __name__ == "__main__":
    typer.run(main)
