"""The machine and the versions that a measurement was made with."""

import os
import platform
import re
import statistics
import subprocess
import tempfile
import time
from importlib.metadata import version
from pathlib import Path

from bench import glewlwyd

_PYTHON_PARTS = ("uvicorn", "uvloop", "httptools", "starlette", "msgspec", "cryptography")
_PEER_PARTS = ("authlib", "flask", "gunicorn", "mcp")
_ROOT = Path(__file__).parents[1]


def describe_machine(work: Path) -> dict[str, str]:
    """Return what the figures depend on, by name; `work` is on the disk measured with."""
    return {
        **describe_hardware(work),
        "Python": f"{platform.python_version()}, {', '.join(map(_versioned, _PYTHON_PARTS))}",
        "peers": f"{_peer_versions()}; Node.js {_said('node', '--version')},"
        f" oidc-provider {_locked_oidc_provider()}; glewlwyd {glewlwyd.version()}",
    }


def describe_hardware(work: Path) -> dict[str, str]:
    """Return the machine itself, by name; `work` is on the disk measured with."""
    return {
        "CPU": f"{_cpu_model()}, {os.cpu_count()} cores",
        "system": f"{platform.system()} {platform.release()} {platform.machine()}",
        "disk": f"{_sync_milliseconds(work):.2f} ms to write 4 kB durably (median of 200)",
        "memory": f"{os.sysconf('SC_PAGE_SIZE') * os.sysconf('SC_PHYS_PAGES') / 2**30:.0f} GiB",
    }


def _cpu_model() -> str:
    found = re.search(r"model name\s*: (.+)", Path("/proc/cpuinfo").read_text())
    return found[1] if found else platform.processor()


def _versioned(name: str) -> str:
    return f"{name} {version(name)}"


def _peer_versions() -> str:
    asked = f"from importlib.metadata import version\nfor n in {_PEER_PARTS}: print(n, version(n))"
    said = _said(_ROOT / ".peers" / "bin" / "python", "-c", asked)
    return ", ".join(said.splitlines())


def _locked_oidc_provider() -> str:
    found = re.search(
        r'"node_modules/oidc-provider": \{\s*"version": "([^"]+)"',
        (_ROOT / "bench" / "peers" / "package-lock.json").read_text(),
    )
    return found[1] if found else "?"


def _said(*command: str | Path) -> str:
    return subprocess.run(command, check=True, capture_output=True, text=True).stdout.strip()


def _sync_milliseconds(folder: Path) -> float:
    """Return how long the disk takes to make 4 kB more of a file durable."""
    times = []
    with tempfile.TemporaryFile(dir=folder, buffering=0) as file:
        for _ in range(200):
            file.write(bytes(4096))
            begin = time.perf_counter()
            os.fdatasync(file.fileno())
            times.append(time.perf_counter() - begin)
    return statistics.median(times) * 1e3
