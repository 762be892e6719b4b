"""Faults made on purpose, and what the register kept: `make faults`."""

import json
import tempfile
import time
from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Annotated, Final

import pytest
import typer
from bench.machine import describe_hardware
from rich.console import Console

from faults import report
from faults.catalogue import FAULTS
from faults.fault import Fault
from faults.ground import Ground, NotHere
from faults.result import Finding, Result, Verdict

_ROOT: Final = Path(__file__).parents[2]
_PAGE: Final = _ROOT / "docs" / "reference" / "reliability.md"


def main(
    *,
    only: Annotated[
        list[str] | None, typer.Option(metavar="F-NN", help="Only these; repeat it.")
    ] = None,
    rounds: Annotated[
        int | None, typer.Option(min=1, help="How often a fault is made; else as is usual of it.")
    ] = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON, for scripts.")] = False,
) -> None:
    """Make faults under load, compare the register with what was acknowledged, write the report.

    A whole run takes some twenty minutes, and writes docs/reference/reliability.md. Exit code 1:
    something was not as it must be.
    """
    chosen = [fault for fault in FAULTS if not only or fault.number in only]
    if not chosen:
        numbers = sorted({fault.number for fault in FAULTS})
        raise typer.BadParameter(f"--only takes {', '.join(numbers)}")
    progress = Console(stderr=True)
    (_ROOT / "build").mkdir(exist_ok=True)
    with tempfile.TemporaryDirectory(prefix="faults-", dir=_ROOT / "build") as folder:
        work = Path(folder)
        ground = Ground(work, rounds, say=lambda text: _detail(progress, text))
        results = [_run(fault, ground, progress) for fault in chosen]
        machine = describe_hardware(work)
    if as_json:
        typer.echo(json.dumps([asdict(each) | {"verdict": each.verdict} for each in results]))
    if not only:
        arguments = f' ARGS="--rounds {rounds}"' if rounds is not None else ""
        _PAGE.write_text(report.page(results, f"make faults{arguments}", machine), "utf-8")
        progress.print(f"wrote {_PAGE.relative_to(_ROOT)}")
    if any(each.verdict is Verdict.MISSED for each in results):
        raise typer.Exit(1)


def _run(fault: Fault, ground: Ground, progress: Console) -> Result:
    """Make one fault, and say how it went."""
    began, findings, reason = time.monotonic(), (), ""
    try:
        findings = fault.run(ground)
    except (NotHere, pytest.skip.Exception) as exc:
        reason = str(exc)
    except Exception as exc:  # one that fails must not hide what the others find
        words = str(exc).splitlines() or [""]
        findings = (Finding("the run itself", "ends", f"{type(exc).__name__}: {words[0]}", False),)
    seconds = time.monotonic() - began
    result = Result(fault.number, fault.storage, fault.done, findings, seconds, reason)
    progress.print(
        f"{result.verdict:8}{seconds:6.1f} s  {fault.number}  {fault.storage}: {fault.done}",
        highlight=False,
        soft_wrap=True,
    )
    for missed in _missed(findings):
        _detail(progress, f"{missed.metric}: {missed.measured}, to reach {missed.to_reach}")
    return result


def _detail(progress: Console, text: str) -> None:
    progress.print(f"        {text}", highlight=False, markup=False, soft_wrap=True)


def _missed(findings: Sequence[Finding]) -> list[Finding]:
    return [each for each in findings if not each.met]


if __name__ == "__main__":
    typer.run(main)
