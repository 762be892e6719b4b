"""Verdicts on rules, made from the codes the verifier's own checks refuse with."""

from collections.abc import Callable, Iterator, Sequence
from typing import ParamSpec

from enrol.errors import RefusalError
from enrol.httpsig.explain.report import RuleFinding, Verdict
from enrol.httpsig.explain.statements import NOT_REACHED, STATEMENTS, failure

_P = ParamSpec("_P")


def code_of(check: Callable[_P, object], *args: _P.args, **kwargs: _P.kwargs) -> str | None:
    """Return the code a check refuses with, None where it does not."""
    try:
        check(*args, **kwargs)
    except RefusalError as refusal:
        return refusal.code
    return None


def holds(rule: str, detail: str | None = None) -> RuleFinding:
    """Return that a rule holds."""
    return RuleFinding(rule, Verdict.HOLDS, STATEMENTS[rule], detail)


def fails(rule: str, detail: str | None = None) -> RuleFinding:
    """Return that a rule is broken."""
    return RuleFinding(rule, Verdict.FAILS, failure(rule), detail)


def undecided(rule: str, why: str = NOT_REACHED) -> RuleFinding:
    """Return that a rule could not be decided, and why."""
    return RuleFinding(rule, Verdict.UNDECIDED, f"{STATEMENTS[rule]} {why}")


def decided(rule: str, code: str | None, detail: str | None = None) -> RuleFinding:
    """Return that a rule is broken if a check refused by it, else that it holds."""
    return fails(rule, detail) if code == rule else holds(rule)


def stepwise(
    steps: Sequence[Sequence[str]], code: str | None, detail: str | None = None
) -> Iterator[RuleFinding]:
    """Yield verdicts of a check that takes rules step by step and stops at the first one broken.

    The rules of one step are looked at together: where one is broken, the others are undecided.
    """
    reached = True
    for step in steps:
        for rule in step:
            if rule == code:
                yield fails(rule, detail)
            else:
                yield holds(rule) if reached and code not in step else undecided(rule)
        reached = reached and code not in step
