"""What a process uses of the machine, read from /proc."""

from pathlib import Path

_RESET_PEAK = "5"


def forget_peak(pid: int) -> None:
    """Let the peak of a process's memory begin anew."""
    Path(f"/proc/{pid}/clear_refs").write_text(_RESET_PEAK)


def resident_megabytes(pid: int, *, peak: bool = False) -> float:
    """Return the resident memory of a process, now or at its peak."""
    name = "VmHWM:" if peak else "VmRSS:"
    lines = Path(f"/proc/{pid}/status").read_text().splitlines()
    (line,) = (line for line in lines if line.startswith(name))
    return int(line.split()[1]) / 1024


def open_files(pid: int) -> int:
    """Return how many descriptors a process has open."""
    return len(list(Path(f"/proc/{pid}/fd").iterdir()))
