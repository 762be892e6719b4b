"""Signatures both ways with other implementations, as docs/reference/signatures.md says."""

import pytest

from interop import programs, signature_table


@pytest.fixture(scope="module")
def said(node: str, tmp_path_factory: pytest.TempPathFactory) -> str:
    """The page as it has to be now."""
    programs.need("openssl")
    if not programs.PEERS_PYTHON.exists():
        pytest.skip("needs httpsig in .peers, which `make test` installs")
    return signature_table.page(tmp_path_factory.mktemp("exchange"))


def test_the_page_of_signatures_says_what_was_found_out(said: str) -> None:
    assert signature_table.PAGE.read_text("utf-8") == said, "run scripts/signatures.py"


@pytest.mark.parametrize(
    "peer",
    ["npm http-signature", "PyPI httpsig", "PyPI http-message-signatures", "openssl by hand"],
)
def test_every_implementation_agrees_both_ways_on_what_both_have(said: str, peer: str) -> None:
    rows = [line for line in said.splitlines() if line.startswith(f"| {peer}")]
    assert any(row.endswith("| yes | yes |") for row in rows)


def test_nobody_takes_a_signature_for_another_target(said: str) -> None:
    assert "takes anything" not in said
