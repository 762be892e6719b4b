"""``enrol tpp``: a TPP registers with a bank, reads, changes and deletes what it registered."""

from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

import msgspec
import typer

from enrol.cli.tpp_desk import Desk, after_success, exit_status, open_desk
from enrol.cli.tpp_options import (
    AsJson,
    BankUrl,
    ClientIdArgument,
    MetadataFile,
    NewSeal,
    NewSealKey,
    ProfileFile,
    RequestIdOption,
    Settings,
    Verbose,
    WriteProfile,
)
from enrol.cli.tpp_report import Report
from enrol.client import (
    Registration,
)
from enrol.client.messages import registration_url
from enrol.client.profile import load_seal
from enrol.client.registrations import (
    KeptRegistration,
    forget_registration,
    keep_registration,
    kept_registrations,
)
from enrol.client.rotation import rotation_values, write_rotation
from enrol.client.seal import Seal
from enrol.errors import ConfigurationError

app = typer.Typer(
    name="tpp",
    no_args_is_help=True,
    help="Register with a bank as a TPP. Exit status: 0 done, 1 refused by the bank, 2 not sent "
    "(arguments, profile, files), 3 no usable answer (network, TLS).",
)


@app.command()
def register(
    context: typer.Context,
    *,
    profile_file: ProfileFile,
    bank_url: BankUrl = None,
    metadata_file: MetadataFile = None,
    settings: Settings = None,
    request_id: RequestIdOption = None,
    as_json: AsJson = False,
    verbose: Verbose = False,
) -> None:
    """Register a new client with the metadata and the QSealC of the profile."""
    with open_desk(context, profile_file, bank_url, as_json=as_json, verbose=verbose) as desk:
        metadata = desk.metadata(metadata_file, settings)
        registration = desk.client.register(metadata, request_id=request_id)
        kept = KeptRegistration(
            registration.client_id,
            desk.profile.bank.url,
            profile_file.name,
            datetime.now(UTC).isoformat(timespec="seconds"),
        )
        _say(desk, f"Registered at {desk.profile.bank.url}.", registration)
        after_success(desk.report, lambda: keep_registration(profile_file, kept))


@app.command()
def show(
    context: typer.Context,
    *,
    profile_file: ProfileFile,
    client_id: ClientIdArgument = None,
    bank_url: BankUrl = None,
    as_json: AsJson = False,
    verbose: Verbose = False,
) -> None:
    """Read a registration from the bank."""
    with open_desk(context, profile_file, bank_url, as_json=as_json, verbose=verbose) as desk:
        registration = desk.client.show(desk.client_id(client_id))
        desk.report.metadata(registration)


@app.command()
def update(
    context: typer.Context,
    *,
    profile_file: ProfileFile,
    client_id: ClientIdArgument = None,
    bank_url: BankUrl = None,
    metadata_file: MetadataFile = None,
    settings: Settings = None,
    new_qsealc: NewSeal = None,
    new_qsealc_key: NewSealKey = None,
    write_profile: WriteProfile = False,
    request_id: RequestIdOption = None,
    as_json: AsJson = False,
    verbose: Verbose = False,
) -> None:
    """Replace all metadata of a registration, and its QSealC when a new one is given.

    What is not sent is lost, so --set and --new-qsealc start from what stands at the bank;
    without them the metadata are those of --metadata, or of the profile.
    """
    with open_desk(context, profile_file, bank_url, as_json=as_json, verbose=verbose) as desk:
        rotation = _rotation(profile_file, new_qsealc, new_qsealc_key)
        if write_profile and rotation is None:
            raise ConfigurationError(
                "new_qsealc_missing", "--write-profile needs --new-qsealc and --new-qsealc-key."
            )
        changed = desk.client_id(client_id)
        starts_there = metadata_file is None and bool(settings or rotation)
        registered = desk.registered(changed) if starts_there else None
        registration = desk.client.update(
            changed,
            desk.metadata(metadata_file, settings, registered=registered),
            new_seal=rotation.seal if rotation else None,
            request_id=request_id,
        )
        _say(desk, f"Updated at {desk.profile.bank.url}.", registration)
        if rotation is not None:
            _change_profile(desk, rotation.values, write=write_profile)


@app.command()
def delete(
    context: typer.Context,
    *,
    profile_file: ProfileFile,
    client_id: ClientIdArgument = None,
    bank_url: BankUrl = None,
    request_id: RequestIdOption = None,
    as_json: AsJson = False,
    verbose: Verbose = False,
) -> None:
    """Delete a registration at the bank."""
    with open_desk(context, profile_file, bank_url, as_json=as_json, verbose=verbose) as desk:
        gone = desk.client_id(client_id)
        desk.client.delete(gone, request_id=request_id)
        bank = desk.profile.bank.url
        desk.report.say(f"Deleted at {bank}.", {"client_id": gone}, then=desk.next_command("list"))
        after_success(
            desk.report, lambda: forget_registration(profile_file, client_id=gone, bank=bank)
        )


@app.command(name="list")
def list_(*, profile_file: ProfileFile, as_json: AsJson = False) -> None:
    """List the registrations made with this profile on this machine."""
    report = Report(as_json=as_json)
    with exit_status(report):
        registrations = kept_registrations(profile_file)
        report.kept(registrations)
        report.answer(msgspec.to_builtins(registrations))


def _say(desk: Desk, headline: str, registration: Registration) -> None:
    url = registration_url(desk.profile.bank, registration.client_id)
    desk.report.say(
        headline,
        {
            "client_id": registration.client_id,
            "read it at": registration.registration_client_uri or url,
            "X-Request-ID": registration.request_id,
        },
        then=desk.next_command("show", registration.client_id),
    )
    desk.report.answer(registration.document)


@dataclass(frozen=True, slots=True)
class _Rotation:
    """A new seal, and what it changes in the profile."""

    seal: Seal
    values: dict[str, str]


def _rotation(profile: Path, certificate: Path | None, key: Path | None) -> _Rotation | None:
    if certificate is None and key is None:
        return None
    if certificate is None or key is None:
        raise ConfigurationError(
            "new_qsealc_incomplete", "Write both --new-qsealc and --new-qsealc-key, or neither."
        )
    seal = load_seal(certificate, key, name="new-qsealc")
    return _Rotation(
        seal, rotation_values(profile, qsealc=certificate, qsealc_key=key, kid=seal.kid)
    )


def _change_profile(desk: Desk, values: dict[str, str], *, write: bool) -> None:
    """Say which lines of the profile change with the new QSealC, and change them if asked to."""
    path = desk.profile.path
    lines = {name: f'"{value}"' for name, value in values.items()}
    if not write:
        desk.report.say(
            f"Requests are signed with the new QSealC from now on. Write into [tpp] of {path}:",
            lines,
        )
        return
    try:
        write_rotation(path, values)
    except ConfigurationError as exc:
        desk.report.warn(exc.detail)
        desk.report.say(f"Write into [tpp] of {path}:", lines)
        return
    desk.report.say(f"Changed in [tpp] of {path}:", lines)
