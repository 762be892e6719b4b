"""What the documents tell a person to type works as it stands."""

import os
import re
import socket
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest

from enrol.adapters.dialects import load_dialect
from enrol.settings import load_settings

ROOT = Path(__file__).parents[2]
BLOCK = re.compile(r"```sh\n(.*?)```", re.DOTALL)
INSTALL = "make .venv/.runtime"
WAIT = "until curl --silent --fail --cacert bank/server-ca.pem $ENROL_BANK_URL/health; do :; done\n"


def blocks(document: str) -> list[str]:
    return BLOCK.findall((ROOT / document).read_text("utf-8"))


def free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as probe:
        return int(probe.getsockname()[1])


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


def test_the_demo_shows_a_whole_life(environment: dict[str, str]) -> None:
    said = run("./scripts/demo", ROOT, environment)
    assert "Done: registered, replayed, read, updated, renewed, refused, deleted." in said
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
