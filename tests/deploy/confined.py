"""Runs the `enrol` command without memory that is both writable and executable, as the unit has it.

Put before the arguments of `python`; ``CONFINED_TRACE`` names a file for the system calls.
"""

import ctypes
import os
import runpy
import sys

SET_NO_NEW_PRIVILEGES, SET_MEMORY_DENY_WRITE_EXECUTE = 38, 65

if trace := os.environ.pop("CONFINED_TRACE", None):
    command = ("strace", "-D", "-f", "-qq", "-o", trace, sys.executable, *sys.argv)
    os.execvp("strace", command)

libc = ctypes.CDLL(None, use_errno=True)
for option in (SET_NO_NEW_PRIVILEGES, SET_MEMORY_DENY_WRITE_EXECUTE):
    if libc.prctl(option, 1, 0, 0, 0):
        sys.exit(f"prctl {option}: {os.strerror(ctypes.get_errno())}")
runpy.run_module("enrol", run_name="__main__", alter_sys=True)
