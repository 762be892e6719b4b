"""Traces of a running bank, as a collector gets them."""

import threading
from collections.abc import Callable, Iterator
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path
from typing import Any

import pytest

from live.desk import Desk
from live.party import Party

service = pytest.importorskip("opentelemetry.proto.collector.trace.v1.trace_service_pb2")

TRACE, SPAN = "0af7651916cd43dd8448eb211c80319c", "b7ad6b7169203331"
ROUTE = "POST /stet/setting/v1/register"


class Collector:
    """Takes spans by OTLP over HTTP."""

    def __init__(self) -> None:
        spans = self.spans = []

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                body = self.rfile.read(int(self.headers["Content-Length"]))
                request = service.ExportTraceServiceRequest.FromString(body)
                for resource in request.resource_spans:
                    for scope in resource.scope_spans:
                        spans.extend(scope.spans)
                self.send_response(200)
                self.end_headers()

            def log_message(self, *_: object) -> None:
                pass

        self._server = HTTPServer(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self._server.server_port}/v1/traces"
        self._thread = threading.Thread(target=self._server.serve_forever)
        self._thread.start()

    def close(self) -> None:
        """Take no more."""
        self._server.shutdown()
        self._server.server_close()
        self._thread.join()

    def roots(self) -> list[Any]:
        """Return the spans of requests for a registration."""
        return [span for span in self.spans if span.name == ROUTE]

    def children(self, root: Any) -> list[Any]:
        """Return the spans directly below one, in their order."""
        below = [span for span in self.spans if span.parent_span_id == root.span_id]
        return sorted(below, key=lambda span: span.start_time_unix_nano)


@pytest.fixture
def collector() -> Iterator[Collector]:
    """A collector."""
    made = Collector()
    yield made
    made.close()


def facts(span: Any) -> dict[str, Any]:
    """Return the attributes of a span."""
    return {
        pair.key: getattr(pair.value, pair.value.WhichOneof("value")) for pair in span.attributes
    }


def run(desk: Desk, folder: Path, collector: Collector, share: str, act: Callable[..., Any]) -> Any:
    """Let a bank that is traced do something, and end it, so that all its spans are out."""
    settings = {"operations__traces_url": collector.url, "operations__traces_share": share}
    with desk.beside(folder, **settings) as bank:
        result = act(bank)
        assert bank.stop() == 0
    return result


def test_a_registration_is_a_span_with_its_steps(
    desk: Desk, tmp_path: Path, collector: Collector, party_of: Callable[..., Party]
) -> None:
    def act(bank: Desk) -> tuple[str, str]:
        party = party_of(bank)
        draft = party.post().set("traceparent", f"00-{TRACE}-{SPAN}-00")
        taken = party.send(draft)
        refused = party.send(party.post().set("Authorization", "Bearer " + "A" * 43))
        party.close()
        assert (taken.status, refused.status) == (201, 401)
        return taken.fields["x-request-id"], refused.code

    request_id, code = run(desk, tmp_path / "bank", collector, "1", act)
    first, second = sorted(collector.roots(), key=lambda span: span.start_time_unix_nano)
    assert facts(first) == {
        "http.route": "/stet/setting/v1/register",
        "http.request.method": "POST",
        "http.response.status_code": 201,
        "enrol.request_id": request_id,
    }
    assert [span.name for span in collector.children(first)] == ["authenticate", "decide", "commit"]
    assert [facts(span) for span in collector.children(second)] == [{"enrol.code": code}]

    assert first.parent_span_id == b""
    assert first.trace_id.hex() != TRACE
    (link,) = first.links
    assert (link.trace_id.hex(), link.span_id.hex()) == (TRACE, SPAN)


def test_no_caller_decides_that_it_is_traced(
    desk: Desk, tmp_path: Path, collector: Collector, party_of: Callable[..., Party]
) -> None:
    def act(bank: Desk) -> None:
        party = party_of(bank)
        assert party.send(party.post().set("traceparent", f"00-{TRACE}-{SPAN}-01")).status == 201
        party.close()

    run(desk, tmp_path / "bank", collector, "0", act)
    assert collector.spans == []


def test_what_a_stranger_writes_is_in_no_span(
    desk: Desk, tmp_path: Path, collector: Collector, party_of: Callable[..., Party]
) -> None:
    mark = "strangers-mark"

    def act(bank: Desk) -> None:
        party = party_of(bank)
        draft = party.draft("GET", mark).set("User-Agent", mark).set("traceparent", mark)
        assert party.send(party.signed(draft)).status == 401
        draft = party.post().set("tracestate", f"{mark}=1").set("X-Request-ID", None)
        assert party.send(draft).status == 400
        party.close()

    run(desk, tmp_path / "bank", collector, "1", act)
    assert collector.spans
    assert not [span for span in collector.spans if mark in str(span)]


def test_without_a_collector_nothing_of_traces_is_imported(desk: Desk) -> None:
    maps = Path(f"/proc/{desk.process.pid}/maps").read_text()
    assert "google/_upb" not in maps
    assert "opentelemetry" not in maps
