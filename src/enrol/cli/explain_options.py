"""The options of ``enrol explain``, each written once."""

from datetime import UTC, datetime
from enum import StrEnum
from pathlib import Path
from typing import Annotated

import typer

from enrol.errors import ConfigurationError
from enrol.httpsig import Primitive


class SignatureProfile(StrEnum):
    """Which policy a signature is judged by."""

    STET = "stet"
    STRICT = "strict"


CaptureFile = Annotated[
    str | None,
    typer.Argument(
        metavar="FILE",
        help="The captured request: raw HTTP, the output of curl -v, or a HAR file; - is stdin.",
        show_default=False,
    ),
]
CertificateFile = Annotated[
    Path | None,
    typer.Option("--certificate", metavar="FILE", help="The QSealC that keyId names, PEM or DER."),
]
KeyFile = Annotated[
    Path | None,
    typer.Option("--key", metavar="FILE", help="The public key in PEM, instead of a certificate."),
]
AlgorithmOption = Annotated[
    Primitive | None,
    typer.Option(
        "--algorithm", help="What is stored for the key; by default the usual of its kind."
    ),
]
KidOption = Annotated[
    str | None,
    typer.Option("--kid", metavar="NAME", help="The name under which the bank knows the key."),
]
BodyFile = Annotated[
    Path | None,
    typer.Option("--body-file", metavar="FILE", help="The body, byte for byte as it was sent."),
]
MethodOption = Annotated[
    str | None, typer.Option("--method", help="Without FILE: the method, POST by default.")
]
TargetOption = Annotated[
    str | None,
    typer.Option(
        "--target", metavar="PATH", help="Without FILE: path and query as they were sent."
    ),
]
HeaderOptions = Annotated[
    list[str] | None,
    typer.Option(
        "--header", "-H", metavar="'NAME: VALUE'", help="Without FILE: a header field; repeat it."
    ),
]
RequestNumber = Annotated[
    int | None,
    typer.Option(
        "--request",
        metavar="N",
        help="Which request of the capture; by default the last one that is signed.",
    ),
]
ClientStringFile = Annotated[
    Path | None,
    typer.Option(
        "--client-signing-string",
        metavar="FILE",
        help="The signing string the client built, to compare.",
    ),
]
ProfileOption = Annotated[
    SignatureProfile,
    typer.Option("--profile", help="What the bank wants covered: stet, or strict."),
]
AtOption = Annotated[
    str | None,
    typer.Option(
        "--at", metavar="TIME", help="Judge at this time (ISO 8601, UTC); by default now."
    ),
]


def moment(text: str | None) -> datetime:
    """Return the time of ``--at``, now without it; raises `ConfigurationError`."""
    if text is None:
        return datetime.now(UTC)
    try:
        given = datetime.fromisoformat(text)
        return given.replace(tzinfo=UTC) if given.tzinfo is None else given.astimezone(UTC)
    except (ValueError, OverflowError) as exc:
        raise ConfigurationError(
            "time_malformed", "--at: write the time as 2026-01-31T12:00:00Z."
        ) from exc


AsJson = Annotated[bool, typer.Option("--json", help="Print everything as JSON.")]
