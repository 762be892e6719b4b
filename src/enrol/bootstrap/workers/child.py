"""A child of the supervisor: everything is loaded already, so that it is at work soon."""

import os
import signal
import sys
import traceback
from collections.abc import Callable
from typing import Final, NoReturn

HEEDED: Final = (signal.SIGTERM, signal.SIGINT, signal.SIGHUP, signal.SIGCHLD)
"""The signals that a supervisor handles, and its children do not."""


def start_child(work: Callable[[], int]) -> int:
    """Return the process id of a child that does `work` and ends with the code it returns.

    Called where there is one thread, and nothing of it is half done. Raises `OSError`.
    """
    sys.stdout.flush()
    sys.stderr.flush()
    before = signal.pthread_sigmask(signal.SIG_BLOCK, HEEDED)
    try:
        pid = os.fork()
        if pid == 0:
            _live(work, before)
        return pid
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, before)


def _live(work: Callable[[], int], mask: set[int | signal.Signals]) -> NoReturn:
    """Be the child from its birth to its end; what the parent has on its stack is not unwound."""
    code = 1
    try:
        os.setpgid(0, 0)  # the keyboard speaks to the supervisor alone
        signal.set_wakeup_fd(-1)
        for each in HEEDED:
            signal.signal(each, signal.SIG_DFL)
        signal.signal(signal.SIGHUP, signal.SIG_IGN)
        signal.pthread_sigmask(signal.SIG_SETMASK, mask)
        code = work()
    except SystemExit as exc:
        code = exc.code if isinstance(exc.code, int) else 1
    except BaseException:  # it ends here, whatever it is
        traceback.print_exc()
    finally:
        sys.stdout.flush()
        sys.stderr.flush()
        os._exit(code)


def cause_of(status: int) -> tuple[int, str]:
    """Return the code of how a process ended, negative for a signal, and in words."""
    code = os.waitstatus_to_exitcode(status)
    if code >= 0:
        return code, f"exit status {code}"
    return code, signal.Signals(-code).name
