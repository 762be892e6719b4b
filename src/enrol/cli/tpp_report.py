"""What ``enrol tpp`` says: results on stdout, everything else on stderr, all of it safe to show."""

import json
from collections.abc import Mapping
from dataclasses import asdict

import httpx
from rich.console import Console
from rich.text import Text

from enrol.client import (
    BankError,
    RefusedFinding,
    Registration,
    RegistrationRefusedError,
    UnbelievedAnswerError,
)
from enrol.client.printable import printable
from enrol.client.registrations import KeptRegistration
from enrol.client.transcript import describe_request, describe_response, shorten_secrets
from enrol.errors import RefusalExplanation
from enrol.explanations import EXPLANATIONS

_WIDTH = 14
_UNDECIDED = frozenset(
    {
        "bank_connection_lost",
        "bank_timeout",
        "bank_answer_unreadable",
        "bank_signature_missing",
        "bank_signature_invalid",
        "bank_signature_elsewhere",
        "bank_seal_expired",
    }
)
_REPEAT = "register, update and delete can be repeated with --request-id and this value"


def _console(*, stderr: bool) -> Console:
    return Console(stderr=stderr, soft_wrap=True, highlight=False, markup=False, emoji=False)


class Report:
    """Says things to the one who runs the command.

    With `as_json` stdout carries the bank's answer as JSON and nothing else.
    """

    def __init__(self, *, as_json: bool) -> None:
        self._as_json = as_json
        self._out = _console(stderr=False)
        self._err = _console(stderr=True)

    def say(self, headline: str, lines: Mapping[str, object], *, then: str | None = None) -> None:
        """Print what happened, what is worth knowing of it, and the command to go on with."""
        console = self._err if self._as_json else self._out
        console.print(Text(headline, style="bold green"))
        width = max((_WIDTH, *map(len, lines)))
        for name, value in lines.items():
            console.print(_line(name, _value(value), width=width))
        if then is not None:
            console.print(_line("next", then, width=width))

    def answer(self, document: object) -> None:
        """Print a JSON value where JSON was asked for."""
        if self._as_json:
            self._out.print(json.dumps(document, indent=2))

    def metadata(self, registration: Registration) -> None:
        """Print a registration member by member, secrets shortened and nulls left out."""
        if self._as_json:
            self.answer(registration.document)
            return
        members = shorten_secrets(registration.document).items()
        self.say(
            f"Registration {registration.client_id}",
            {name: value for name, value in members if value is not None},
        )

    def kept(self, registrations: tuple[KeptRegistration, ...]) -> None:
        """Print the registrations that were kept, a line each."""
        if not registrations and not self._as_json:
            self._err.print("No registration was made with this profile on this machine.")
        for kept in registrations if not self._as_json else ():
            self._out.print(printable(f"{kept.client_id}  {kept.bank}  {kept.registered_at}"))

    def warn(self, text: str) -> None:
        """Print a warning."""
        self._err.print(Text.assemble(("Warning: ", "yellow"), printable(text)))

    def fault(self, detail: str) -> None:
        """Print what is wrong on this side, and what to do."""
        self._err.print(Text.assemble(("Not sent: ", "bold red"), printable(detail)))

    def trouble(self, error: BankError) -> None:
        """Print why no usable answer came, and how to find out what the bank did."""
        self._err.print(Text(f"No usable answer: {error.explanation.meaning}", style="bold red"))
        self._err.print(_line("code", error.code))
        if isinstance(error, UnbelievedAnswerError) and error.rule is not None:
            self._err.print(_line("rule", f"{error.rule}: {EXPLANATIONS[error.rule].meaning}"))
        self._err.print(_line("change", error.explanation.remedy))
        self._err.print(_line("X-Request-ID", error.request_id))
        if error.code in _UNDECIDED:
            self._err.print(_line("", _REPEAT))

    def refusal(self, error: RegistrationRefusedError) -> None:
        """Print a refusal: its code, what it means and what to change; as JSON on stdout too."""
        self._err.print(
            Text(f"Refused by the bank: {error.status} {error.error}", style="bold red")
        )
        findings = error.findings or (RefusedFinding(None, error.code, error.description, None),)
        for finding in findings:
            self._finding(finding)
        if error.retry_after is not None:
            self._err.print(_line("try again in", f"{error.retry_after} seconds"))
        self._err.print(_line("X-Request-ID", error.request_id))
        if error.explanation is not None:
            self._explanation(error.explanation)
        self.answer(_as_document(error))

    def trace(self, message: httpx.Request | httpx.Response) -> None:
        """Print a request or a response as it went over the wire, tokens shortened."""
        if isinstance(message, httpx.Request):
            self._block("> ", describe_request(message), "cyan")
        else:
            self._block("< ", describe_response(message), "magenta")

    def _finding(self, finding: RefusedFinding) -> None:
        """Print one rule: in Enrol's words where it knows the code, else in the bank's."""
        known = EXPLANATIONS.get(finding.code)
        meaning = (known.meaning if known else finding.meaning) or "This code is the bank's own."
        remedy = (known.remedy if known else finding.remedy) or "Ask the bank what to change."
        self._err.print(_line("code", finding.code))
        self._err.print(
            _line("it means", f"{finding.member}: {meaning}" if finding.member else meaning)
        )
        if known and finding.member is None and finding.meaning not in (None, known.meaning):
            self._err.print(_line("it says", str(finding.meaning)))
        self._err.print(_line("change", remedy))
        if known:
            self._err.print(_line("rule", known.clause))

    def _explanation(self, explanation: RefusalExplanation) -> None:
        """Print what a test system tells of a refused signature."""
        for rule in explanation.findings:
            if rule.verdict == "fails":
                self._err.print(_line(f"fails {rule.rule}", rule.sentence))
        for mistake in explanation.mistakes:
            self._err.print(_line("likely", mistake))
        for n, line in enumerate(explanation.signing_string):
            self._err.print(_line("" if n else "bank computed", line))

    def _block(self, mark: str, text: str, style: str) -> None:
        for line in text.split("\n"):
            self._err.print(Text(mark + line, style=style))
        self._err.print()


def _line(name: str, text: str, *, width: int = _WIDTH) -> Text:
    return Text.assemble((f"  {printable(name):<{width}} ", "dim"), printable(text))


def _value(value: object) -> str:
    match value:
        case str():
            return value
        case list() if all(isinstance(item, str) for item in value):
            return ", ".join(value)
        case _:
            return json.dumps(value, ensure_ascii=False)


def _as_document(error: RegistrationRefusedError) -> dict[str, object]:
    return {
        "status": error.status,
        "error": error.error,
        "code": error.code,
        "description": error.description,
        "findings": [
            {"member": f.member, "code": f.code, "meaning": f.meaning, "remedy": f.remedy}
            for f in error.findings
        ],
        "request_id": error.request_id,
        "explanation": error.explanation and asdict(error.explanation),
    }
