"""Explaining a signature: every rule by itself, the signing string, and the likely mistake."""

from collections.abc import Iterable, Iterator
from datetime import datetime
from typing import Final

from enrol.httpsig.cavage import SignatureParameters
from enrol.httpsig.explain import rules, rules_cavage, rules_rfc9421
from enrol.httpsig.explain.bodies import digest_mistakes
from enrol.httpsig.explain.case import Case
from enrol.httpsig.explain.findings import fails, undecided
from enrol.httpsig.explain.fingerprints import fingerprint_mistakes
from enrol.httpsig.explain.mistakes import signature_mistakes
from enrol.httpsig.explain.primitives import made_with
from enrol.httpsig.explain.reading import Reading, mode_of, read_on
from enrol.httpsig.explain.report import GivenKey, Mistake, RuleFinding, SignatureReport, Verdict
from enrol.httpsig.explain.visible import first_difference
from enrol.httpsig.message import HttpMessage
from enrol.httpsig.policy import STET, Mode, SignaturePolicy

_TIMES: Final = frozenset({"TIM-1", "TIM-2", "TIM-3", "TIM-4", "M-TIM"})
_STRINGS: Final = frozenset(
    {"SIG-1", "HDR-1", "HDR-2", "HDR-7", "TIM-0", "PAR-6", "STR-8", "M-SIG", "M-CMP"}
)
_DIGESTS: Final = frozenset({"DIG-3", "DIG-5", "DIG-7", "DIG-9", "M-CD-1", "M-CD-3"})
_WORSE: Final = (Verdict.HOLDS, Verdict.UNDECIDED, Verdict.FAILS)
_FOLLOWS: Final = {"PAR-6": ("TIM-0", "SIG-1"), "HDR-1": ("HDR-2", "SIG-1")}
"""Rules that cannot be judged once another is broken, though the reading went on."""

_NEEDED: Final = frozenset({"ALG-8", "SIG-1", "M-SIG", "DIG-9", "M-CD-3"})
"""Rules without whose verdict nobody can say that a message verifies."""


def explain_signature(
    message: HttpMessage,
    given: GivenKey | None,
    *,
    at: datetime,
    policy: SignaturePolicy = STET,
    has_body: bool = True,
    claimed: bytes | None = None,
    refused_by: str | None = None,
) -> SignatureReport:
    """Say rule by rule what of a message's signature holds, and look for the mistake.

    `given` is None where the key is not known, `has_body` false where the body is not. `claimed`
    is the signing string the client says it signed. `refused_by` is the code another verifier
    refused the message with, which may know more than is given here.

    1. what the verifier itself says, which nothing here changes;
    2. the signature read, and mended where it cannot be read as it is;
    3. each rule by itself, by the verifier's own checks;
    4. the known mistakes tried on what failed.
    """
    case = Case.of(message, given, policy=policy, has_body=has_body)
    refusal = refused_by or case.refusal(at)  # (1)
    reading = read_on(message, mode_of(message, policy))  # (2)
    findings = _merged(_trusted(_findings(case, reading, at, refusal), reading))  # (3)
    broken = frozenset({each.rule for each in findings if each.verdict is Verdict.FAILS})
    computed = _computed(case, reading)
    return SignatureReport(
        mode=reading.mode,
        verdict=_verdict(findings),
        refused_by=refusal,
        findings=findings,
        mistakes=tuple(_mistakes(case, reading, broken, claimed)),  # (4)
        signing_string=computed,
        difference=first_difference(computed, claimed) if computed and claimed else None,
        made_with_key=_made_with(case, reading),
        verifies_at=_moment(case, at) if broken and broken <= _TIMES else None,
    )


def _findings(
    case: Case, reading: Reading, at: datetime, refusal: str | None
) -> Iterator[RuleFinding]:
    """Yield the verdict on every rule that applies, some of them more than once."""
    message, policy, key = case.message, case.policy, case.key
    yield from rules.hygiene(message)
    yield from reading.findings()
    yield from rules.strength(case.given, case.key_code)
    parsed = reading.parsed
    if parsed is not None:
        yield from rules.key_name(parsed.unverified_keyid, case.given, key)
    if isinstance(parsed, SignatureParameters):
        yield from rules_cavage.coverage(message, parsed.headers, policy)
        yield from rules_cavage.label(parsed, key.primitive if key else None, policy)
        yield from rules_cavage.times(message, parsed, at, policy)
        yield from rules_cavage.lines(message, parsed)
    elif parsed is not None:
        yield from rules_rfc9421.components(message, parsed, policy)
        yield rules_rfc9421.algorithm(parsed, key)
        yield rules_rfc9421.times(parsed, at, policy)
    yield from rules.digest(message, policy, reading.mode, has_body=case.has_body)
    if isinstance(parsed, SignatureParameters):
        yield rules_cavage.arithmetic(message, parsed, key, policy)
    elif parsed is not None:
        yield rules_rfc9421.arithmetic(message, parsed, key, policy)
    yield from rules.memory(message)
    if refusal is not None:
        yield fails(refusal)


def _trusted(findings: Iterable[RuleFinding], reading: Reading) -> Iterator[RuleFinding]:
    """Yield the findings, those undecided that would only tell of what the reading mended."""
    doubtful = frozenset[str]().union(*[_FOLLOWS.get(rule, ()) for rule in reading.broken])
    for finding in findings:
        yield undecided(finding.rule) if finding.rule in doubtful else finding


def _merged(findings: Iterable[RuleFinding]) -> tuple[RuleFinding, ...]:
    """Return one finding a rule, the worst verdict where there are several."""
    by_rule: dict[str, RuleFinding] = {}
    for finding in findings:
        known = by_rule.setdefault(finding.rule, finding)
        if _WORSE.index(finding.verdict) > _WORSE.index(known.verdict):
            by_rule[finding.rule] = finding
    return tuple(by_rule.values())


def _verdict(findings: Iterable[RuleFinding]) -> Verdict:
    """Return what the findings come to; what only the bank knows is left to the bank."""
    verdicts = {finding.rule: finding.verdict for finding in findings}
    if Verdict.FAILS in verdicts.values():
        return Verdict.FAILS
    needed = {verdicts[rule] for rule in _NEEDED & verdicts.keys()}
    return Verdict.UNDECIDED if Verdict.UNDECIDED in needed else Verdict.HOLDS


def _computed(case: Case, reading: Reading) -> bytes | None:
    parsed = reading.parsed
    if parsed is None:
        return None
    if isinstance(parsed, SignatureParameters):
        return rules_cavage.computed_string(case.message, parsed, case.policy)
    return rules_rfc9421.computed_base(case.message, parsed, case.policy)


def _mistakes(
    case: Case, reading: Reading, broken: frozenset[str], claimed: bytes | None
) -> Iterator[Mistake]:
    """Yield the mistakes that explain what is broken."""
    yield from reading.mended
    if not broken.isdisjoint(_DIGESTS) and case.has_body:
        yield from digest_mistakes(case.message)
    if reading.parsed is None:
        return
    if "KEY-3" in broken and case.given is not None:
        yield from fingerprint_mistakes(reading.parsed.unverified_keyid, case.given)
    if not broken.isdisjoint(_STRINGS) and case.key is not None:
        key = case.key if reading.mode is Mode.CAVAGE else case.key.for_rfc9421()
        yield from signature_mistakes(
            case.message, reading.parsed, key, case.policy, claimed=claimed
        )


def _made_with(case: Case, reading: Reading) -> bool | None:
    if reading.parsed is None or case.key is None:
        return None
    return made_with(reading.parsed.signature, case.key)


def _moment(case: Case, at: datetime) -> datetime | None:
    """Return the time the message states, if it verifies then."""
    if case.key is None or not case.has_body:
        return None
    for moment in case.stated_times(at):
        if case.refusal(moment) is None:
            return moment
    return None
