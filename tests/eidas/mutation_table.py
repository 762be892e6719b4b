"""The page of the 29 checks: what each is, and what is let through without it."""

from collections.abc import Iterator
from functools import cache
from pathlib import Path

from eidas import mutations, request_mutations
from eidas.mutations import Case, Mutation
from eidas.test_vectors import CASES as VECTORS
from eidas.test_vectors import RULES, anchors, use_and_moment
from enrol.eidas.checklist import CHECKS, TOGETHER
from enrol.eidas.examine import conclude_examination, examine
from enrol.eidas.numbered_check import Check
from enrol.eidas.pem import split_pem
from enrol.eidas.revocation import RevocationEvidence
from enrol.explanations import explain
from vectors import vectors

PAGE = Path(__file__).parents[2] / "docs" / "reference" / "certificates.md"
CASES = (*mutations.CASES, *request_mutations.CASES)
MUTATIONS = (*mutations.MUTATIONS, *request_mutations.MUTATIONS)

_HEAD = """# Checks of certificates

<!-- Made by `scripts/certificates.py`; change the code, not this file. -->

A QWAC and a QSealC are held against these checks: in a registration, at `/certificate-check`,
and by [`enrol explain certificate`](../how-to/check-a-certificate.md).
The codes are those of the [error codes](errors.md).

| # | check | codes | where it is written |
|---|---|---|---|
"""
_MUTATIONS = """
## What each check stops

Every check was taken away in turn: the function named does not look any more.
The cases are those of `tests/eidas/test_mutations.py`, which then fails for each case shown:
before the arrow is what it is refused with, behind it what becomes of it without the check.
The last column counts certificates of QTSPs, real and mutated, that are examined otherwise then;
`tests/eidas/test_examine.py` fails for each.

| # | taken away | what is judged otherwise | certificates of QTSPs |
|---|---|---|---|
"""


def page() -> str:
    """Take every check away, and return what was found."""
    checks = sorted((*CHECKS, *TOGETHER), key=lambda check: check.number)
    rows = [_row(check) for check in checks]
    found = [_mutation_row(one) for one in sorted(MUTATIONS, key=lambda each: each.number)]
    return _HEAD + "".join(rows) + _MUTATIONS + "".join(found)


def _row(check: Check) -> str:
    codes = ", ".join(f"`{code}`" for code in check.codes) or "none"
    clause = check.clause or explain(check.codes[0]).clause
    return f"| {check.number} | {check.title} | {codes} | {clause} |\n"


def _mutation_row(mutation: Mutation) -> str:
    before = _codes_of_vectors()
    with mutation.applied():
        cases = [_said(case, case.run()) for case in CASES if case.number == mutation.number]
        vectors = list(_other_vectors(before))
    return (
        f"| {mutation.number} | {mutation.name} | {'; '.join(filter(None, cases))} "
        f"| {_count(vectors)} |\n"
    )


def _said(case: Case, code: str | None) -> str:
    """Return a case that is judged otherwise, or nothing."""
    if code == case.code:
        return ""
    return f"{case.name}: {_verdict(case.code)} → {_verdict(code)}"


def _verdict(code: str | None) -> str:
    return f"`{code}`" if code else "accepted"


@cache
def _codes_of_vectors() -> dict[str, set[str | None]]:
    return {case["file"]: _codes(case) for case in VECTORS}


def _codes(case) -> set[str | None]:
    """Return every code that an examination finds."""
    use, at = use_and_moment(case)
    der = split_pem(vectors("eidas", case["file"]).read_bytes())[0]
    first = examine(der, use=use, at=at, trust=anchors(), rules=RULES)
    found = conclude_examination(first, at=at, revocation=RevocationEvidence(), rules=RULES)
    return {check.code for check in found.checks}


def _other_vectors(before: dict[str, set[str | None]]) -> Iterator[str]:
    """Return the certificates of which something else is said than before."""
    for case in VECTORS:
        if _codes(case) != before[case["file"]]:
            yield case["file"].partition("/")[2].removesuffix(".pem")


def _count(others: list[str]) -> str:
    return f"{len(others)}, such as {others[0]}" if others else "0"
