"""Answers written without the application: their bytes on the wire, their line in the log."""

from datetime import datetime
from http import HTTPStatus
from typing import Final

import structlog

from enrol.errors import RefusalError
from enrol.server.answer import CLOSE, Answer, date_field, new_request_id
from enrol.server.problems import answer_refusal

_STATUS_LINES: Final = {
    status.value: b"HTTP/1.1 %d %s" % (status.value, status.phrase.encode())
    for status in HTTPStatus
}
_log = structlog.get_logger("enrol.server")


def to_bytes(answer: Answer) -> bytes:
    """Return an HTTP/1.1 response."""
    lines = [_STATUS_LINES[answer.status], *[b"%b: %b" % field for field in answer.fields]]
    return b"\r\n".join([*lines, b"", answer.body])


def closing_answer(refusal: RefusalError, *, at: datetime, error_base: str) -> Answer:
    """Return the answer to bytes that are no request of the application; it ends the connection.

    Nothing received is trusted here: the request id is the server's own, the path empty. The
    log gets the line that the application writes about a request.
    """
    request_id = new_request_id()
    answer = answer_refusal(refusal, request_id=request_id, path="", at=at, error_base=error_base)
    _log.info(
        "request",
        request_id=request_id,
        entry_point="",
        method="other",
        status=answer.status,
        code=refusal.code,
    )
    closing = () if CLOSE[0] in answer.fields else CLOSE
    return Answer(answer.status, (date_field(at), *answer.fields, *closing), answer.body)
