"""What a sandbox tells of a refused signature, as the TPP reads it."""

import json
from collections.abc import Callable
from pathlib import Path

import httpx
import pytest
from typer.testing import CliRunner, Result

from enrol.cli.tpp import app
from enrol.client.answers import refusal_of
from enrol.errors import ExplainedRule, RefusalExplanation
from fake_bank import FakeBank

EXPLANATION = {
    "findings": [
        {"rule": "SIG-1", "verdict": "fails", "sentence": "It is not that of the key."},
        {"rule": "COV-1", "verdict": "holds", "sentence": "It is covered."},
    ],
    "mistakes": ["The signature verifies if the lines are signed in another order."],
    "signing_string": ["(request-target): post /register", "digest: \\x20x"],
}
REFUSAL = {
    "error": "invalid_client",
    "error_description": "The signature is not that of the key over this request.",
    "error_uri": "https://bank.example/errors/SIG-1",
}


def told(explanation: object) -> RefusalExplanation | None:
    body = json.dumps(REFUSAL | {"explanation": explanation}).encode()
    return refusal_of(httpx.Response(401, content=body), request_id="sent").explanation


@pytest.fixture
def refused(profile_file: Path, bank: FakeBank) -> Callable[..., Result]:
    """Register at a bank that refuses, with a body."""

    def run(*options: str, **body: object) -> Result:
        bank.next_answers.append(httpx.Response(401, json=REFUSAL | body))
        return CliRunner().invoke(
            app,
            ["register", "--profile", str(profile_file), *options],
            obj=httpx.MockTransport(bank),
        )

    return run


def test_an_explanation_is_read() -> None:
    assert told(EXPLANATION) == RefusalExplanation(
        findings=(
            ExplainedRule("SIG-1", "fails", "It is not that of the key."),
            ExplainedRule("COV-1", "holds", "It is covered."),
        ),
        mistakes=("The signature verifies if the lines are signed in another order.",),
        signing_string=("(request-target): post /register", "digest: \\x20x"),
    )


@pytest.mark.parametrize("nothing", [None, "x", [], 3])
def test_a_bank_that_explains_nothing_explains_nothing(nothing: object) -> None:
    assert told(nothing) is None


def test_an_explanation_of_another_form_is_read_as_far_as_it_goes() -> None:
    odd = {"findings": [1, {"rule": 2}], "mistakes": {}, "signing_string": [None, "a\x1b[0m"]}
    assert told(odd) == RefusalExplanation(
        findings=(ExplainedRule("unnamed", "undecided", ""),),
        mistakes=(),
        signing_string=("a\ufffd[0m",),
    )


def test_what_fails_and_what_is_likely_is_printed(refused: Callable[..., Result]) -> None:
    result = refused(explanation=EXPLANATION)
    assert result.exit_code == 1
    assert "fails SIG-1    It is not that of the key.\n" in result.stderr
    assert "likely         The signature verifies if the lines are" in result.stderr
    assert "bank computed  (request-target): post /register\n" in result.stderr
    assert "COV-1" not in result.stderr


def test_json_has_the_explanation_whole(refused: Callable[..., Result]) -> None:
    assert json.loads(refused("--json", explanation=EXPLANATION).stdout)["explanation"] == (
        EXPLANATION
    )
    assert json.loads(refused("--json").stdout)["explanation"] is None
