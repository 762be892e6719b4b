"""The benchmark runs, measures what it says, and leaves the documents alone when it is partial."""

import json
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).parents[2]
PAGE = ROOT / "docs" / "reference" / "performance.md"


def test_a_short_run_registers_without_failures_and_writes_no_page() -> None:
    before = PAGE.read_bytes()
    options = ["--only", "registrations", "--system", "enrol", "--json"]
    options += ["--seconds", "0.5", "--warm-up", "0", "--rounds", "1"]
    done = subprocess.run(
        [sys.executable, "-m", "bench", *options],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
        timeout=120,
    )
    assert done.returncode == 0, done.stderr
    runs = json.loads(done.stdout)["findings"]["registrations"]["runs"]
    assert [run["connections"] for run in runs] == [1, 32]
    for run in runs:
        assert run["rate"] > 0
        assert run["failed"] == 0
        assert run["resident_megabytes"] > 0
    assert PAGE.read_bytes() == before
