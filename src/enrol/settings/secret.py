"""The file of the server's secret."""

from pathlib import Path

from enrol.errors import ConfigurationError

_SECRET_BYTES = 32


def read_secret(path: Path) -> bytes:
    """Return the server's secret: at least 32 characters in a file that nobody else can read.

    Raises `ConfigurationError`.
    """
    try:
        mode = path.stat().st_mode
        secret = path.read_bytes().strip()
    except OSError as exc:
        raise ConfigurationError("secret_unreadable", f"{path}: cannot be read ({exc})") from exc
    if mode & 0o077:
        raise ConfigurationError(
            "secret_exposed", f"{path}: others can read it; run chmod 600 {path}"
        )
    if len(secret) < _SECRET_BYTES:
        raise ConfigurationError(
            "secret_short",
            f"{path}: shorter than 32 characters; make one with: openssl rand -base64 48",
        )
    return secret
