"""``enrol sandbox``: makes a sandbox folder and issues certificates, broken ones on demand."""

import json
import sys
from collections.abc import Iterator, Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated

import typer
from cryptography.hazmat.primitives import hashes
from rich.console import Console
from rich.table import Table
from rich.text import Text

from enrol.adapters.dialects import is_path, load_dialect
from enrol.cli.reported import reported
from enrol.cli.trust import ensure_snapshot, refresh_now
from enrol.eidas.qcstatements import PspRole
from enrol.sandbox.draft import Kind
from enrol.sandbox.faults import MEANINGS, Fault, parse_faults
from enrol.sandbox.files import new_pair, write_pair
from enrol.sandbox.folder import CONTENTS, create_sandbox, open_sandbox
from enrol.sandbox.organization import ACME
from enrol.sandbox.pki import DEFAULT_ROLES, Issued, issue
from enrol.sandbox.seed import RandomKeys, SeededKeys
from enrol.sandbox.templates import STET, Spoken
from enrol.settings import load_settings

_NOT_QUALIFIED = "Nothing in it is qualified: the QTSP is a test, and only this sandbox trusts it."

app = typer.Typer(
    name="sandbox",
    help="A bank, a test QTSP and a TPP in one folder. Nothing in it is qualified.",
    no_args_is_help=True,
)
_FAULTS_HELP = "\n".join(
    ("Faults:", *(f"  {fault.value}: {meaning}." for fault, meaning in MEANINGS.items()))
)


def _complete_fault(incomplete: str) -> Iterator[tuple[str, str]]:
    """Offer the faults that begin as typed, to a shell that completes."""
    return ((name.value, text) for name, text in MEANINGS.items() if name.startswith(incomplete))


Folder = Annotated[Path, typer.Argument(metavar="DIR", help="The sandbox's folder.")]
AsJson = Annotated[bool, typer.Option("--json", help="Print JSON, for scripts.")]


DialectOption = Annotated[
    str | None,
    typer.Option(
        metavar="NAME",
        help="The bank's dialect: a name of `enrol dialect list`, or a file.",
        show_default="stet",
    ),
]


def spoken_dialect(name: str | None) -> Spoken:
    """Return the dialect of an option, checked, for a new sandbox; raises ConfigurationError."""
    if name is None:
        return STET
    name = str(Path(name).absolute()) if is_path(name) else name
    return Spoken(name, load_dialect(name))


@app.command("init")
def init_command(
    folder: Folder,
    *,
    seed: Annotated[
        int | None,
        typer.Option(metavar="N", help="Same seed, same keys. Anyone can repeat them: tests only."),
    ] = None,
    dialect: DialectOption = None,
    as_json: AsJson = False,
) -> None:
    """Write a new sandbox into DIR, which must be absent or empty.

    A sandbox that is there already stays as it is.
    Keys are unencrypted PEM, readable by you alone.
    """
    with reported(as_json=as_json, io_code="sandbox_io"):
        keys = RandomKeys() if seed is None else SeededKeys(seed)
        created = create_sandbox(
            folder, keys=keys, at=datetime.now(UTC), dialect=spoken_dialect(dialect)
        )
        ensure_snapshot(load_settings(folder / "enrol.toml", {}).refresh_job)
        following = f"enrol sandbox up {folder}"
        if as_json:
            _print_json(
                folder=str(folder),
                created=created,
                qualified=False,
                files=[str(folder / name) for name in CONTENTS],
                next=following,
            )
            return
        if created:
            _print_rows(f"Wrote a sandbox into {folder}:", CONTENTS)
            typer.echo(f"\n{_NOT_QUALIFIED}")
        else:
            typer.echo(f"{folder} is a sandbox already; nothing was changed. {_NOT_QUALIFIED}")
        typer.echo(f"Next: {following}")


@app.command("issue", epilog=_FAULTS_HELP)
def issue_command(
    folder: Folder,
    *,
    kind: Annotated[Kind, typer.Option(help="qwac: for TLS. qsealc: for signatures.")],
    organization_identifier: Annotated[
        str, typer.Option(metavar="ID", help="The organisation: PSD, country, authority, number.")
    ] = ACME,
    role: Annotated[
        list[PspRole] | None,
        typer.Option(
            metavar="ROLE",
            help="PSP_AS, PSP_PI, PSP_AI or PSP_IC; repeat for more.",
            show_default="PSP_AI PSP_PI",
        ),
    ] = None,
    fault: Annotated[
        list[str] | None,
        typer.Option(
            metavar="NAME",
            help="What is wrong with it, from the list below; repeat for more.",
            autocompletion=_complete_fault,
        ),
    ] = None,
    name: Annotated[
        str | None,
        typer.Option(metavar="NAME", help="The files' name.", show_default="kind and faults"),
    ] = None,
    out: Annotated[
        Path | None, typer.Option(metavar="DIR", help="Their folder.", show_default="DIR/tpp")
    ] = None,
    as_json: AsJson = False,
) -> None:
    """Issue NAME.pem and NAME.key by the sandbox's test QTSP, with any faults asked for.

    A file that exists is never written over.
    """
    with reported(as_json=as_json, io_code="sandbox_io"):
        sandbox = open_sandbox(folder)
        faults = parse_faults(fault or ())
        pair = new_pair(out or sandbox.tpp, name or "-".join((kind, *sorted(faults))))
        at = datetime.now(UTC)
        issued = issue(
            sandbox.authority,
            at=at,
            kind=kind,
            organization_identifier=organization_identifier,
            roles=role or DEFAULT_ROLES,
            faults=faults,
        )
        if Fault.REVOKED in faults:
            sandbox.revoke(issued.certificate.serial_number, at=at)
        write_pair(pair, issued)
        facts = {
            "certificate": str(pair.certificate),
            "key": str(pair.key),
            "kind": kind.value,
            **_facts(issued),
            "faults": sorted(faults),
            "qualified": False,
        }
        if as_json:
            _print_json(**facts)
        else:
            _print_rows("Issued, and not qualified:", {key: _plain(facts[key]) for key in facts})


@app.command("relist")
def relist_command(
    folder: Folder,
    *,
    withdraw: Annotated[
        bool, typer.Option("--withdraw", help="Withdraw the issuing CA, from now on.")
    ] = False,
    as_json: AsJson = False,
) -> None:
    """Sign the sandbox's trusted lists anew, the issuing CA granted or withdrawn, and refresh.

    A running sandbox believes the new lists within seconds.
    """
    with reported(as_json=as_json, io_code="sandbox_io"):
        at = datetime.now(UTC)
        sandbox = open_sandbox(folder)
        number = sandbox.publish_lists(withdrawn_at=at if withdraw else None, at=at)
        refresh_now(load_settings(folder / "enrol.toml", {}).refresh_job)
        status = "withdrawn" if withdraw else "granted"
        if as_json:
            _print_json(list=number, issuing_ca=status)
        else:
            typer.echo(f"Signed list {number}: the issuing CA is {status}.")


def _facts(issued: Issued) -> dict[str, object]:
    """Return what tells the certificate from others; moments are ISO 8601, UTC."""
    certificate = issued.certificate
    return {
        "subject": certificate.subject.rfc4514_string(),
        "issuer": certificate.issuer.rfc4514_string(),
        "serial_number": str(certificate.serial_number),
        "not_before": certificate.not_valid_before_utc.isoformat(),
        "not_after": certificate.not_valid_after_utc.isoformat(),
        "sha256": certificate.fingerprint(hashes.SHA256()).hex(),
    }


def _print_json(**members: object) -> None:
    typer.echo(json.dumps(members, ensure_ascii=False, indent=2))


def _print_rows(title: str, rows: Mapping[str, str]) -> None:
    """Print names beside texts: as a table on a terminal, as aligned lines elsewhere."""
    typer.echo(title)
    if sys.stdout.isatty():
        table = Table.grid(padding=(0, 2))
        table.add_column(no_wrap=True)
        table.add_column(overflow="fold")
        for name, text in rows.items():
            table.add_row(Text(f"  {name}", style="bold"), Text(text))
        Console().print(table)
        return
    width = max(map(len, rows))
    for name, text in rows.items():
        typer.echo(f"  {name:<{width}}  {text}".rstrip())


def _plain(value: object) -> str:
    """Return a fact as people read it."""
    match value:
        case bool():
            return "yes" if value else "no"
        case list():
            return ", ".join(map(str, value)) or "none"
        case _:
            return str(value)
