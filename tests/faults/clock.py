"""The machine's clock jumps (F-32), by libfaketime, which the server and OpenSSL both follow."""

import time
from pathlib import Path

from faults.disk import first_success
from faults.fault import Fault
from faults.ground import Ground, NotHere
from faults.judging import no_500, register_findings
from faults.load import statuses
from faults.result import Finding, at_least, at_most, holds

LIBRARIES = "/usr/lib/*/faketime/libfaketimeMT.so.1"
JUMPS = ("-1h", "+1h", "+0", "+1d", "+0", "-1h", "+2h")
"""The last five are a saw."""

TOO_FAR = "+13y"
FOR = 2.0
HEALS_WITHIN = 5.0
LONGEST_ANSWER = 8.0
_SUCCESS = (200, 201, 204)


def clock_jumps(ground: Ground) -> tuple[Finding, ...]:
    """Let the clock jump under load: within what certificates last, beyond it, and back."""
    clock = ground.work / "clock"
    bank = ground.bank()
    bank.environment = {
        "LD_PRELOAD": str(_library()),
        "FAKETIME_TIMESTAMP_FILE": str(clock),
        "FAKETIME_NO_CACHE": "1",
        "FAKETIME_DONT_FAKE_MONOTONIC": "1",
        "DONT_FAKE_MONOTONIC": "1",
    }
    _set(clock, "+0")
    with bank:
        load = ground.load(bank)
        findings: tuple[Finding, ...] = ()
        with load.at_work():
            time.sleep(FOR)
            for jump in (*JUMPS, TOO_FAR):
                _set(clock, jump)
                began = time.monotonic()
                time.sleep(FOR)
                during = [a for a in load.answers if a.began > began + 0.1]
                good = sum(a.status in _SUCCESS for a in during)
                metric = f"changes acknowledged at {jump}"
                if jump == TOO_FAR:
                    findings += (at_most(f"{metric}, when certificates are over", 0, good),)
                else:
                    findings += (at_least(metric, 1, good),)
                ground.say(f"clock {jump}: {statuses(during)}")
            _set(clock, "+0")
            back_at = time.monotonic()
            time.sleep(HEALS_WITHIN)
        alive = bank.process.poll() is None
        return (
            holds(
                "server after all jumps", "lives" if alive else "ended", met=alive, to_reach="lives"
            ),
            *findings,
            first_success(load, back_at, "the right time again", HEALS_WITHIN),
            at_most("slowest answer", LONGEST_ANSWER, max(a.seconds for a in load.answers), "s"),
            *register_findings(bank, load),
            no_500(load),
        )


def _library() -> Path:
    found = sorted(Path("/").glob(LIBRARIES.removeprefix("/")))
    if not found:
        raise NotHere("libfaketime is not installed")
    return found[0]


def _set(clock: Path, offset: str) -> None:
    """Put the clock of the server forward or back, at once."""
    draft = clock.with_suffix(".new")
    draft.write_text(f"{offset}\n")
    draft.replace(clock)


FAULTS = (
    Fault(
        "F-32",
        "the clock jumps an hour back, an hour and a day forward, in a saw, and beyond the end of"
        " every certificate, under load",
        clock_jumps,
    ),
)
