"""Logs: one event a line, in ASCII, with the time in UTC.

A line cannot be split or forged by what stands in a value: JSON and `repr` both escape line
breaks, U+2028 included.
"""

import asyncio
import logging
import os
import select
import threading
from collections.abc import Sequence
from datetime import UTC, datetime
from enum import StrEnum
from typing import Final, TextIO

import msgspec
import structlog
from structlog.typing import EventDict, Processor, WrappedLogger


class LogFormat(StrEnum):
    """How a line is written: for machines or for people."""

    JSON = "json"
    TEXT = "text"


_TOGETHER: Final = select.PIPE_BUF
"""Octets that a pipe takes whole, as soon as it takes any."""


class LineSink:
    """Writes lines to a stream, and drops them rather than wait for whoever should read them.

    For every thread of the process.
    """

    def __init__(self, stream: TextIO) -> None:
        self._stream = stream
        self._descriptor = _descriptor(stream)
        self._ready = select.poll()
        if self._descriptor is not None:
            self._ready.register(self._descriptor, select.POLLOUT)
        self._one_at_a_time = threading.Lock()  # two polls at once are an error of Python's
        self._waiting: list[str] = []
        self.dropped = 0

    def msg(self, line: str) -> None:
        """Write a line, or count it as dropped: a request does not fail of its log."""
        self._write(line + "\n")

    def info(self, line: str) -> None:
        """Write a line soon: those of one turn of the event loop go to the stream together."""
        try:
            loop = asyncio.get_running_loop()
        except RuntimeError:  # there is none in this thread
            self.msg(line)
            return
        if not self._waiting:
            loop.call_soon(self._write_waiting)
        self._waiting.append(line)

    def _write_waiting(self) -> None:
        lines, self._waiting = self._waiting, []
        text = ""
        for line in lines:
            if text and len(text) + len(line) >= _TOGETHER:
                self._write(text)
                text = ""
            text += line + "\n"
        self._write(text)

    def _write(self, text: str) -> None:
        with self._one_at_a_time:
            try:
                written = self._put(text)
            except (OSError, ValueError):  # ValueError: the stream is closed
                written = False
            self.dropped += 0 if written else text.count("\n")

    def _put(self, text: str) -> bool:
        if self._descriptor is None:
            self._stream.write(text)
        elif self._ready.poll(0):
            os.write(self._descriptor, text.encode("ascii", "backslashreplace"))
        else:
            return False
        return True

    log = debug = warning = error = critical = fatal = failure = exception = msg
    """structlog calls the method named after the level."""


class _Numbering:
    """Says of every event which worker it is of."""

    def __init__(self, worker: int) -> None:
        self._worker = worker

    def __call__(self, _logger: object, _method: str, event: EventDict) -> EventDict:
        event.setdefault("worker", self._worker)
        return event


class _Forward(logging.Handler):
    """Sends what libraries log by the standard library the same way."""

    def emit(self, record: logging.LogRecord) -> None:
        structlog.get_logger(record.name).log(
            record.levelno, record.getMessage(), exc_info=record.exc_info, logger=record.name
        )


_encode: Final = msgspec.json.Encoder().encode
_in_any_json: Final = structlog.processors.JSONRenderer(ensure_ascii=True)


def _in_json(logger: WrappedLogger, method: str, event: EventDict) -> str:
    """Return an event as JSON in ASCII; a slower encoder escapes what is not.

    In one step, as every request has its line.
    """
    event = structlog.processors.add_log_level(logger, method, event)
    event["timestamp"] = datetime.now(UTC).isoformat()[: -len("+00:00")] + "Z"
    if "exc_info" in event:
        event = structlog.processors.format_exc_info(logger, method, event)
    try:
        line = _encode(event)
    except (TypeError, UnicodeEncodeError):
        return str(_in_any_json(logger, method, event))
    return line.decode("ascii") if line.isascii() else str(_in_any_json(logger, method, event))


_PROCESSORS: Final[dict[LogFormat, Sequence[Processor]]] = {
    LogFormat.JSON: (_in_json,),
    LogFormat.TEXT: (
        structlog.processors.add_log_level,
        structlog.processors.TimeStamper(fmt="iso", utc=True),
        structlog.processors.format_exc_info,
        structlog.processors.KeyValueRenderer(
            key_order=["timestamp", "level", "event"], drop_missing=True
        ),
    ),
}


def configure_logging(
    stream: TextIO,
    *,
    line_format: LogFormat = LogFormat.JSON,
    level: int = logging.INFO,
    worker: int | None = None,
) -> LineSink:
    """Send every event of `level` and above to `stream`; return the sink, which counts losses.

    Where there are several processes, every event has the number of its `worker`.
    """
    sink = LineSink(stream)
    structlog.configure(
        processors=[
            *([] if worker is None else [_Numbering(worker)]),
            *_PROCESSORS[line_format],
        ],
        wrapper_class=structlog.make_filtering_bound_logger(level),
        logger_factory=lambda *_: sink,
        cache_logger_on_first_use=False,
    )
    logging.basicConfig(handlers=[_Forward()], level=max(level, logging.WARNING), force=True)
    return sink


def _descriptor(stream: TextIO) -> int | None:
    """Return the descriptor behind a stream, None where it is memory."""
    try:
        return stream.fileno()
    except (OSError, ValueError):
        return None
