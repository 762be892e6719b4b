"""Where a registration's time goes: a flame graph of the worker under load."""

import subprocess
import tempfile
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from bench.bank import Bank
from bench.databases import Sqlite
from bench.desk import SIGNED, Enrol
from bench.finding import Finding, Plot, Table, Verdict
from bench.flame import flame_svg, is_ours, of_python, own_shares, parse_stacks
from bench.plain import PROGRAMS
from bench.processes import UnmeasuredError, on_cpus, share_out
from bench.run import Plan, load

SUBJECT = "hotpath"
_TARGET = "largest share of one function of ours, cryptography's callers left out"
_LIMIT = 0.10
_RATE = 250
_SHOWN = 12
_CRYPTOGRAPHY = ("(enrol/httpsig/crypto.py)",)
"""Where our functions do nothing but call the cryptography."""


def find(plan: Plan, bank: Bank) -> Finding:
    """Sample a worker that registers with many connections."""
    plan.say("hot path: sampling a worker under load")
    try:
        collapsed = _sampled(plan, bank)
    except UnmeasuredError as reason:
        return Finding(
            SUBJECT,
            "The hot path",
            verdicts=[Verdict(_TARGET, _limit(), str(reason), None)],
            sentences=[f"Not measured: {reason}."],
        )
    return finding(collapsed)


def finding(collapsed: str) -> Finding:
    """Return what the samples say; they are lines of ``frame;frame count``."""
    stacks = parse_stacks(collapsed)
    shares = own_shares(of_python(stacks))
    ours = {name: share for name, share in shares.items() if _is_judged(name)}
    name, share = max(ours.items(), key=lambda each: each[1], default=("none", 0.0))
    rows = [[each, f"{part:.1%}"] for each, part in list(shares.items())[:_SHOWN]]
    title = "A worker under load: on CPU, by function"
    return Finding(
        SUBJECT,
        "The hot path",
        tables=[Table(("Python function, with the C functions it calls", "share"), rows)],
        verdicts=[Verdict(_TARGET, _limit(), f"{share:.1%}, {name}", share <= _LIMIT)],
        sentences=[
            "The worker registers with 32 connections and everything on, its register in SQLite.",
            (
                f"Its stacks were sampled {_RATE} times a second; {sum(stacks.values()):,} samples"
                " were not waiting."
            ),
            "Blue is Enrol, yellow is cryptography, grey are C functions and other libraries.",
            "Opened alone, the picture shows share and full name of what is pointed at.",
        ],
        plots={"hotpath": Plot(flame_svg(title, stacks), title)},
        data={"own": {each: round(part, 4) for each, part in list(shares.items())[:50]}},
    )


def _is_judged(name: str) -> bool:
    return is_ours(name) and not name.endswith(_CRYPTOGRAPHY)


def _limit() -> str:
    return f"≤ {_LIMIT:.0%}"


def _sampled(plan: Plan, bank: Bank) -> str:
    system = Enrol("enrol", "Enrol", SIGNED, bank, Sqlite())
    with tempfile.TemporaryDirectory(dir=plan.work) as name:
        folder = Path(name)
        with system.start(folder, 32) as started:
            stacks = folder / "stacks"
            with _recording(started.process.pid, stacks, plan.seconds):
                load(
                    started.lines,
                    started.port,
                    started.process,
                    warm_up=plan.warm_up,
                    seconds=plan.seconds,
                )
        collapsed = stacks.read_text("utf-8")
    if not collapsed.strip():
        raise UnmeasuredError("no sample was taken")
    return collapsed


@contextmanager
def _recording(pid: int, into: Path, seconds: float) -> Iterator[None]:
    """Sample a process for `seconds`, from when the load is warm; raises `UnmeasuredError`."""
    if not (PROGRAMS / "py-spy").exists():
        raise UnmeasuredError("py-spy is not in the peers' environment; `make bench` installs it")
    command: list[str | Path] = [
        *(PROGRAMS / "py-spy", "record", "--pid", str(pid), "--output", into),
        *("--format", "raw", "--rate", str(_RATE), "--duration", f"{max(seconds, 1):.0f}"),
        *("--native", "--subprocesses"),  # the worker is one of the supervisor
    ]
    said: list[subprocess.CompletedProcess[str]] = []

    def record() -> None:
        with on_cpus(share_out(1).rest):
            done = subprocess.run(command, capture_output=True, text=True, check=False)
            said.append(done)

    thread = threading.Thread(target=record)
    thread.start()
    try:
        yield
    finally:
        thread.join()
    if said[0].returncode or not into.exists():
        raise UnmeasuredError(f"py-spy: {said[0].stderr.strip().splitlines()[-1:]}")
