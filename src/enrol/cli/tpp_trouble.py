"""What ``enrol tpp`` says where something did not work: what it means, and what to change."""

from collections.abc import Callable
from dataclasses import asdict
from typing import Final, TypeAlias

from enrol.cli.tpp_report import Report
from enrol.cli.tpp_usage import fault_document
from enrol.client import (
    BankError,
    RefusedFinding,
    RegistrationRefusedError,
    UnbelievedAnswerError,
)
from enrol.client.advice import refused_certificate
from enrol.errors import ConfigurationError, RefusalExplanation
from enrol.explanations import EXPLANATIONS

Advise: TypeAlias = Callable[[RegistrationRefusedError | BankError], str | None]
"""Returns what to look at on this side after a call went wrong, if there is something."""

_UNDECIDED: Final = frozenset(
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


def no_advice(_error: RegistrationRefusedError | BankError) -> str | None:
    """Advise nothing."""
    return None


def tell_fault(report: Report, error: ConfigurationError) -> None:
    """Say what is wrong on this side, and what to do."""
    report.bad("Not sent: ", error.detail)
    report.answer(fault_document(error.code, error.detail))


def tell_no_answer(report: Report, error: BankError, advise: Advise) -> None:
    """Say why no usable answer came, and how to find out what the bank did."""
    hint = advise(error)
    meaning, remedy = error.explanation.meaning, error.explanation.remedy
    report.bad(f"No usable answer: {meaning}")
    _tell_call(report, error)
    report.line("code", error.code)
    if isinstance(error, UnbelievedAnswerError) and error.rule is not None:
        report.line("rule", f"{error.rule}: {EXPLANATIONS[error.rule].meaning}")
    report.line("change", remedy)
    _tell_hint(report, hint)
    report.line("X-Request-ID", error.request_id)
    if error.code in _UNDECIDED and error.call is not None and error.call.can_be_repeated:
        report.line("", f"to learn what the bank did: again, with --request-id {error.request_id}")
    report.answer(
        {
            "error": error.code,
            "meaning": meaning,
            "remedy": remedy,
            "hint": hint,
            **_call_members(error),
            "request_id": error.request_id,
        }
    )


def tell_refusal(report: Report, error: RegistrationRefusedError, advise: Advise) -> None:
    """Say what the bank refuses: its code, what it means and what to change."""
    hint, certificate = advise(error), refused_certificate(error)
    report.bad(f"Refused by the bank: {error.status} {error.error}")
    _tell_call(report, error)
    findings = error.findings or (RefusedFinding(None, error.code, error.description, None),)
    for finding in findings:
        tell_finding(report, finding)
    if certificate is not None:
        report.line("certificate", certificate)
    _tell_hint(report, hint)
    if error.retry_after is not None:
        report.line("try again in", f"{error.retry_after} seconds")
    report.line("X-Request-ID", error.request_id)
    if error.explanation is not None:
        _tell_explanation(report, error.explanation)
    report.answer(_document(error, hint))


def _tell_call(report: Report, error: RegistrationRefusedError | BankError) -> None:
    if error.call is not None:
        report.line("call", f"{error.call.method} {error.call.url}")


def _tell_hint(report: Report, hint: str | None) -> None:
    if hint is not None:
        report.line("look at", hint)


def tell_finding(report: Report, finding: RefusedFinding) -> None:
    """Say one rule: in Enrol's words where it knows the code, else in the bank's."""
    meaning, remedy = _words(finding)
    known = EXPLANATIONS.get(finding.code)
    report.line("code", finding.code)
    report.line("it means", f"{finding.member}: {meaning}" if finding.member else meaning)
    if known and finding.member is None and finding.meaning not in (None, known.meaning):
        report.line("it says", str(finding.meaning))
    report.line("change", remedy)
    if known:
        report.line("rule", known.clause)


def _words(finding: RefusedFinding) -> tuple[str, str]:
    """Return what a rule means and what to change."""
    known = EXPLANATIONS.get(finding.code)
    meaning = (known.meaning if known else finding.meaning) or "This code is the bank's own."
    remedy = (known.remedy if known else finding.remedy) or "Ask the bank what to change."
    return meaning, remedy


def _tell_explanation(report: Report, explanation: RefusalExplanation) -> None:
    """Say what a test system tells of a refused signature."""
    for rule in explanation.findings:
        if rule.verdict == "fails":
            report.line(f"fails {rule.rule}", rule.sentence)
    for mistake in explanation.mistakes:
        report.line("likely", mistake)
    for n, line in enumerate(explanation.signing_string):
        report.line("" if n else "bank computed", line)


def _document(error: RegistrationRefusedError, hint: str | None) -> dict[str, object]:
    findings = error.findings or (RefusedFinding(None, error.code, error.description, None),)
    first = findings[0]
    meaning, remedy = _words(first)
    return {
        "status": error.status,
        "error": error.error,
        "code": error.code,
        "meaning": f"{first.member}: {meaning}" if first.member else meaning,
        "remedy": remedy,
        "description": error.description,
        "certificate": error.certificate,
        "hint": hint,
        "findings": [asdict(finding) for finding in error.findings],
        **_call_members(error),
        "request_id": error.request_id,
        "retry_after": error.retry_after,
        "explanation": error.explanation and asdict(error.explanation),
    }


def _call_members(error: RegistrationRefusedError | BankError) -> dict[str, object]:
    call = error.call
    return {"call": call and call.purpose.value, "url": call and call.url}
