"""The command that makes faults, and the page it writes."""

import json
import subprocess
import sys
from pathlib import Path

import pytest
from typer.testing import CliRunner

from faults import __main__
from faults.catalogue import ELSEWHERE, FAULTS
from faults.fault import Fault
from faults.ground import NotHere
from faults.load import Answer, statuses, unexpected
from faults.report import page
from faults.result import Finding, Result, at_least, at_most, none_of

MET = Finding("lost", "0", "0", met=True)
MISSED = Finding("lost", "0", "1: client-1", met=False)
MACHINE = {"CPU": "one"}


def test_a_number_is_judged_by_its_limit_and_said_with_its_unit():
    assert at_most("slowest", 2.0, 2.0, "s") == Finding("slowest", "≤ 2.00 s", "2.00 s", met=True)
    assert not at_most("slowest", 2.0, float("inf"), "s").met
    assert at_least("kills", 1000, 999) == Finding("kills", "≥ 1,000", "999", met=False)
    assert none_of("lost", ["b", "c"], " of 3").measured == "2 of 3: b"


def test_answers_that_nobody_expects_are_told_apart():
    answers = [Answer(0, 1, 201), Answer(0, 1, 503, "overloaded"), Answer(0, 1, 500, "defect")]
    assert unexpected(answers) == ["500 defect"]
    assert statuses(answers) == "201 × 1, 500 × 1, 503 × 1"


def test_the_page_counts_the_verdicts_and_accounts_for_what_is_not_among_them():
    results = [Result("F-01", "SQLite", "kill", (each,)) for each in (MET, MISSED)]
    text = page(results, "make faults", MACHINE)
    assert "1 met, 1 missed, 0 not run" in text
    assert all(f"- {number}: {what}" in text for number, what in ELSEWHERE.items())
    assert "- CPU: one" in text


def test_every_number_of_the_plan_is_run_or_accounted_for():
    numbers = {fault.number for fault in FAULTS} | {number.split()[0] for number in ELSEWHERE}
    assert numbers - {"self-check"} == {f"F-{number:02}" for number in range(1, 43)}


def of_finding(finding):
    return Fault("F-01", "kill -9", lambda ground: (finding,))


def not_here(ground):
    raise NotHere("strace is not installed")


def broken(ground):
    raise RuntimeError("no server")


@pytest.fixture
def invoke(monkeypatch):
    """Run the command with faults that are made up."""

    def run(*faults, options=("--only", "F-01", "--json")):
        monkeypatch.setattr(__main__, "FAULTS", faults)
        monkeypatch.setattr(__main__, "Ground", lambda *_, **__: None)
        monkeypatch.setattr(__main__, "describe_hardware", lambda _: MACHINE)
        app = __main__.typer.Typer()
        app.command()(__main__.main)
        return CliRunner().invoke(app, options)

    return run


@pytest.mark.parametrize(
    ("fault", "verdict", "code"),
    [
        (of_finding(MET), "met", 0),
        (of_finding(MISSED), "missed", 1),
        (Fault("F-01", "kill -9", not_here), "not run", 0),
        (Fault("F-01", "kill -9", broken), "missed", 1),
    ],
    ids=["met", "missed", "not here", "fails itself"],
)
def test_the_exit_code_says_whether_all_was_met(invoke, fault, verdict, code):
    done = invoke(fault)
    (told,) = json.loads(done.stdout)
    assert (told["verdict"], done.exit_code) == (verdict, code)


def test_a_number_that_there_is_none_of_is_refused(invoke):
    assert invoke(of_finding(MET), options=("--only", "F-99")).exit_code == 2


def test_a_part_of_the_runs_leaves_the_page_alone(invoke, monkeypatch, tmp_path):
    monkeypatch.setattr(__main__, "_PAGE", tmp_path / "reliability.md")
    invoke(of_finding(MET))
    assert not (tmp_path / "reliability.md").exists()


def test_the_command_runs_without_anything_installed_but_python(tmp_path):
    root = Path(__file__).parents[2]
    done = subprocess.run(
        [sys.executable, "-m", "faults", "--help"],
        env={"PYTHONPATH": str(root / "tests"), "PATH": ""},
        cwd=root,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    assert "--only" in done.stdout
