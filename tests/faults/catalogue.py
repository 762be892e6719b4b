"""Every fault there is a run of, and those of the plan that have none here."""

from typing import Final

from faults import (
    absent,
    backups,
    clock,
    crowds,
    disk,
    files,
    kill,
    postgres,
    power,
    remote,
    selfcheck,
    stopping,
    syscalls,
    wires,
)
from faults.fault import Fault

FAULTS: Final[tuple[Fault, ...]] = (
    *selfcheck.FAULTS,
    *sorted(
        (
            *kill.FAULTS,
            *power.FAULTS,
            *syscalls.FAULTS,
            *disk.FAULTS,
            *files.FAULTS,
            *remote.FAULTS,
            *crowds.FAULTS,
            *stopping.FAULTS,
            *clock.FAULTS,
            *backups.FAULTS,
            *wires.FAULTS,
            *postgres.FAULTS,
            *absent.FAULTS,
        ),
        key=lambda fault: fault.number,
    ),
)

ELSEWHERE: Final[dict[str, str]] = {
    "F-02 on PostgreSQL": "not run: a power cut under PostgreSQL itself is that project's to test;"
    " its settings `fsync` and `full_page_writes` are required at every start",
    "F-13": "a failover to a standby that lags is in `tests/adapters/test_postgres_failover.py`",
    "F-14": "writers take turns by a lock, so that transactions cannot cross;"
    " `tests/adapters/test_postgres_faults.py` has the lock that is not given",
    "F-16": "a file of SQLite has one process; a second is refused in"
    " `tests/adapters/test_database.py`, several workers in `tests/live/test_workers.py`",
    "F-19": "not run: tokens are the server's own, and are in the register; the keys of issuers of"
    " software statements are in `tests/adapters/test_issuer_keys.py`",
    "F-21": "resolvers that are slow or silent are in `tests/adapters/test_revocation_online.py`",
    "F-22": "`tests/adapters/test_register_source.py` and `tests/live/test_trust.py`",
    "F-26": "not run: half an hour of load; `make bench` measures what is at its highest,"
    " `tests/live/test_overload.py` what is too much",
    "F-27": "not run: eight hours",
    "F-28": "few descriptors are AC-245 of the attack cases in `tests/attacks`; limits of memory"
    " and CPU are not run",
    "F-32": "of the event that says that the clock jumped: there is none",
    "F-33": "`tests/adapters/test_migration.py` and `test_postgres_migration.py`; a kill at each"
    " statement and a million rows are not run",
    "F-35": "`tests/adapters/test_backup.py`",
    "F-36": "`tests/live/test_workers.py` and `tests/live/test_trust.py`",
    "F-37": "`tests/test_settings.py`",
    "F-39": "`tests/live/test_faults.py`",
    "F-41": "`make fuzz`, a minute a target; not ten million requests",
    "F-42": "not run: half an hour of histories, checked for linearizability",
}
"""What became of the other numbers of the plan."""
