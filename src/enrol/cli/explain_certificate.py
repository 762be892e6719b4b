"""``enrol explain certificate``: every check of a certificate, before a bank makes them."""

import asyncio
import sys
from collections.abc import Sequence
from datetime import datetime
from pathlib import Path
from typing import Annotated

import typer

from enrol.cli.certificate_file import CertificateFile, read_certificate_file
from enrol.cli.examination_report import print_examination
from enrol.cli.explain_options import AsJson, AtOption, moment
from enrol.eidas.examination import ExaminationReport, Status
from enrol.eidas.examine import examine, report_on
from enrol.eidas.rules import CertificateUse
from enrol.errors import ConfigurationError
from enrol.registration.preflight import Presented

_NOT_PASSED = 1


def certificate(
    file: Annotated[
        Path,
        typer.Argument(metavar="FILE", help="The certificate, PEM or DER; its CAs may follow it."),
    ],
    other: Annotated[
        Path | None,
        typer.Argument(
            metavar="FILE2", help="The other of QWAC and QSealC, to see that they agree."
        ),
    ] = None,
    *,
    use: Annotated[
        CertificateUse | None,
        typer.Option("--use", help="What FILE is for; by default what its QcType says."),
    ] = None,
    config: Annotated[
        Path | None,
        typer.Option(
            "--config",
            "-c",
            metavar="FILE",
            help="The settings of the bank whose trust counts; without, trust is not decidable.",
        ),
    ] = None,
    at: AtOption = None,
    as_json: AsJson = False,
) -> None:
    """Say check by check whether a bank accepts a QWAC, a QSealC, or both; nothing is registered.

    Exit code 0 when nothing fails, 1 when something does or, with --config, cannot be decided,
    2 when the input cannot be read.
    """
    presented = _presented(file, other, use)
    when = moment(at)
    report = (
        _without_bank(presented, at=when)
        if config is None
        else _at_bank(presented, config, at=when)
    )
    print_examination(report, as_json=as_json)
    if report.status is Status.FAILED or (config and report.status is not Status.PASSED):
        raise typer.Exit(_NOT_PASSED)


def _presented(file: Path, other: Path | None, use: CertificateUse | None) -> list[Presented]:
    """Return the certificates of one or two files, the QWAC first."""
    first = read_certificate_file(file)
    own = use or first.guess_use()
    found = {own: _present(first, own)}
    if other is not None:
        second = read_certificate_file(other)
        left = next(each for each in CertificateUse if each is not own)
        if use is None and second.guess_use() is own:
            raise ConfigurationError(
                "certificate_uses_alike",
                f"{file} and {other} look made for the same use. Give one QWAC and one QSealC, or "
                "say with --use what the first is.",
            )
        found[left] = _present(second, left)
    return [found[each] for each in CertificateUse if each in found]


def _present(file: CertificateFile, use: CertificateUse) -> Presented:
    return Presented(file.der, use, file.intermediates)


def _without_bank(presented: Sequence[Presented], *, at: datetime) -> ExaminationReport:
    each = (
        examine(one.der, use=one.use, at=at, trust=None, intermediates=one.intermediates)
        for one in presented
    )
    return report_on(tuple(each), at=at)


def _at_bank(presented: Sequence[Presented], config: Path, *, at: datetime) -> ExaminationReport:
    """Examine as the server of the settings would."""
    # the parts of the server take half a second to import: only where needed
    from enrol.adapters.telemetry import configure_logging  # noqa: PLC0415
    from enrol.bootstrap import preflight_desk  # noqa: PLC0415
    from enrol.settings import load_settings  # noqa: PLC0415

    settings = load_settings(config)
    configure_logging(sys.stderr, line_format=settings.log.format)
    return asyncio.run(preflight_desk(settings).examine(presented, at=at))
