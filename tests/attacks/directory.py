"""A directory whose software statements one bank takes, in a dialect that is STET's otherwise."""

from pathlib import Path

from enrol.adapters.dialects import read_dialect
from statement_issuer import StatementIssuer

DIRECTORY = StatementIssuer()
_SETTINGS = """
[software_statements.issuers.directory]
issuer = "https://directory.test"
jwks = "directory.jwks"
audience = ["https://bank.test"]
"""


def equip(folder: Path) -> None:
    """Let a bank take statements."""
    text = read_dialect("stet").replace(
        "[metadata]\n", '[metadata]\nsoftware_statement = "optional"\n', 1
    )
    (folder / "stating.toml").write_text(text)
    (folder / "directory.jwks").write_bytes(DIRECTORY.jwks)
    with (folder / "enrol.toml").open("a") as settings:
        settings.write(_SETTINGS)
