"""Writes docs/reference/certificates.md; needs the certificates of ../shared/vectors/eidas."""

import logging
import sys
import warnings
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent.parent / "tests"))

import structlog

from eidas import mutation_table


def main() -> None:
    """Take every check away and write the page."""
    warnings.simplefilter("ignore")
    quiet = structlog.make_filtering_bound_logger(logging.CRITICAL)
    structlog.configure(wrapper_class=quiet)
    mutation_table.PAGE.write_text(mutation_table.page(), "utf-8")
    sys.stdout.write("wrote docs/reference/certificates.md\n")


if __name__ == "__main__":
    main()
