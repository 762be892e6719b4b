"""``enrol tpp``: a TPP registers with a bank, reads, changes and deletes what it registered."""

import msgspec
import typer

from enrol.cli.examination_report import print_examination
from enrol.cli.tpp_desk import REFUSED, Desk, after_success, exit_status, open_desk
from enrol.cli.tpp_options import (
    AsJson,
    BankUrl,
    ClientIdArgument,
    DryRunOption,
    GivenClientId,
    KeepSeal,
    MetadataFile,
    NewSeal,
    NewSealKey,
    ProfileFile,
    Remote,
    RequestIdOption,
    Settings,
    Verbose,
    WriteProfile,
)
from enrol.cli.tpp_remote import list_remote, rehearse
from enrol.cli.tpp_report import Report
from enrol.cli.tpp_rotation import change_profile, rotation_of
from enrol.cli.tpp_usage import JsonGroup
from enrol.client import Registration
from enrol.client.messages import registration_url
from enrol.client.profile import profile_bank_url
from enrol.client.registrations import (
    find_registration,
    forget_registration,
    kept_registrations,
)
from enrol.eidas.examination import Status
from enrol.errors import ConfigurationError

app = typer.Typer(
    name="tpp",
    cls=JsonGroup,
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
    dry_run: DryRunOption = False,
    as_json: AsJson = False,
    verbose: Verbose = False,
) -> None:
    """Register a new client with the metadata and the QSealC of the profile."""
    with open_desk(context, profile_file, bank_url, as_json=as_json, verbose=verbose) as desk:
        metadata = desk.metadata(metadata_file, settings)
        if dry_run:
            rehearse(desk, metadata)
            return
        registration = desk.client.register(metadata, request_id=request_id)
        _say(desk, f"Registered at {desk.profile.bank.url}.", registration)
        desk.keep(registration)


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
        desk.note(registration)


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
    keep_qsealc: KeepSeal = False,
    write_profile: WriteProfile = False,
    request_id: RequestIdOption = None,
    dry_run: DryRunOption = False,
    as_json: AsJson = False,
    verbose: Verbose = False,
) -> None:
    """Replace all metadata of a registration, and its QSealC when a new one is given.

    What is not sent is lost, so --set and --new-qsealc start from what stands at the bank;
    without them the metadata are those of --metadata, or of the profile.
    """
    with open_desk(context, profile_file, bank_url, as_json=as_json, verbose=verbose) as desk:
        rotation = rotation_of(
            desk, new_qsealc, new_qsealc_key, keep=keep_qsealc, write=write_profile
        )
        changed = desk.client_id(client_id)
        seals = rotation.seals if rotation else (desk.profile.credentials.seal,)
        if rotation is None:
            desk.warn_of_other_seal(changed)
        starts_there = metadata_file is None and bool(settings or rotation)
        registered = desk.registered(changed) if starts_there else None
        metadata = desk.metadata(metadata_file, settings, registered=registered)
        if dry_run:
            rehearse(desk, metadata, client_id=changed, seals=seals)
            return
        registration = desk.client.update(changed, metadata, seals=seals, request_id=request_id)
        did = "Updated" if registration.is_whole else "Asked for an update"
        _say(desk, f"{did} at {desk.profile.bank.url}.", registration)
        desk.note(registration, seals if registration.is_whole else ())
        if rotation is not None:
            change_profile(desk, rotation, write=write_profile and registration.is_whole)


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


@app.command()
def check(
    context: typer.Context,
    *,
    profile_file: ProfileFile,
    bank_url: BankUrl = None,
    as_json: AsJson = False,
    verbose: Verbose = False,
) -> None:
    """Ask the bank what it thinks of the QWAC and the QSealC, check by check.

    Nothing is registered. Exit status 1 where a check fails or the bank cannot decide it.
    """
    with open_desk(context, profile_file, bank_url, as_json=as_json, verbose=verbose) as desk:
        report = desk.client.check()
        print_examination(report, as_json=as_json)
        if report.status is not Status.PASSED:
            raise typer.Exit(REFUSED)


@app.command()
def forget(
    *,
    client_id: GivenClientId,
    profile_file: ProfileFile,
    bank_url: BankUrl = None,
    as_json: AsJson = False,
) -> None:
    """Take a registration off the list on this machine; the bank is not asked, and keeps it."""
    report = Report(as_json=as_json)
    with exit_status(report):
        bank = profile_bank_url(profile_file, bank_url)
        if find_registration(profile_file, client_id=client_id, bank=bank) is None:
            raise ConfigurationError(
                "client_id_unknown",
                f"No such registration at {bank} is kept beside the profile. Run enrol tpp "
                "list to see those that are; --bank-url names another bank.",
            )
        forget_registration(profile_file, client_id=client_id, bank=bank)
        report.say("Forgotten on this machine.", {"client_id": client_id, "bank": bank})
        report.answer({"client_id": client_id, "bank": bank})


@app.command(name="list")
def list_(
    context: typer.Context,
    *,
    profile_file: ProfileFile,
    remote: Remote = False,
    bank_url: BankUrl = None,
    as_json: AsJson = False,
    verbose: Verbose = False,
) -> None:
    """List the registrations made with this profile on this machine, or those at the bank.

    --bank-url and --verbose matter with --remote only.
    """
    if remote:
        with open_desk(context, profile_file, bank_url, as_json=as_json, verbose=verbose) as desk:
            list_remote(desk)
        return
    report = Report(as_json=as_json)
    with exit_status(report):
        profile_bank_url(profile_file)
        registrations = kept_registrations(profile_file)
        report.kept(registrations)
        shown = [msgspec.structs.replace(r, registration_access_token=None) for r in registrations]
        report.answer(msgspec.to_builtins(shown))


def _say(desk: Desk, headline: str, registration: Registration) -> None:
    url = registration_url(desk.profile.bank, registration.client_id)
    message = None if registration.is_whole else registration.document.get("message")
    said = {"the bank says": message} if message else {}
    desk.report.say(
        headline,
        {
            "client_id": registration.client_id,
            **said,
            "read it at": registration.registration_client_uri or url,
            "X-Request-ID": registration.request_id,
        },
        then=desk.next_command("show", registration.client_id),
    )
    desk.report.answer(registration.document)
