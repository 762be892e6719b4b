"""The unit for systemd is right, and the server works within it."""

import re
import shutil
import socket
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from live.desk import Desk
from live.party import Party, issue
from live.served import Served

PROGRAM = str(Path(__file__).with_name("confined.py"))
CALL = re.compile(r"\d+ +(\w+)\(")
LARGEST_EXPOSURE = 20  # of 100
ACME = "PSDFR-ACPR-12345"


@pytest.fixture
def analyze() -> str:
    """The program that checks units."""
    found = shutil.which("systemd-analyze")
    if found is None:
        pytest.skip("needs systemd-analyze")
    return found


@pytest.fixture
def unit(deploy: Path, tmp_path: Path) -> Path:
    """The unit, with a program that is installed here."""
    text = (deploy / "systemd" / "enrol.service").read_text()
    copy = tmp_path / "enrol.service"
    copy.write_text(re.sub(r"^(Exec\w+=)enrol", r"\1/bin/true", text, flags=re.MULTILINE))
    return copy


def run(*command: object) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [str(part) for part in command], capture_output=True, text=True, timeout=60, check=False
    )


def setting(unit: Path, name: str) -> list[str]:
    return re.findall(rf"^{name}=(.*)$", unit.read_text(), re.MULTILINE)


def test_systemd_finds_nothing_wrong(analyze: str, unit: Path) -> None:
    done = run(analyze, "verify", unit)
    assert (done.returncode, done.stderr) == (0, "")


def test_little_of_the_machine_is_exposed(analyze: str, unit: Path) -> None:
    done = run(
        *(analyze, "security", "--offline=true", f"--threshold={LARGEST_EXPOSURE}", "--no-pager"),
        unit,
    )
    assert done.returncode == 0, done.stdout


def test_the_server_has_no_rights_beyond_its_folders(unit: Path) -> None:
    assert setting(unit, "CapabilityBoundingSet") == [""]
    assert setting(unit, "User") == ["enrol"]
    assert setting(unit, "ProtectSystem") == ["strict"]
    assert setting(unit, "ReadWritePaths") == []


def allowed_calls(analyze: str, unit: Path) -> set[str]:
    """Return the system calls that the unit lets pass."""
    listing = run(analyze, "syscall-filter").stdout
    groups: dict[str, list[str]] = {}
    for line in listing.splitlines():
        if line.startswith("@"):
            members = groups.setdefault(line.strip(), [])
        elif line.startswith("    ") and not line.strip().startswith("#"):
            members.append(line.strip())

    def expand(name: str) -> set[str]:
        if not name.startswith("@"):
            return {name}
        return {call for member in groups[name] for call in expand(member)}

    calls: set[str] = set()
    for line in setting(unit, "SystemCallFilter"):
        named = {call for name in line.lstrip("~").split() for call in expand(name)}
        calls = calls - named if line.startswith("~") else calls | named
    return calls


@pytest.fixture
def confined(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> Iterator[tuple[Desk, Path, socket.socket]]:
    """A bank that runs as the unit lets it, its system calls, and its service manager."""
    if shutil.which("strace") is None:
        pytest.skip("needs strace")
    if subprocess.run(["strace", "-qq", "-o", "/dev/null", "true"], check=False).returncode:
        pytest.skip("strace may not look at processes here")
    trace = tmp_path / "calls"
    monkeypatch.setenv("CONFINED_TRACE", str(trace))
    monkeypatch.setenv("WATCHDOG_USEC", "1000000")
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as manager:
        manager.bind(str(tmp_path / "notify"))
        manager.settimeout(60)
        monkeypatch.setenv("NOTIFY_SOCKET", str(tmp_path / "notify"))
        folder = tmp_path / "bank"
        run(sys.executable, "-m", "enrol", "sandbox", "init", folder).check_returncode()
        with Served.of(Desk(folder), program=(PROGRAM,)) as bank:
            yield bank, trace, manager


def test_a_registration_needs_nothing_that_the_unit_denies(
    analyze: str, unit: Path, confined: tuple[Desk, Path, socket.socket]
) -> None:
    bank, trace, manager = confined
    told = {manager.recv(100)}
    while told < {b"READY=1", b"WATCHDOG=1"}:
        told.add(manager.recv(100))
    assert told == {b"READY=1", b"WATCHDOG=1"}
    pairs = [issue(bank.pki, kind, ACME, roles=("PSP_AI", "PSP_PI")) for kind in ("qwac", "qsealc")]
    party = Party(bank.port, bank.folder / "server-ca.pem", ACME, *pairs)
    client_id = party.register().json["client_id"]
    assert party.get(client_id).status == 200
    assert party.delete(client_id).status == 204
    party.close()
    assert bank.stop() == 0
    made = set(CALL.findall(trace.read_text(errors="replace")))
    assert {"fdatasync", "sendto"} & made
    assert made - allowed_calls(analyze, unit) - {"strace"} == set()


def test_settings_and_state_are_where_debian_has_them(unit: Path) -> None:
    commands = setting(unit, "ExecStart") + setting(unit, "ExecStartPre")
    assert len(commands) == 2
    assert all(command.endswith("/etc/enrol/enrol.toml") for command in commands)
    for kind in ("Configuration", "State", "Runtime"):
        assert setting(unit, f"{kind}Directory") == ["enrol"]
