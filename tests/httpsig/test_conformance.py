"""The table of conformance says what the code does, and every test it names is there."""

import ast
import re
from pathlib import Path

import enrol.httpsig
from enrol.explanations.httpsig import HTTPSIG
from vectors import shared

ROOT = Path(__file__).parents[2]
TESTS = ROOT / "tests"
DOCUMENT = (ROOT / "docs" / "reference" / "conformance-signatures.md").read_text("utf-8")
RULE = re.compile(r"(?:CAR|SMG|STR|PAR|HDR|ALG|KEY|COV|TIM|REP|SIG|DIG|M)-(?:CD-)?[0-9A-Z]+")
DEFINED = re.compile(r"^(?:async )?def (test_\w+)", re.MULTILINE)
ROWS = [
    [cell.strip() for cell in line.strip("|").split("|")]
    for line in DOCUMENT.splitlines()
    if RULE.match(line.removeprefix("| "))
]


def raised() -> set[str]:
    """Return every code that stands in the library's source."""
    sources = Path(enrol.httpsig.__path__[0]).glob("*.py")
    trees = [ast.parse(source.read_text("utf-8")) for source in sources]
    constants = {
        node.value
        for tree in trees
        for node in ast.walk(tree)
        if isinstance(node, ast.Constant) and isinstance(node.value, str)
    }
    return {text for text in constants if RULE.fullmatch(text)}


def test_every_code_raised_is_in_the_table_and_every_code_in_the_table_is_raised():
    assert {code for _, _, code, _ in ROWS if code} == raised()


def test_every_code_raised_is_explained_and_no_other():
    assert set(HTTPSIG) == raised()


def test_rule_that_refuses_does_so_under_its_own_id():
    assert {row[0] for row in ROWS if row[2] and row[2] != row[0]} == {"DIG-10"}


def test_every_rule_names_a_test():
    assert [rule for rule, _, _, shown_by in ROWS if "`test_" not in shown_by] == []


def test_every_test_named_is_there():
    sources = [source for source in TESTS.rglob("test_*.py") if "node_modules" not in source.parts]
    tests = {name for source in sources for name in DEFINED.findall(source.read_text("utf-8"))}
    assert set(re.findall(r"`(test_\w+)`", DOCUMENT)) <= tests


def test_every_rule_of_the_sheet_has_a_row():
    sheet = shared("spec", "httpsig.md").read_text("utf-8")
    rules = set(re.findall(rf"^\| ({RULE.pattern}) \|", sheet, re.MULTILINE))
    assert rules <= {row[0] for row in ROWS}


def test_meanings_are_one_short_sentence():
    for code, explanation in HTTPSIG.items():
        assert len(explanation.meaning) <= 100, code
        assert explanation.meaning.endswith("."), code
        assert explanation.remedy, code
        assert explanation.clause, code
