"""Every event is one line of ASCII, whatever stands in it."""

import asyncio
import io
import json
import logging
import os
import sys
import threading
from collections import Counter
from concurrent.futures import ThreadPoolExecutor

import pytest
import structlog

from enrol.adapters.clock import system_clock
from enrol.adapters.telemetry import LogFormat, configure_logging


@pytest.fixture
def stream():
    return io.StringIO()


HOSTILE = 'a\nb\r\u2028c\u2029\x85\x1b[31m"\ud800\x00é'


def test_event_is_one_line_of_json(stream):
    configure_logging(stream)
    structlog.get_logger().info("request", status=201, path=HOSTILE)
    (line,) = stream.getvalue().splitlines()
    assert line.isascii()
    event = json.loads(line)
    assert (event["event"], event["level"], event["status"]) == ("request", "info", 201)
    assert event["path"] == HOSTILE
    assert event["timestamp"].endswith("Z")


def test_text_is_one_line_of_keys_and_values(stream):
    configure_logging(stream, line_format=LogFormat.TEXT)
    structlog.get_logger().info("request", status=201, path="a\nb\u2028")
    (line,) = stream.getvalue().splitlines()
    assert line.startswith("timestamp='")
    assert line.endswith(r"level='info' event='request' status=201 path='a\nb\u2028'")


@pytest.mark.parametrize("line_format", LogFormat)
def test_exception_is_part_of_its_line(stream, line_format):
    configure_logging(stream, line_format=line_format)
    try:
        int(HOSTILE)
    except ValueError:
        structlog.get_logger().exception("unexpected")
    (line,) = stream.getvalue().splitlines()
    assert "Traceback" in line


def test_a_stream_that_is_closed_loses_lines_and_fails_nobody(stream):
    sink = configure_logging(stream)
    stream.close()
    structlog.get_logger().info("request")
    assert sink.dropped == 1


def test_threads_that_log_at_once_lose_nothing_and_fail_nobody(tmp_path):
    lines, at_once = 2000, threading.Barrier(4)

    def log(number):
        at_once.wait(10)
        for _ in range(lines):
            structlog.get_logger().error("storage_failed", number=number)

    with (tmp_path / "log").open("w") as stream, ThreadPoolExecutor(4) as pool:
        sink = configure_logging(stream)
        list(pool.map(log, range(4)))  # raises what a thread raised
    events = [json.loads(line) for line in (tmp_path / "log").read_text().splitlines()]
    assert Counter(event["number"] for event in events) == dict.fromkeys(range(4), lines)
    assert sink.dropped == 0


def test_events_below_the_level_are_left_out(stream):
    configure_logging(stream, level=logging.WARNING)
    structlog.get_logger().info("request")
    assert stream.getvalue() == ""


def test_bound_values_are_written_with_every_event(stream):
    configure_logging(stream)
    structlog.get_logger().bind(request_id="r-1").info("request")
    assert json.loads(stream.getvalue())["request_id"] == "r-1"


def test_what_libraries_log_goes_the_same_way(stream):
    configure_logging(stream)
    logging.getLogger("uvicorn.error").warning("two\nlines %s", "here")
    (line,) = stream.getvalue().splitlines()
    event = json.loads(line)
    assert (event["event"], event["logger"], event["level"]) == (
        "two\nlines here",
        "uvicorn.error",
        "warning",
    )


def test_lines_for_a_reader_that_stopped_are_dropped_and_counted():
    reading, writing = os.pipe()
    with os.fdopen(reading, "rb") as reader, os.fdopen(writing, "w") as stream:
        sink = configure_logging(stream)
        while not sink.dropped:
            structlog.get_logger().info("request", filler="x" * 1000)
        assert sink.dropped == 1
        reader.read1(1 << 20)
        structlog.get_logger().info("heard again")
        assert b"heard again" in reader.read1(1 << 20)


def test_lines_for_a_reader_that_went_are_dropped_and_counted():
    reading, writing = os.pipe()
    os.close(reading)
    with os.fdopen(writing, "w") as stream:
        sink = configure_logging(stream)
        structlog.get_logger().info("request")
        assert sink.dropped == 1


def test_line_goes_to_a_real_stream(capfd):
    configure_logging(sys.stderr)
    structlog.get_logger().info("request")
    assert json.loads(capfd.readouterr().err)["event"] == "request"


def test_system_clock_is_aware_and_in_utc():
    assert system_clock().utcoffset().total_seconds() == 0


async def test_lines_of_one_turn_of_the_loop_are_written_together_and_in_order(stream):
    sink = configure_logging(stream)
    for number in range(50):
        structlog.get_logger().info("request", number=number, filler="x" * 200)
    await asyncio.sleep(0)
    events = [json.loads(line) for line in stream.getvalue().splitlines()]
    assert [event["number"] for event in events] == [*range(50)]
    assert not sink.dropped


async def test_a_thread_beside_the_loop_writes_its_lines_itself(stream):
    configure_logging(stream)
    await asyncio.to_thread(structlog.get_logger().info, "request")
    assert json.loads(stream.getvalue())["event"] == "request"
