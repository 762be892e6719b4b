"""The `enrol serve` command and its workers."""

import signal
import threading
from collections.abc import Callable
from pathlib import Path
from time import monotonic

from live.desk import Desk
from ports import free_port


class Served(Desk):
    """A bank that is served as in production, by as many workers as `options` say."""

    @classmethod
    def of(cls, desk: Desk, *options: str, program: tuple[str, ...] = ("-m", "enrol")) -> "Served":
        """Return the bank of a desk that is not started, with options of `enrol serve`."""
        settings = desk.settings | {
            "server.port": free_port(),
            "revocation.online": "false",  # the QTSP's site is a sandbox's
        }
        return cls(desk.folder, options, settings, program=program, issuer=desk.issuer)

    @property
    def command(self) -> list[str]:
        """The `enrol` command that serves."""
        return ["serve", "--config", str(self.folder / "enrol.toml"), *self.options]

    @property
    def workers(self) -> list[int]:
        """The processes that serve, in the order they were started."""
        children = Path(f"/proc/{self.process.pid}/task/{self.process.pid}/children").read_text()
        return [int(pid) for pid in children.split()]

    def set(self, section: str, line: str) -> None:
        """Write a setting into the file of the settings."""
        file = self.folder / "enrol.toml"
        file.write_text(f"{file.read_text()}\n[{section}]\n{line}\n")

    def reload(self) -> None:
        """Have the settings read anew."""
        self.process.send_signal(signal.SIGHUP)

    def logged(self, event: str) -> int:
        """Return how often an event was logged."""
        return sum(f'"event":"{event}"' in line for line in self.log_lines)


def until(condition: Callable[[], object], *, within: float = 30) -> float:
    """Wait for a condition and return how many seconds that took.

    It is looked at a hundred times a second, to leave the CPU to the server.
    """
    between = threading.Event()
    begin = monotonic()
    while not condition():
        assert monotonic() - begin < within, "it did not come to be"
        between.wait(0.01)
    return monotonic() - begin
