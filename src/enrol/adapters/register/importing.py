"""From a file of the EBA's register to the register that is kept."""

import hashlib
from contextlib import closing
from datetime import datetime
from pathlib import Path
from typing import Final

from enrol.adapters.register.golden_copy import GoldenCopy, Progress, ReadingReport, refusal
from enrol.adapters.register.kept import KeptRegister, RegisterOverview, draft_register
from enrol.errors import ConfigurationError

_MOST_UNREADABLE: Final = 0.05
_LONGEST_DIGEST: Final = 1024


def import_register(
    file: Path, into: Path, *, at: datetime, progress: Progress = lambda *_: None
) -> ReadingReport:
    """Read a file of the EBA's register, and swap what counts of it in at `into`.

    Raises ConfigurationError ``register_file_refused``, and leaves what there was; also where the
    file is older than that.
    """
    with GoldenCopy(file, progress=progress) as copy:
        copy.report.digest_checked = _check_digest_beside(file)
        made_at = min(copy.made_at or at, at)
        held = _held(into)
        if held is not None and made_at < held.made_at:
            raise refusal(file, f"it is of {made_at:%d %B %Y}, older than the one held")
        with draft_register(into) as draft:
            for entry in copy.entries():
                draft.add(entry)
            report = copy.report
            if not report.kept or report.unreadable > _MOST_UNREADABLE * report.kept:
                raise refusal(
                    file,
                    f"of {report.entities} entities {report.kept} are institutions and "
                    f"{report.unreadable} not as they are written today",
                )
            draft.close(made_at, report.entities)
    return report


def _check_digest_beside(file: Path) -> bool:
    """Compare the file with the ``.sha256`` beside it, and tell whether there is one."""
    beside = file.with_name(f"{file.name}.sha256")
    if not beside.exists():
        return False
    with file.open("rb") as content, beside.open("rb") as text:
        found = hashlib.file_digest(content, "sha256").hexdigest()
        said = text.read(_LONGEST_DIGEST).split()[:1]
    if said != [found.encode()]:
        raise refusal(file, f"{beside.name} has another digest")
    return True


def _held(path: Path) -> RegisterOverview | None:
    try:
        with closing(KeptRegister(path)) as register:
            return register.overview()
    except ConfigurationError:
        return None
