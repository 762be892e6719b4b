"""The options of ``enrol tpp``, each written once."""

from pathlib import Path
from typing import Annotated

import typer

ProfileFile = Annotated[
    Path, typer.Option("--profile", metavar="FILE", help="The TPP's profile, a TOML file.")
]
BankUrl = Annotated[
    str | None,
    typer.Option(
        "--bank-url",
        metavar="URL",
        envvar="ENROL_BANK_URL",
        help="Use this bank instead of the one in the profile.",
    ),
]
ClientIdArgument = Annotated[
    str | None,
    typer.Argument(
        metavar="CLIENT_ID", help="By default the one registered last.", show_default=False
    ),
]
GivenClientId = Annotated[
    str, typer.Argument(metavar="CLIENT_ID", help="One that `enrol tpp list` names.")
]
MetadataFile = Annotated[
    Path | None,
    typer.Option(
        "--metadata",
        metavar="FILE",
        help="Send the metadata in this TOML or .json file instead of those in the profile; what "
        "show --json printed will do.",
    ),
]
Settings = Annotated[
    list[str] | None,
    typer.Option(
        "--set",
        metavar="NAME=VALUE",
        help="Change one member; JSON where VALUE begins with [ or {. Repeat it for the values "
        "of a list; an empty VALUE removes the member.",
    ),
]
RequestIdOption = Annotated[
    str | None,
    typer.Option(
        "--request-id",
        metavar="ID",
        help="Repeat the request with this X-Request-ID after a lost answer.",
    ),
]
DryRunOption = Annotated[
    bool,
    typer.Option(
        "--dry-run",
        help="Ask what would come of it; Enrol stores nothing. A bank that does not know dry runs "
        "does it for real, which is then said.",
    ),
]
Remote = Annotated[
    bool, typer.Option("--remote", help="Ask the bank for all clients of the organisation.")
]
AsJson = Annotated[
    bool, typer.Option("--json", help="Print the bank's answer as JSON, tokens included.")
]
Verbose = Annotated[
    bool, typer.Option("--verbose", help="Show requests and responses on stderr, tokens shortened.")
]
NewSeal = Annotated[
    Path | None,
    typer.Option("--new-qsealc", metavar="FILE", help="Register this QSealC from now on."),
]
NewSealKey = Annotated[
    Path | None, typer.Option("--new-qsealc-key", metavar="FILE", help="The key of the new QSealC.")
]
WriteProfile = Annotated[
    bool,
    typer.Option("--write-profile", help="Write the new QSealC into the profile after success."),
]
KeepSeal = Annotated[
    bool,
    typer.Option(
        "--keep-qsealc",
        help="Keep the QSealC of the profile registered beside the new one; either may sign.",
    ),
]
