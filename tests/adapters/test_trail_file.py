"""A trail that was exported is verified without its database, and an export cannot be bent."""

import io
import json

import pytest
from msgspec.structs import replace

from adapters.trails import review_chain
from adapters.values import AT, creation, refusal
from enrol.adapters.sqlite import open_sqlite
from enrol.adapters.trail import open_trail
from enrol.adapters.trail_file import ExportedTrail, open_export, write_trail
from enrol.errors import ConfigurationError
from enrol.registration.chain import Head
from enrol.registration.kept import blob
from enrol.registration.review import FaultKind

BLOBS = (blob(b"certificate"), blob(b"list"))
EVENTS = 6
FIRST_EVENT = 1 + len(BLOBS)


@pytest.fixture
async def lines(path):
    """The lines of the export of a trail of six events and two blobs."""
    store = open_sqlite(path)
    for number in range(1, EVENTS):
        await store.clients.commit(creation(number))
    store.audit.note(replace(refusal(1), request=b"POST / HTTP/1.1\r\n\r\n\xff", blobs=BLOBS))
    await store.aclose()
    out, written = io.BytesIO(), []
    with open_trail(path) as trail:
        write_trail(trail, out, at=AT, written=written.append)
    assert written == list(range(1, EVENTS + 1))
    return out.getvalue().splitlines(keepends=True)


def review(lines):
    return review_chain(ExportedTrail(io.BytesIO(b"".join(lines))))


def found(lines):
    return [(fault.kind, fault.event) for fault in review(lines).faults]


def test_export_holds_as_its_database_does(lines, path):
    result = review(lines)
    with open_trail(path) as trail:
        assert result == review_chain(trail)
    assert (result.events, result.blobs, result.wrong) == (EVENTS, len(BLOBS), 0)


def test_export_is_json_line_by_line(lines):
    documents = [json.loads(line) for line in lines]
    kinds = [document["line"] for document in documents]
    assert kinds == ["trail", "blob", "blob", *["event"] * EVENTS]
    assert documents[0]["hash"] == documents[-1]["hash"]
    assert documents[FIRST_EVENT]["client_id"] == "client-1"


def test_empty_trail_is_exported_too(path):
    out = io.BytesIO()
    with open_trail(path) as trail:
        write_trail(trail, out, at=AT, written=lambda _: None)
    assert review([out.getvalue()]).head == Head()


def test_changed_line_is_found(lines):
    lines[FIRST_EVENT] = lines[FIRST_EVENT].replace(b"client-1", b"client-9")
    assert found(lines) == [(FaultKind.EVENT_CHANGED, 1)]


def test_removed_line_is_found(lines):
    del lines[FIRST_EVENT + 2]
    assert found(lines) == [(FaultKind.EVENTS_MISSING, 4)]


def test_removed_last_line_is_found(lines):
    assert found(lines[:-1]) == [(FaultKind.TAIL_MISSING, EVENTS - 1)]


def test_swapped_lines_are_found(lines):
    lines[4], lines[5] = lines[5], lines[4]
    assert found(lines)[0] == (FaultKind.EVENTS_MISSING, 3)
    assert (FaultKind.EVENT_OUT_OF_ORDER, 2) in found(lines)


def test_doubled_line_is_found(lines):
    lines.insert(5, lines[4])
    assert (FaultKind.EVENT_OUT_OF_ORDER, 2) in found(lines)


def test_changed_blob_is_found(lines):
    lines[1] = json.dumps(json.loads(lines[1]) | {"content": "AAAA"}).encode() + b"\n"
    assert found(lines) == [(FaultKind.BLOB_CHANGED, None)]


def test_lines_may_be_written_by_other_programs(lines):
    rewritten = [json.dumps(json.loads(line), sort_keys=True).encode() + b"\n" for line in lines]
    assert review(rewritten).wrong == 0


MALFORMED = {
    "empty": (b"", 1),
    "text": (b"hello\n", 1),
    "binary": (bytes(range(256)), 1),
    "another kind of JSON": (b'{"log":{}}\n', 1),
    "deep nesting": (b"[" * 100_000, 1),
    "another version": (
        b'{"line":"trail","version":2,"exported_at":"2026-01-01T00:00:00Z","events":0,"hash":"'
        + b"0" * 64
        + b'"}\n',
        1,
    ),
    "hash too short": (
        b'{"line":"trail","version":1,"exported_at":"2026-01-01T00:00:00Z","events":0,"hash":""}\n',
        1,
    ),
}


@pytest.mark.parametrize(("content", "line"), MALFORMED.values(), ids=MALFORMED.keys())
def test_what_is_no_export_is_refused_with_the_line(content, line):
    with pytest.raises(ConfigurationError, match=f"Line {line} ") as refused:
        review([content])
    assert refused.value.code == "export_malformed"


@pytest.mark.parametrize("number", [1, 3, 5])
def test_line_cut_short_is_refused(lines, number):
    lines[number] = lines[number][:-20]
    with pytest.raises(ConfigurationError, match=f"Line {number + 1} "):
        review(lines[: number + 1])


def test_blob_after_the_events_is_refused(lines):
    with pytest.raises(ConfigurationError, match=f"Line {len(lines) + 1} "):
        review([*lines, lines[1]])


def test_file_that_is_not_there_is_named(tmp_path):
    with (
        pytest.raises(ConfigurationError, match=r"none\.jsonl"),
        open_export(tmp_path / "none.jsonl"),
    ):
        pass
