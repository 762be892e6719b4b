"""What part of the physical limit Enrol reaches, and what a commit is shared by."""

import os
import re
import ssl
import tempfile
import time
import urllib.request
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from statistics import median

from cryptography.hazmat.primitives.asymmetric import padding, rsa
from cryptography.hazmat.primitives.hashes import SHA256

from bench.bank import Bank
from bench.databases import Sqlite
from bench.desk import serving
from bench.figures import Figures, figures
from bench.finding import Finding, Table, Verdict, spread
from bench.processes import UnmeasuredError, free_port, on_cpus, share_out
from bench.run import Plan, load
from bench.system import CONNECTIONS

SUBJECT = "limit"
_TARGET = "share of the physical limit, SQLite, 1 worker"
_WANTED = 0.45
_REQUEST, _ANSWER = 3_000, 3_000
"""Bytes of a registration and its answer, about, with their heads."""

_COUNT, _TIMES = re.compile(r"(\w+_(?:count|sum))(?:{[^}]*})? (\S+)"), 1_000


@dataclass(frozen=True, slots=True)
class Floor:
    """Microseconds that a registration cannot do without, each measured alone."""

    rsa: float
    tls: float
    sync: float

    @property
    def whole(self) -> float:
        """All of them."""
        return self.rsa + self.tls + self.sync


@dataclass(frozen=True, slots=True)
class Run:
    """A run with its commits: how many a second, writes in each, milliseconds each took."""

    figures: Figures
    commits: float
    batch: float
    milliseconds: float
    bytes_each: float


def find(plan: Plan, bank: Bank) -> Finding:
    """Measure the parts and the whole by turns."""
    runs: dict[int, list[Run]] = {connections: [] for connections in CONNECTIONS}
    floors = []
    try:
        for number in range(plan.rounds):
            for connections in CONNECTIONS:
                plan.say(f"limit, round {number + 1} of {plan.rounds}: {connections} at a time")
                runs[connections].append(_run(plan, bank, connections))
            floors.append(_floor(plan, bank, runs[CONNECTIONS[-1]][-1]))
    except UnmeasuredError as reason:
        return Finding(
            SUBJECT,
            "Share of the physical limit",
            verdicts=[Verdict(_TARGET, f"≥ {_WANTED:.0%}", str(reason), None)],
            sentences=[f"Not measured: {reason}."],
        )
    return finding(runs, floors)


def finding(runs: dict[int, list[Run]], floors: list[Floor]) -> Finding:
    """Return what was measured; one floor a round, beside the run with many connections."""
    many = runs[max(runs)]
    shares = [run.figures.rate * floor.whole / 1e6 for run, floor in zip(many, floors, strict=True)]
    parts = [
        ("RSA-2048 verification", [floor.rsa for floor in floors]),
        ("TLS 1.3 records in and out", [floor.tls for floor in floors]),
        ("share of a durable write", [floor.sync for floor in floors]),
        ("limit", [floor.whole for floor in floors]),
        ("Enrol, worker's CPU", [run.figures.cpu for run in many]),
        ("Enrol, time from one to the next", [1e6 / run.figures.rate for run in many]),
    ]
    commits = [
        [
            str(connections),
            spread([run.figures.rate for run in done]),
            spread([run.commits for run in done]),
            spread([run.batch for run in done], 1),
            spread([run.milliseconds for run in done], 2),
        ]
        for connections, done in runs.items()
    ]
    share = median(shares)
    return Finding(
        SUBJECT,
        "Share of the physical limit",
        tables=[
            Table(("a registration needs", "µs"), [[name, spread(us, 1)] for name, us in parts]),
            Table(
                ("connections", "registrations/s", "commits/s", "writes in each", "ms each"),
                commits,
                title="Group commit",
            ),
        ],
        verdicts=[Verdict(_TARGET, f"≥ {_WANTED:.0%}", f"{share:.0%}", share >= _WANTED)],
        sentences=[
            (
                "The limit is what a registration cannot do without, whatever the program: the"
                " check of its signature, the records of TLS, its share of the durable write."
            ),
            (
                "It leaves out HTTP, JSON, the checks of certificates and tokens, the rows and"
                " their indexes, and the audit trail."
            ),
            (
                "Each part is measured in the same round, on the worker's CPU: a bare check; a"
                f" request of {_REQUEST:,} bytes decrypted and an answer of {_ANSWER:,} encrypted;"
                " a write of as many bytes as a commit brings, made durable, by the writes that"
                " share it."
            ),
            "Figures are medians, and in brackets the lowest and the highest round.",
            "Writes that share a commit are counted by the server's own metrics.",
        ],
        data={
            "share": round(share, 3),
            "floors": [[floor.rsa, floor.tls, floor.sync] for floor in floors],
            "commits": {
                str(connections): [[run.commits, run.batch, run.milliseconds] for run in done]
                for connections, done in runs.items()
            },
        },
    )


def _run(plan: Plan, bank: Bank, connections: int) -> Run:
    register, operations = Sqlite(), free_port()
    with tempfile.TemporaryDirectory(dir=plan.work) as name:
        folder = Path(name)
        environment = {
            **register.made(bank.config, folder, 1),
            "ENROL_OPERATIONS_PORT": str(operations),
        }
        with serving(bank, folder, environment) as (process, port):
            bank.rewind()
            lines, before = bank.lines(port, connections), _metrics(operations)
            began = time.perf_counter()
            window = load(lines, port, process, warm_up=plan.warm_up, seconds=plan.seconds)
            elapsed, after = time.perf_counter() - began, _metrics(operations)
        size = (folder / "enrol.db").stat().st_size
        stored = register.count(folder)
    commits = after["enrol_commit_batch_size_count"] - before["enrol_commit_batch_size_count"]
    written = after["enrol_commit_batch_size_sum"] - before["enrol_commit_batch_size_sum"]
    seconds = after["enrol_commit_seconds_sum"] - before["enrol_commit_seconds_sum"]
    return Run(
        figures(window),
        commits=commits / elapsed,
        batch=written / commits,
        milliseconds=seconds / commits * 1e3,
        bytes_each=size / max(stored, 1),
    )


def _metrics(port: int) -> dict[str, float]:
    """Return counts and sums of the server's metrics."""
    with urllib.request.urlopen(f"http://127.0.0.1:{port}/metrics", timeout=10) as answer:
        return parse_metrics(answer.read().decode())


def parse_metrics(text: str) -> dict[str, float]:
    """Return counts and sums in the text format of Prometheus; of several labels the last."""
    return {name: float(value) for name, value in _COUNT.findall(text)}


def _floor(plan: Plan, bank: Bank, run: Run) -> Floor:
    """Measure the parts on the worker's CPU."""
    with on_cpus(share_out(1).server):
        return Floor(
            _rsa(),
            _tls(bank.folder),
            _sync(plan.work, int(run.batch * run.bytes_each)) / run.batch,
        )


def _each(call: Callable[[], object]) -> float:
    """Return the microseconds a call takes, the best of five rounds."""
    costs = []
    for _ in range(5):
        began = time.perf_counter()
        for _ in range(_TIMES):
            call()
        costs.append((time.perf_counter() - began) / _TIMES * 1e6)
    return min(costs)


def _rsa() -> float:
    key = rsa.generate_private_key(65537, 2048)
    public, text = key.public_key(), b"x" * 200
    signature = key.sign(text, padding.PKCS1v15(), SHA256())
    return _each(lambda: public.verify(signature, text, padding.PKCS1v15(), SHA256()))


def _tls(bank: Path) -> float:
    """Return what a kept connection costs the server: one request in, one answer out."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(bank / "server.pem", bank / "server.key")
    to_server, to_client = ssl.MemoryBIO(), ssl.MemoryBIO()
    server = context.wrap_bio(to_server, to_client, server_side=True)
    trusting = ssl.create_default_context(cafile=bank / "server-ca.pem")
    client = trusting.wrap_bio(to_client, to_server, server_hostname="localhost")
    _shake_hands(client, server)
    request, answer, spent = b"q" * _REQUEST, b"a" * _ANSWER, []
    for _ in range(5):
        total = 0.0
        for _ in range(_TIMES):
            client.write(request)
            began = time.perf_counter()
            server.read(_REQUEST)
            server.write(answer)
            total += time.perf_counter() - began
            client.read(_ANSWER)
        spent.append(total / _TIMES * 1e6)
    return min(spent)


def _shake_hands(*ends: ssl.SSLObject) -> None:
    """Let both ends speak by turns until each is done."""
    waiting = list(ends)
    while waiting:
        for end in tuple(waiting):
            with suppress(ssl.SSLWantReadError):
                end.do_handshake()
                waiting.remove(end)


def _sync(work: Path, size: int) -> float:
    """Return the microseconds that a write takes until it is durable, the median of many."""
    block, times = bytes(max(size, 4096)), []
    with tempfile.TemporaryFile(dir=work, buffering=0) as file:
        for _ in range(200):
            began = time.perf_counter()
            file.write(block)
            os.fdatasync(file.fileno())
            times.append(time.perf_counter() - began)
    return median(times) * 1e6
