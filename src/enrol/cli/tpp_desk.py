"""What every ``enrol tpp`` command does around its one call: profile, client, exit status."""

import re
import shlex
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Final

import httpx
import typer

from enrol.cli.tpp_advisor import Advisor
from enrol.cli.tpp_report import Report
from enrol.cli.tpp_trouble import Advise, no_advice, tell_fault, tell_no_answer, tell_refusal
from enrol.client import (
    BankError,
    Bearer,
    Profile,
    Registration,
    RegistrationRefusedError,
    Seal,
    TppClient,
    load_profile,
)
from enrol.client.metadata import (
    apply_settings,
    check_metadata,
    own_metadata,
    read_metadata,
)
from enrol.client.registrations import (
    KeptRegistration,
    find_registration,
    keep_registration,
    last_registration,
    note_change,
)
from enrol.client.steps import no_trace
from enrol.errors import ConfigurationError
from enrol.oauth.strict_json import JsonObject

REFUSED: Final = 1
NOT_SENT: Final = 2
NO_ANSWER: Final = 3
_UNDECIDED: Final = frozenset({500, 502, 503, 504})
_CLIENT_ID: Final = re.compile(r"[A-Za-z0-9._~-]{1,128}")


@dataclass(frozen=True, slots=True)
class Desk:
    """A profile, the client it opens and the report on it; `bank_url` as it was given."""

    profile: Profile
    client: TppClient
    report: Report
    bank_url: str | None

    def next_command(self, name: str, *arguments: str) -> str:
        """Return the command line to go on with, at the same bank."""
        words = ["enrol", "tpp", name, *arguments, "--profile", str(self.profile.path)]
        if self.bank_url is not None and name != "list":
            words += ["--bank-url", self.bank_url]
        return shlex.join(words)

    def client_id(self, given: str | None) -> str:
        """Return the client_id given, else the one registered last with this profile."""
        if given is not None:
            return _checked(given)
        found = last_registration(self.profile.path, self.profile.bank.url)
        if found is None:
            raise ConfigurationError(
                "client_id_unknown",
                "No registration at this bank is kept beside the profile. Write the CLIENT_ID.",
            )
        return found

    def registered(self, client_id: str) -> JsonObject:
        """Return the metadata that stand at the bank, without what the bank issued and the keys."""
        return own_metadata(self.client.show(client_id).document)

    def metadata(
        self,
        file: Path | None,
        settings: list[str] | None,
        *,
        registered: JsonObject | None = None,
    ) -> JsonObject:
        """Return the metadata to send, checked as far as can be without the bank.

        They are those of `file`, else those `registered`, else the profile's, with `settings`.
        """
        base = self._written(file) if file is not None else registered or self.profile.metadata
        metadata = apply_settings(base, tuple(settings or ()))
        if file is not None or settings:
            for warning in check_metadata(metadata):
                self.report.warn(warning)
        return metadata

    def kept(self, client_id: str) -> KeptRegistration | None:
        """Return what is kept of a client at this bank."""
        bank = self.profile.bank.url
        return find_registration(self.profile.path, client_id=client_id, bank=bank)

    def keep(self, registration: Registration) -> None:
        """Keep a new registration beside the profile."""
        bank = self.profile.bank
        by_token = bank.management_token is Bearer.REGISTRATION_ACCESS_TOKEN
        agent = registration.document.get("client_legal_id")
        kept = KeptRegistration(
            registration.client_id,
            bank.url,
            self.profile.path.name,
            datetime.now(UTC).isoformat(timespec="seconds"),
            (self.profile.credentials.seal.kid,),
            registration.registration_access_token if by_token else None,
            agent if isinstance(agent, str) else None,
        )
        after_success(self.report, lambda: keep_registration(self.profile.path, kept))

    def note(self, registration: Registration, seals: tuple[Seal, ...] = ()) -> None:
        """Write down what an answer changes of what is kept: the seals registered, the token."""
        bank = self.profile.bank
        by_token = bank.management_token is Bearer.REGISTRATION_ACCESS_TOKEN
        after_success(
            self.report,
            lambda: note_change(
                self.profile.path,
                client_id=registration.client_id,
                bank=bank.url,
                kids=tuple(seal.kid for seal in seals) or None,
                token=registration.registration_access_token if by_token else None,
            ),
        )

    def warn_of_other_seal(self, client_id: str) -> None:
        """Warn where an update registers another QSealC than the one registered last."""
        kid, kept = self.profile.credentials.seal.kid, None
        with suppress(ConfigurationError):  # a list that cannot be read is told after the update
            kept = self.kept(client_id)
        if kept is not None and kept.kids and kid not in kept.kids:
            others = ", ".join(kept.kids)
            self.report.warn(
                f"This registers the QSealC {kid} of the profile in place of {others}."
            )

    def _written(self, file: Path) -> JsonObject:
        """Return the metadata in a file; a registration that a bank answered is one, too."""
        written = read_metadata(file)
        if "client_id" not in written:
            return written
        own = own_metadata(written)
        left_out = ", ".join(name for name in written if name not in own and written[name])
        self.report.warn(f"metadata: {file} is a bank's answer. Left out: {left_out}.")
        return own


def _checked(client_id: str) -> str:
    """Return a client_id that can stand in a path; an empty one is never the last one."""
    if _CLIENT_ID.fullmatch(client_id) is None:
        raise ConfigurationError(
            "client_id_malformed",
            "CLIENT_ID must be 1 to 128 letters, digits or ._~- as the bank issued it.",
        )
    return client_id


@contextmanager
def exit_status(report: Report, advise: Advise = no_advice) -> Iterator[None]:
    """Turn what goes wrong into words and an exit status."""
    try:
        yield
    except RegistrationRefusedError as exc:
        tell_refusal(report, exc, advise)
        raise typer.Exit(NO_ANSWER if exc.status in _UNDECIDED else REFUSED) from exc
    except ConfigurationError as exc:
        tell_fault(report, exc)
        raise typer.Exit(NOT_SENT) from exc
    except BankError as exc:
        tell_no_answer(report, exc, advise)
        raise typer.Exit(NO_ANSWER) from exc


@contextmanager
def open_desk(
    context: typer.Context,
    profile_file: Path,
    bank_url: str | None,
    *,
    as_json: bool,
    verbose: bool,
) -> Iterator[Desk]:
    """Open the desk of one command; a transport in the context stands in for the network."""
    report = Report(as_json=as_json)
    with exit_status(report):
        profile = load_profile(profile_file, bank_url=bank_url)
        for warning in profile.warnings:
            report.warn(warning)
        advisor = Advisor(profile)
        client = TppClient(
            profile.bank,
            profile.credentials,
            transport=context.find_object(httpx.BaseTransport),
            trace=report.trace if verbose else no_trace,
            own_token=advisor.own_token,
        )
        with client, exit_status(report, advisor):
            yield Desk(profile, client, report, bank_url)


def after_success(report: Report, remember: Callable[[], None]) -> None:
    """Change a local file; the bank has done its part, so failing here is a warning."""
    try:
        remember()
    except ConfigurationError as exc:
        report.warn(exc.detail)
