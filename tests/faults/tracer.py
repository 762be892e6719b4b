"""System calls of a running server, watched or made to fail by strace."""

import shutil
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from faults.ground import NotHere

WRITES = "fdatasync,fsync,write,writev,pwrite64,sendto,sendmsg"
_INJECTED = "(INJECTED)"


@dataclass(frozen=True, slots=True)
class Trace:
    """What strace wrote down, complete once the block has ended."""

    file: Path

    @property
    def lines(self) -> list[str]:
        return self.file.read_text("utf-8", "replace").splitlines()

    @property
    def failed_calls(self) -> list[str]:
        """The calls that were made to fail."""
        return [line for line in self.lines if _INJECTED in line]


@contextmanager
def traced(pid: int, file: Path, *expressions: str) -> Iterator[Trace]:
    """Watch a process with all its threads; raises `NotHere` where that is not possible."""
    if shutil.which("strace") is None:
        raise NotHere("strace is not installed")
    options = [part for each in expressions for part in ("-e", each)]
    with subprocess.Popen(
        ["strace", "-f", "-y", "-p", str(pid), "-o", str(file), *options],
        stderr=subprocess.PIPE,
        text=True,
    ) as tracer:
        assert tracer.stderr is not None
        said = tracer.stderr.readline()
        if "attached" not in said:
            tracer.kill()
            raise NotHere(f"strace may not look at other processes: {said.strip()}")
        try:
            yield Trace(file)
        finally:
            tracer.terminate()


def failing(call: str, error: str, when: int) -> tuple[str, str]:
    """Return the expressions by which one call of a thread, the `when`-th, fails with an error."""
    return f"trace={call}", f"inject={call}:error={error}:when={when}"
