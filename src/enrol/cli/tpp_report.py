"""What ``enrol tpp`` says: results on stdout, everything else on stderr, all of it safe to show."""

import json
from collections.abc import Mapping, Sequence

import httpx
from rich.console import Console
from rich.text import Text

from enrol.cli.tpp_family import Member, family_tree
from enrol.client import Registration
from enrol.client.printable import printable
from enrol.client.registrations import KeptRegistration
from enrol.client.transcript import describe_request, describe_response, shorten_secrets

_WIDTH = 14


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
        """Print the registrations that were kept, a line each, those of agents as a tree."""
        if not registrations and not self._as_json:
            self._err.print("No registration was made with this profile on this machine.")
        members = [
            Member(f"{kept.client_id}  {kept.bank}  {kept.registered_at}", kept.client_legal_id)
            for kept in registrations
        ]
        if self.family("own", members) or self._as_json:
            return
        for member in members:
            self._out.print(printable(member.line))

    def family(self, root: str, members: Sequence[Member]) -> bool:
        """Print clients as a tree and say so, unless none of them is an agent's."""
        tree = family_tree(root, members)
        if tree is not None and not self._as_json:
            self._out.print(tree)
        return tree is not None

    def warn(self, text: str) -> None:
        """Print a warning."""
        self._err.print(Text.assemble(("Warning: ", "yellow"), printable(text)))

    def bad(self, headline: str, rest: str = "") -> None:
        """Print on stderr that something did not work."""
        self._err.print(Text.assemble((printable(headline), "bold red"), printable(rest)))

    def line(self, name: str, text: str) -> None:
        """Print on stderr one thing worth knowing of what did not work."""
        self._err.print(_line(name, text))

    def quote(self, headline: str, lines: Sequence[str]) -> None:
        """Print lines to be copied into a file, as they stand there."""
        console = self._err if self._as_json else self._out
        console.print(Text(printable(headline)))
        for line in lines:
            console.print(Text(f"  {printable(line)}"))

    def trace(self, message: httpx.Request | httpx.Response) -> None:
        """Print a request or a response as it went over the wire, tokens shortened."""
        if isinstance(message, httpx.Request):
            self._block("> ", describe_request(message), "cyan")
        else:
            self._block("< ", describe_response(message), "magenta")

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
