"""What ``enrol explain`` says, to people and as JSON; text of a request is shown escaped."""

import json
from collections.abc import Iterable, Iterator
from dataclasses import asdict
from datetime import datetime
from typing import Final

from rich.console import Console
from rich.text import Text

from enrol.client.printable import printable
from enrol.explanations import Explanation
from enrol.httpsig.explain import Mistake, RuleFinding, SignatureReport, Verdict, visible

_WIDTH: Final = 8
_TITLES: Final = {
    Verdict.FAILS: ("Fails", "bold red"),
    Verdict.UNDECIDED: ("Undecided", "bold yellow"),
    Verdict.HOLDS: ("Holds", "bold green"),
}


def print_signature(
    report: SignatureReport, *, at: datetime, notes: tuple[str, ...], as_json: bool
) -> None:
    """Print a report on a signature judged at a time."""
    console = _console()
    if as_json:
        console.print(json.dumps(_document(report, at, notes), indent=2))
        return
    for line in _lines(report, at, notes):
        console.print(line)


def print_refusal(code: str, explanation: Explanation, *, as_json: bool) -> None:
    """Print what a code means, what to change and where the rule is written."""
    console = _console()
    if as_json:
        console.print(json.dumps({"code": code, **asdict(explanation)}, indent=2))
        return
    console.print(Text(code, style="bold"))
    for name, text in (
        ("it means", explanation.meaning),
        ("change", explanation.remedy),
        ("rule", explanation.clause),
    ):
        console.print(_line(name, text))


def _console() -> Console:
    return Console(soft_wrap=True, highlight=False, markup=False, emoji=False)


def _lines(report: SignatureReport, at: datetime, notes: tuple[str, ...]) -> Iterator[Text]:
    yield _headline(report)
    for note in notes:
        yield Text(f"  {printable(note)}", style="dim")
    yield from _time(report, at)
    yield from _findings(report.having(Verdict.FAILS), Verdict.FAILS)
    yield from _mistakes(report)
    yield from _strings(report)
    yield from _findings(report.having(Verdict.UNDECIDED), Verdict.UNDECIDED)
    yield from _findings(report.having(Verdict.HOLDS), Verdict.HOLDS)


def _headline(report: SignatureReport) -> Text:
    match report.verdict:
        case Verdict.HOLDS:
            return Text(f"The signature verifies ({report.mode.value}).", style="bold green")
        case Verdict.FAILS:
            code = f": {report.refused_by}" if report.refused_by else ""
            return Text(f"The signature does not verify{code}.", style="bold red")
        case Verdict.UNDECIDED:
            return Text("Whether the signature verifies cannot be said.", style="bold yellow")


def _time(report: SignatureReport, at: datetime) -> Iterator[Text]:
    yield Text(f"  Judged at {at:%Y-%m-%dT%H:%M:%SZ}.", style="dim")
    if report.verifies_at is not None:
        yield Text(
            f"  Only the time is wrong: it verifies at {report.verifies_at:%Y-%m-%dT%H:%M:%SZ}, "
            "the time it states. Look at captured requests with --at.",
            style="yellow",
        )


def _findings(findings: Iterable[RuleFinding], verdict: Verdict) -> Iterator[Text]:
    title, style = _TITLES[verdict]
    for n, finding in enumerate(findings):
        if n == 0:
            yield Text(f"\n{title}", style=style)
        detail = f" [{_safe(finding.detail)}]" if finding.detail else ""
        yield _line(finding.rule, finding.sentence + detail)


def _mistakes(report: SignatureReport) -> Iterator[Text]:
    for n, mistake in enumerate(report.mistakes):
        if n == 0:
            yield Text("\nLikely mistakes", style="bold")
        detail = f" [{_safe(mistake.detail)}]" if mistake.detail else ""
        yield Text(f"  {mistake.sentence}{detail}")
        yield from _signed(mistake)
    if report.made_with_key is not None and not report.mistakes:
        if report.verdict is Verdict.HOLDS:
            return
        said = (
            "The key made this signature, over another text."
            if report.made_with_key
            else "The key did not make this signature, or not with PKCS#1 v1.5."
        )
        yield Text(f"\n{said}", style="bold")


def _signed(mistake: Mistake) -> Iterator[Text]:
    if mistake.signing_string is not None and "hashed-first" not in mistake.name:
        for line in mistake.signing_string.split(b"\n"):
            yield Text(f"    {visible(line)}", style="cyan")


def _strings(report: SignatureReport) -> Iterator[Text]:
    if report.signing_string is not None:
        yield Text("\nSigning string computed", style="bold")
        for number, line in enumerate(report.signing_string.split(b"\n"), start=1):
            yield Text(f"  {number:>2} {visible(line)}", style="cyan")
    difference = report.difference
    if difference is not None:
        where = f"line {difference.line}, column {difference.column}"
        yield Text(f"\nThe client's string departs from it in {where}", style="bold")
        yield _line("computed", difference.computed if difference.computed is not None else "(end)")
        yield _line("client", difference.claimed if difference.claimed is not None else "(end)")


def _document(report: SignatureReport, at: datetime, notes: tuple[str, ...]) -> dict[str, object]:
    difference = report.difference
    return {
        "verifies": report.verdict is Verdict.HOLDS,
        "verdict": report.verdict.value,
        "refused_by": report.refused_by,
        "mode": report.mode.value,
        "at": at.isoformat(timespec="seconds"),
        "verifies_at": report.verifies_at and report.verifies_at.isoformat(timespec="seconds"),
        "findings": [asdict(finding) for finding in report.findings],
        "mistakes": [
            {
                "name": mistake.name,
                "sentence": mistake.sentence,
                "detail": mistake.detail,
                "signing_string": _text(mistake.signing_string),
            }
            for mistake in report.mistakes
        ],
        "signing_string": _text(report.signing_string),
        "difference": difference and asdict(difference),
        "made_with_key": report.made_with_key,
        "notes": list(notes),
    }


def _text(octets: bytes | None) -> str | None:
    return None if octets is None else octets.decode("latin-1")


def _safe(text: str) -> str:
    return visible(text.encode("utf-8", "surrogatepass"))


def _line(name: str, text: str) -> Text:
    return Text.assemble((f"  {name:<{_WIDTH}} ", "dim"), printable(text))
