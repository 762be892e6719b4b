"""Answers to bytes that never became a request of the application."""

from datetime import UTC, datetime

import pytest
from structlog.testing import capture_logs

from enrol.errors import MalformedRequestError, MethodError, RefusalError, RequestTimeoutError
from enrol.server.wire import closing_answer

NOW = datetime(2026, 11, 23, 12, tzinfo=UTC)


@pytest.mark.parametrize(
    ("refusal", "status"),
    [
        (MalformedRequestError("http_malformed"), 400),
        (RequestTimeoutError("request_timeout"), 408),
        (MethodError("method_not_allowed", allowed=("POST",)), 405),
    ],
)
def test_closing_answer_ends_the_connection_and_is_logged_under_its_id(
    refusal: RefusalError, status: int
) -> None:
    with capture_logs() as lines:
        answer = closing_answer(refusal, at=NOW, error_base="https://bank.test/errors/")
    fields = dict(answer.fields)
    assert (answer.status, fields[b"connection"]) == (status, b"close")
    (line,) = lines
    assert line["event"] == "request"
    assert line["request_id"].encode() == fields[b"x-request-id"]
    assert (line["status"], line["code"]) == (status, refusal.code)
