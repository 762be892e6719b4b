"""The one place where the parts are joined."""

from enrol.bootstrap.operating import operating, writing_states
from enrol.bootstrap.process import bring_up_to_date, check, run
from enrol.bootstrap.trusting import preflight_desk, recheck_of

__all__ = [
    "bring_up_to_date",
    "check",
    "operating",
    "preflight_desk",
    "recheck_of",
    "run",
    "writing_states",
]
