"""The documents say what the code does."""

import importlib.util
import re
from pathlib import Path
from types import ModuleType

import pytest

from enrol.explanations import EXPLANATIONS

ROOT = Path(__file__).parents[2]
SOURCES = [path for path in (ROOT / "src").rglob("*.py") if "explanations" not in path.parts]
DOCUMENTS = [*ROOT.glob("*.md"), *(ROOT / "docs").rglob("*.md")]
LINK = re.compile(r"\]\(([^)#]+)(?:#[^)]*)?\)")
RAISED = re.compile(
    r"\b(?!Configuration|Enrol|Value|Type)\w*Error\(\s*\"([\w-]+)\""
    r"|Finding\(\s*\"([\w-]+)\""
)


@pytest.fixture(scope="module")
def reference() -> ModuleType:
    spec = importlib.util.spec_from_file_location("reference", ROOT / "scripts/reference.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@pytest.mark.parametrize("name", ["errors.md", "settings.md", "commands.md", "events.md"])
def test_a_page_made_from_code_is_up_to_date(reference: ModuleType, name: str) -> None:
    page = (ROOT / "docs/reference" / name).read_text("utf-8")
    assert page == reference.PAGES[name](), "run make docs"


def raised_codes() -> set[str]:
    texts = (path.read_text("utf-8") for path in SOURCES)
    found = (match for text in texts for match in RAISED.finditer(text))
    return {match[1] or match[2] for match in found}


def test_every_code_that_is_raised_has_words() -> None:
    codes = raised_codes()
    assert len(codes) > 100
    assert codes - EXPLANATIONS.keys() == set()


@pytest.mark.parametrize("code", sorted(EXPLANATIONS))
def test_an_explanation_fits_the_wire_and_says_what_to_change(code: str) -> None:
    explanation = EXPLANATIONS[code]
    assert 0 < len(explanation.meaning) <= 100
    assert explanation.meaning.endswith(".")
    assert explanation.remedy.endswith(".")
    assert explanation.clause


@pytest.mark.parametrize("path", DOCUMENTS, ids=lambda path: str(path.relative_to(ROOT)))
def test_every_link_within_the_documents_leads_somewhere(path: Path) -> None:
    links = [link for link in LINK.findall(path.read_text("utf-8")) if "://" not in link]
    assert [link for link in links if not (path.parent / link).exists()] == []


def test_the_readme_is_short() -> None:
    assert len((ROOT / "README.md").read_text("utf-8").splitlines()) < 150
