"""Whatever parties do in whatever order, the bank does what a plain model of a register does.

`ENROL_MODEL_EXAMPLES` says how many lives of a register are tried, for long runs.
"""

import os
import subprocess
import sys
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from hypothesis import HealthCheck, settings
from hypothesis.stateful import run_state_machine_as_test

from live.desk import Desk
from live.party import Party, issue
from live.register_life import Life
from live.register_world import ORGANIZATION, RIVAL, World

EXAMPLES = int(os.environ.get("ENROL_MODEL_EXAMPLES", "12"))
STEPS = 30


@pytest.fixture
def world(desk: Desk, folder: Any, party_of: Callable[..., Party]) -> Iterator[World]:
    """A bank of one's own, and an organisation that has renewed its certificates."""
    with desk.beside(folder, registration__listing="true") as bank:
        first = party_of(bank, ORGANIZATION)
        options = {"roles": ("PSP_AI", "PSP_PI")}
        renewed = [issue(bank.pki, "qsealc", ORGANIZATION, name=name, **options) for name in "ab"]
        qwac = issue(bank.pki, "qwac", ORGANIZATION, name="c", **options)
        rival = party_of(bank, RIVAL)
        rival.register()  # so that its key is known
        world = World(bank, (first.qwac, qwac), (first.qsealc, *renewed), rival)
        yield world
        world.close()


def test_a_bank_does_what_its_model_does(world: World) -> None:
    run_state_machine_as_test(
        lambda: Life(world),
        settings=settings(
            max_examples=EXAMPLES,
            stateful_step_count=STEPS,
            deadline=None,
            print_blob=True,
            suppress_health_check=list(HealthCheck),
        ),
    )
    config = str(world.bank.folder / "enrol.toml")
    command = (sys.executable, "-m", "enrol", "audit", "verify", "--config", config)
    done = subprocess.run(command, check=False, capture_output=True, text=True)
    assert done.returncode == 0, done.stdout + done.stderr
