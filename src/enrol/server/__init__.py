"""Delivery over HTTP: the listener, the entry points, and how refusals look on the wire."""
