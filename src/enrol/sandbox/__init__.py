"""The sandbox: a test QTSP, its folder on disk, and broken certificates on demand.

Nothing made here is qualified, and production code never imports it.
"""
