"""``python -m enrol`` is ``enrol``."""

from enrol.cli import main

main()
