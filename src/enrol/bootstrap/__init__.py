"""The one place where the parts are joined."""

from enrol.bootstrap.operating import operating, writing_states
from enrol.bootstrap.process import check, run
from enrol.bootstrap.serving import run_workers
from enrol.bootstrap.trusting import preflight_desk, recheck_of

__all__ = [
    "check",
    "operating",
    "preflight_desk",
    "recheck_of",
    "run",
    "run_workers",
    "writing_states",
]
