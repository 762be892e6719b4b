"""Benchmarks: `python -m bench` puts Enrol beside its peers; the others measure one part each."""
