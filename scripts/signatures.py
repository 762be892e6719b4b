"""Writes docs/reference/signatures.md; needs Node.js, openssl and what `make test` installs."""

import sys
import tempfile
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent.parent / "tests"))

from interop import programs, signature_table


def main() -> None:
    """Try everything and write the page."""
    programs.install_node_packages()
    with tempfile.TemporaryDirectory() as folder:
        signature_table.PAGE.write_text(signature_table.page(Path(folder)), "utf-8")
    sys.stdout.write("wrote docs/reference/signatures.md\n")


if __name__ == "__main__":
    main()
