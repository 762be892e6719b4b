"""The process that refreshes: an order as JSON on stdin, a report as JSON on stdout.

``python -m enrol.adapters.trustlists.process``; the server starts it, see `supervisor`. It gives
way to every other process of the machine, and takes its memory with it when it ends.
"""

import os
import sys
from contextlib import suppress
from typing import Final

import msgspec

from enrol.adapters.clock import system_clock
from enrol.adapters.trustlists.errors import ListRefusedError
from enrol.adapters.trustlists.job import Order, RefreshReport, run_job
from enrol.eidas.loading import silence_warnings_of_names
from enrol.errors import ConfigurationError

_NICENESS: Final = 10


def main() -> int:
    """Carry out the order; the exit code is 0 where there is a new snapshot."""
    with suppress(OSError):
        os.nice(_NICENESS)
    silence_warnings_of_names()
    order = msgspec.json.decode(sys.stdin.buffer.read(), type=Order)
    try:
        snapshot = run_job(order.job, at=order.at or system_clock())
    except (ListRefusedError, ConfigurationError) as exc:
        report = RefreshReport(code=exc.code, detail=exc.detail)
    except OSError as exc:
        report = RefreshReport(code="trust_snapshot_unwritable", detail=str(exc))
    else:
        report = RefreshReport.of(snapshot) if snapshot else RefreshReport()
    sys.stdout.buffer.write(msgspec.json.encode(report))
    return 0 if report.code is None else 1


if __name__ == "__main__":
    sys.exit(main())
