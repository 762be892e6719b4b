"""What the documents tell a person to type works as it stands."""

import os
import re
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest

from enrol.adapters.dialects import load_dialect, read_dialect
from enrol.bootstrap.stating import statements_of
from enrol.settings import load_settings
from ports import free_port

ROOT = Path(__file__).parents[2]
BLOCK = re.compile(r"```sh\n(.*?)```", re.DOTALL)
INSTALL = "make .venv/.runtime"
READY = "curl --silent --fail --cacert bank/server-ca.pem $ENROL_BANK_URL/health"
WAIT = f"until {READY}; do kill -0 %1; done\n"


def blocks(document: str) -> list[str]:
    return BLOCK.findall((ROOT / document).read_text("utf-8"))


@pytest.fixture
def environment() -> dict[str, str]:
    port = free_port()
    return os.environ | {
        "PATH": f"{Path(sys.executable).parent}:{os.environ['PATH']}",
        "ENROL_SERVER_PORT": str(port),
        "ENROL_BANK_URL": f"https://127.0.0.1:{port}",
    }


def run(script: str, folder: Path, environment: dict[str, str]) -> str:
    done = subprocess.run(
        ["bash", "-m", "-e"],
        input=script,
        cwd=folder,
        env=environment,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        timeout=240,
        check=False,
    )
    assert done.returncode == 0, done.stdout
    return done.stdout


def test_the_tutorial_leads_to_its_end(tmp_path: Path, environment: dict[str, str]) -> None:
    steps = [
        block for block in blocks("docs/tutorials/first-registration.md") if INSTALL not in block
    ]
    script = "".join(step + (WAIT if "sandbox up" in step else "") for step in steps)
    said = run(script, tmp_path, environment)
    assert "Registered" in said
    assert "redirect_uri_scheme" in said
    assert "Deleted" in said


def test_the_guide_to_dialects_leads_to_its_end(
    tmp_path: Path, environment: dict[str, str]
) -> None:
    said = run("".join(blocks("docs/how-to/dialects.md")), tmp_path, environment)
    assert "bpce" in said
    assert load_settings(tmp_path / "bpce" / "enrol.toml", {}).dialect.name == "bpce"
    assert load_dialect(str(tmp_path / "mybank.toml")).name == "bpce"


def test_the_guide_to_renewals_leads_to_its_end(
    tmp_path: Path, environment: dict[str, str]
) -> None:
    steps = blocks("docs/how-to/renew-certificates.md")
    script = "".join(step + (WAIT if "sandbox up" in step else "") for step in steps)
    said = run(script + "wait\n", tmp_path, environment)
    assert "Either QSealC may sign from now on." in said
    assert "Changed in [tpp] of bank/tpp/profile.toml:" in said
    assert "Every check that can be made passes" in said


def test_the_guide_to_the_audit_trail_leads_to_its_end(
    tmp_path: Path, environment: dict[str, str]
) -> None:
    steps = blocks("docs/how-to/audit.md")
    script = "".join(step + (WAIT if "sandbox up" in step else "") for step in steps)
    said = run(script + "kill %1; wait\n", tmp_path, environment)
    assert "  client.registered\n" in said
    assert said.count("The trail holds.") == 2


def test_the_guide_to_approvals_leads_to_its_end(
    tmp_path: Path, environment: dict[str, str]
) -> None:
    guide = "docs/how-to/approve-clients.md"
    script = "".join(step + (WAIT if "sandbox up" in step else "") for step in blocks(guide))
    said = run(script + "kill %1; wait\n", tmp_path, environment)
    assert "a second one has to" in said
    assert said.count("  active\n") == 2
    assert "Licence given back" in said
    assert "The trail holds." in said
    serve, own = ((ROOT / name).read_text() for name in ("docs/how-to/serve.md", guide))
    (whole,) = re.findall(r"```toml\n(.*?)```", serve, re.DOTALL)
    approval, server = re.findall(r"```toml\n(.*?)```", own, re.DOTALL)
    path = tmp_path / "enrol.toml"
    path.write_text(whole.replace("[server]", server) + approval)
    settings = load_settings(path, {})
    assert settings.server.operators == "enrol-operators"
    assert settings.approval.rules.working_days is not None


def test_the_guide_to_backups_leads_to_its_end(tmp_path: Path, environment: dict[str, str]) -> None:
    said = run("".join(blocks("docs/how-to/back-up-and-restore.md")), tmp_path, environment)
    assert "It goes on with event 1000001" in said
    assert "The trail holds." in said


def test_the_guide_to_revocation_leads_to_its_end(
    tmp_path: Path, environment: dict[str, str]
) -> None:
    guide = (ROOT / "docs/how-to/revocation.md").read_text("utf-8")
    serve = (ROOT / "docs/how-to/serve.md").read_text("utf-8")
    (whole,) = re.findall(r"```toml\n(.*?)```", serve, re.DOTALL)
    path = tmp_path / "enrol.toml"
    for text in re.findall(r"```toml\n(.*?)```", guide, re.DOTALL):
        trust = "[trust]" in text
        path.write_text((whole.replace('[trust]\nsource = "eu"\n', "") if trust else whole) + text)
        assert load_settings(path, {}).inquiry_policy
    said = run("".join(blocks("docs/how-to/revocation.md")), tmp_path, environment)
    assert said.count("Issued, and not qualified") == 5


def test_the_guide_to_agents_leads_to_its_end(tmp_path: Path, environment: dict[str, str]) -> None:
    steps = blocks("docs/how-to/agents.md")
    script = "".join(step + (WAIT if "sandbox up" in step else "") for step in steps)
    said = run(script + "kill %1; wait\n", tmp_path, environment)
    assert "agent AGTFR-ACPR-12345001" in said
    guide = (ROOT / "docs/how-to/agents.md").read_text("utf-8")
    (rules,) = re.findall(r"```toml\n(.*?)```", guide, re.DOTALL)
    path = tmp_path / "mybank.toml"
    path.write_text(read_dialect("stet") + rules)
    assert load_dialect(str(path)).agents.authority == "any"


def test_the_guide_to_software_statements_leads_to_its_end(
    tmp_path: Path, environment: dict[str, str]
) -> None:
    run("".join(blocks("docs/how-to/software-statements.md")), tmp_path, environment)
    serve, guide = (
        re.findall(r"```toml\n(.*?)```", (ROOT / f"docs/how-to/{name}.md").read_text(), re.DOTALL)
        for name in ("serve", "software-statements")
    )
    path = tmp_path / "enrol.toml"
    path.write_text(serve[0] + "".join(guide))
    settings = load_settings(path, {"ENROL_REGISTRATION_DIALECT": "./mybank.toml"})
    assert settings.dialect.metadata.takes_statements
    assert statements_of(settings) is not None


def test_the_guide_to_introspection_leads_to_its_end(
    tmp_path: Path, environment: dict[str, str]
) -> None:
    steps = blocks("docs/how-to/introspect-tokens.md")
    script = "".join(step + (WAIT if "sandbox up" in step else "") for step in steps)
    said = run(script + "kill %1; wait\n", tmp_path, environment)
    assert '"active":true' in said
    assert '{"active":false}' in said.partition('"active":true')[2]


def test_the_guide_to_events_leads_to_its_end(tmp_path: Path, environment: dict[str, str]) -> None:
    steps = blocks("docs/how-to/follow-events.md")
    script = "".join(step + (WAIT if "sandbox up" in step else "") for step in steps)
    said = run(script + "kill %1; wait\n", tmp_path, environment)
    assert "waiting        1 messages of 1 clients" in said
    assert "client.registered" in said
    assert "Dropped: " in said


@pytest.mark.parametrize("name", ["introspect-tokens", "follow-events"])
def test_the_settings_of_a_guide_are_settings(tmp_path: Path, name: str) -> None:
    serve, guide = (
        re.findall(r"```toml\n(.*?)```", (ROOT / f"docs/how-to/{each}.md").read_text(), re.DOTALL)
        for each in ("serve", name)
    )
    path = tmp_path / "enrol.toml"
    path.write_text(serve[0] + "".join(guide))
    settings = load_settings(path, {})
    assert settings.introspection.secrets or settings.webhooks.url


def test_the_demo_shows_a_whole_life(environment: dict[str, str]) -> None:
    said = run("./scripts/demo", ROOT, environment)
    assert "Done: registered, replayed, read, updated, renewed, refused, an agent, deleted." in said
    assert "agent AGTFR-ACPR-12345001" in said
    assert "Either QSealC may sign from now on." in said
    assert said.count("HTTP/1.1 201 Created") == 1
    assert said.count("HTTP/1.1 204 No Content") == 1


def test_the_commands_of_the_readme_are_targets() -> None:
    makefile = (ROOT / "Makefile").read_text("utf-8")
    commands = [line for block in blocks("README.md") for line in block.splitlines()]
    assert commands == ["make demo", "make serve"]
    for command in commands:
        assert f"\n{command.removeprefix('make ')}:" in makefile


def test_the_settings_of_the_guide_are_settings(tmp_path: Path) -> None:
    guide = (ROOT / "docs/how-to/serve.md").read_text("utf-8")
    (text,) = re.findall(r"```toml\n(.*?)```", guide, re.DOTALL)
    path = tmp_path / "enrol.toml"
    path.write_text(text)
    settings = load_settings(path, {})
    assert settings.public_url == tomllib.loads(text)["server"]["public_url"]


def test_the_settings_of_the_guide_to_signatures_are_settings(tmp_path: Path) -> None:
    serve, guide = (
        re.findall(r"```toml\n(.*?)```", (ROOT / f"docs/how-to/{name}.md").read_text(), re.DOTALL)
        for name in ("serve", "signatures")
    )
    fragments = [text for text in guide if "[bank]" not in text]
    assert len(fragments) == len(guide) - 1 > 2
    for text in fragments:
        path = tmp_path / "enrol.toml"
        path.write_text(serve[0] + text)
        assert load_settings(path, {}).signature_policies


def test_the_guide_to_monitoring_leads_to_its_end(
    tmp_path: Path, environment: dict[str, str]
) -> None:
    steps = "".join(blocks("docs/how-to/monitor.md")).replace("9464", str(free_port()))
    said = run(steps, tmp_path, environment)
    assert '"ready":true' in said
    assert 'enrol_build_info{version="' in said
