"""Enrol: the registration desk of open banking."""

__version__ = "0.1.0"
