"""The files of deploy/ say what must be said, also where the proxy is not there to run them."""

import importlib.util
import re
from pathlib import Path

import pytest

from enrol.server import hop
from enrol.settings import load_settings
from proxies.front import DEPLOY

CONFIGURATIONS = {
    "nginx": "nginx/enrol.conf",
    "haproxy": "haproxy/enrol.cfg",
    "envoy": "envoy/enrol.yaml",
}


@pytest.fixture(params=CONFIGURATIONS)
def configuration(request: pytest.FixtureRequest) -> str:
    """The text of a configuration, in lower case."""
    return (DEPLOY / CONFIGURATIONS[request.param]).read_text().lower()


def test_a_configuration_sets_every_field_the_bank_believes(configuration: str) -> None:
    names = [hop.CERTIFICATE, hop.CHAIN, hop.ADDRESS]
    for name in names:
        assert name.decode() in configuration
    secret = hop.SECRET.decode()
    assert secret in configuration or "hop-secret.conf" in configuration


def test_the_settings_of_the_guide_are_settings(tmp_path: Path) -> None:
    guide = (DEPLOY.parent / "docs" / "how-to" / "behind-a-proxy.md").read_text("utf-8")
    hops = []
    for number, text in enumerate(re.findall(r"```toml\n(.*?)```", guide, re.DOTALL)):
        path = tmp_path / f"{number}.toml"
        path.write_text(text + '[storage]\npath = "enrol.db"\n')
        hops.append(load_settings(path, {}).proxy.hop)
    assert hops == ["socket", "tls"]


def test_the_map_of_nginx_is_the_one_that_is_made() -> None:
    script = Path(__file__).parents[2] / "scripts" / "nginx_client_cert.py"
    spec = importlib.util.spec_from_file_location("nginx_client_cert", script)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    assert module.PLACE.read_text() == module.client_cert_map()
