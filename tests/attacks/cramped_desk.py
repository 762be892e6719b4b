"""Runs the `enrol` command where few files may be open."""

import resource
import runpy

resource.setrlimit(resource.RLIMIT_NOFILE, (256, 256))
runpy.run_module("enrol", run_name="__main__", alter_sys=True)
