"""Trusted lists: fetched, verified and read in a process of their own; servers read the result."""
