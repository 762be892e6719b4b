"""What operators' tools ask for is what a server shows, and the documents say the same."""

import json
import re
import shutil
import subprocess
from collections.abc import Iterator
from http.client import HTTPConnection
from pathlib import Path
from typing import Any

import pytest
import yaml
from prometheus_client.parser import text_string_to_metric_families

from live.desk import Desk

ROOT = Path(__file__).parents[2]
NAME = re.compile(r"\b(?:enrol|process|python)_[a-z_]+")
SELECTOR = re.compile(r"\b(enrol_[a-z_]+)\{([^}]*)\}")
KEY = re.compile(r"(\w+)(?:=~?|!=|!~)")
ROW = re.compile(r"\| `(enrol_\w+)` \| (\w+) \| ([^|]*) \| ([^|]*) \|")
TARGET_LABELS = {"job", "instance"}


@pytest.fixture(scope="module")
def exposition(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """The metrics of a server that just started."""
    folder = tmp_path_factory.mktemp("monitored") / "bank"
    with Desk(folder, settings={"operations.port": 0}) as bank:
        said = next(line for line in bank.log_lines if "operations_listening" in line)
        connection = HTTPConnection("127.0.0.1", json.loads(said)["port"], timeout=20)
        connection.request("GET", "/metrics")
        yield connection.getresponse().read().decode()
        connection.close()


@pytest.fixture(scope="module")
def families(exposition: str) -> dict[str, Any]:
    """The metrics by the names that they are asked for by."""
    found = {}
    for family in text_string_to_metric_families(exposition):
        ends = {"counter": ("_total",), "histogram": ("_bucket", "_sum", "_count")}
        for end in ends.get(family.type, ("",)):
            found[family.name + end] = family
    return found


@pytest.fixture(scope="module")
def documented() -> dict[str, tuple[str, set[str], str]]:
    """Type, labels and meaning of each metric in the reference."""
    page = (ROOT / "docs" / "reference" / "metrics.md").read_text("utf-8")
    return {
        name: (kind, set(re.findall(r"`(\w+)`", labels)), meaning)
        for name, kind, labels, meaning in ROW.findall(page)
    }


@pytest.fixture
def rules(deploy: Path) -> list[dict[str, Any]]:
    """The alerts."""
    groups = yaml.safe_load((deploy / "prometheus" / "alerts.yml").read_text())["groups"]
    return [rule for group in groups for rule in group["rules"]]


def expressions_of(panel: dict[str, Any]) -> list[str]:
    return [target["expr"] for target in panel["targets"]]


@pytest.fixture
def dashboard(deploy: Path) -> dict[str, Any]:
    """The dashboard."""
    return json.loads((deploy / "grafana" / "dashboard.json").read_text())


@pytest.fixture
def expressions(rules: list[dict[str, Any]], dashboard: dict[str, Any]) -> list[str]:
    """Everything that is asked of Prometheus."""
    asked = [rule["expr"] for rule in rules]
    return asked + [expr for panel in dashboard["panels"] for expr in expressions_of(panel)]


def test_every_metric_asked_for_is_shown(expressions: list[str], families: dict[str, Any]) -> None:
    asked = {name for expression in expressions for name in NAME.findall(expression)}
    assert len(asked) > 20
    assert asked - families.keys() == set()


def test_every_label_asked_for_is_one_of_the_metric(
    expressions: list[str], documented: dict[str, tuple[str, set[str], str]]
) -> None:
    for expression in expressions:
        for name, selectors in SELECTOR.findall(expression):
            base = re.sub(r"_(bucket|sum|count)$", "", name)
            known = documented.get(name) or documented[base]
            assert set(KEY.findall(selectors)) <= known[1] | TARGET_LABELS, expression


def test_the_reference_has_every_metric_as_it_is(
    families: dict[str, Any], documented: dict[str, tuple[str, set[str], str]]
) -> None:
    shown = {}
    for name, family in families.items():
        if name.startswith("enrol_"):
            base = name if family.type == "counter" else family.name
            shown[base] = (family.type, family.documentation)
    said = {name: (kind, meaning) for name, (kind, _, meaning) in documented.items()}
    assert said == shown


def test_the_samples_have_the_labels_of_the_reference(
    families: dict[str, Any], documented: dict[str, tuple[str, set[str], str]]
) -> None:
    for name, (_, labels, _) in documented.items():
        family = families.get(name) or families[f"{name}_bucket"]
        for sample in family.samples:
            assert sample.labels.keys() - {"le"} == labels, sample


def test_every_alert_is_explained_and_says_how_bad_it_is(rules: list[dict[str, Any]]) -> None:
    guide = (ROOT / "docs" / "how-to" / "monitor.md").read_text("utf-8")
    headings = re.findall(r"^### (Enrol\w+)$", guide, re.MULTILINE)
    assert headings == [rule["alert"] for rule in rules]
    for rule in rules:
        assert rule["labels"]["severity"] in {"critical", "warning", "info"}
        assert rule["annotations"]["summary"].endswith(".")


def test_prometheus_takes_the_alerts(deploy: Path) -> None:
    promtool = shutil.which("promtool")
    if promtool is None:
        pytest.skip("needs promtool, of Debian's package prometheus")
    rules = deploy / "prometheus" / "alerts.yml"
    subprocess.run([promtool, "check", "rules", rules], check=True, timeout=60)


def test_panels_do_not_overlap_and_have_their_own_ids(dashboard: dict[str, Any]) -> None:
    panels = dashboard["panels"]
    assert len({panel["id"] for panel in panels}) == len(panels)
    taken: set[tuple[int, int]] = set()
    for panel in panels:
        at = panel["gridPos"]
        cells = {
            (x, y)
            for x in range(at["x"], at["x"] + at["w"])
            for y in range(at["y"], at["y"] + at["h"])
        }
        assert not cells & taken
        assert max(x for x, _ in cells) < 24
        taken |= cells
