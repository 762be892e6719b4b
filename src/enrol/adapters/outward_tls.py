"""TLS towards hosts that a setting may name further CAs for."""

import ssl
from pathlib import Path

from enrol.errors import ConfigurationError


def context_with(ca_file: Path | None, *, code: str) -> ssl.SSLContext:
    """Return a context that believes the system's CAs, and those in `ca_file`.

    Raises `ConfigurationError` with `code` where the file cannot be read.
    """
    context = ssl.create_default_context()
    if ca_file is not None:
        try:
            context.load_verify_locations(ca_file)
        except OSError as exc:  # ssl.SSLError is one
            raise ConfigurationError(
                code, f"{ca_file} cannot be read as certificates in PEM."
            ) from exc
    return context
