"""Where faults are made: a folder, a sandbox that all banks are copies of, and their parties."""

import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from faults.load import Load, Worker
from live.desk import Desk
from live.party import Party, issue

ORGANIZATIONS = tuple(
    f"PSDFR-ACPR-{number}{number}{number}{number}{number}" for number in range(1, 9)
)
ROLES = ("PSP_AI", "PSP_PI")


class NotHere(Exception):  # noqa: N818 - no error: a machine need not be able to
    """A fault that cannot be made on this machine; the text says why."""


@dataclass
class Ground:
    """The folder `work`, the number of `rounds` asked for, and how a line of progress is said."""

    work: Path
    rounds: int | None = None
    say: Callable[[str], None] = print
    made: int = 0
    template: Desk = field(init=False)

    def __post_init__(self) -> None:
        """Make the sandbox, and let it start once, which takes its trusted lists in."""
        folder = self.work / "template"
        command = [sys.executable, "-m", "enrol", "sandbox", "init", str(folder)]
        subprocess.run(command, check=True, capture_output=True)
        self.template = Desk(folder)
        with self.template:
            pass

    def bank(self, *options: str, **settings: Any) -> Desk:
        """Return a bank with an empty register, not started; a setting is `section__name`."""
        self.made += 1
        return self.template.beside(self.work / f"bank-{self.made}", *options, **settings)

    @contextmanager
    def running(self, *options: str, **settings: Any) -> Iterator[Desk]:
        """Run a bank; it is killed where the run of a fault leaves it unable to stop."""
        bank = self.bank(*options, **settings)
        try:
            with bank:
                yield bank
        finally:
            if hasattr(bank, "process") and bank.process.poll() is None:
                bank.kill()

    def party(self, bank: Desk, organization: str = ORGANIZATIONS[0]) -> Party:
        """Return a party of a bank."""
        pairs = [
            issue(self.template.folder, kind, organization, roles=ROLES)
            for kind in ("qwac", "qsealc")
        ]
        return Party(bank.port, bank.folder / "server-ca.pem", organization, *pairs)

    def load(self, bank: Desk, workers: int = 4, *, seed: int = 20261124) -> Load:
        """Return parties that change clients of theirs, with a token each."""
        made = [
            Worker.of(self.party(bank, ORGANIZATIONS[n % len(ORGANIZATIONS)]), seed + n)
            for n in range(workers)
        ]
        for worker in made:
            worker.party.token  # noqa: B018 - one token outlives the faults
        return Load(made)


def seconds_to_start(bank: Desk) -> float:
    """Start a bank, and return how long it took until it was ready."""
    began = time.monotonic()
    bank.start()
    return time.monotonic() - began


def wait_until(condition: Callable[[], bool], within: float) -> float | None:
    """Wait for a condition; return how many seconds it took, None where it did not come."""
    began = time.monotonic()
    while not condition():
        if time.monotonic() - began > within:
            return None
        time.sleep(0.02)
    return time.monotonic() - began


def refusal_to_start(bank: Desk) -> tuple[int, str]:
    """Try to start a bank that must not, and return its exit code and what it says.

    0 and nothing where it starts all the same; then it is killed.
    """
    try:
        bank.start()
    except AssertionError:
        code = bank.ended()
        return code, bank.log_lines[-1].replace(str(bank.folder.parent), "…")
    bank.kill()
    return 0, ""
