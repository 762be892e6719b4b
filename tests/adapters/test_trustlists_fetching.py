"""Lists are fetched once, bounded in size and time, and never from where a redirect leads."""

import asyncio
import gzip
import threading
from collections.abc import Callable, Iterator
from contextlib import suppress
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest

from enrol.adapters.trustlists.document import LARGEST, Pointer
from enrol.adapters.trustlists.errors import ListRefusedError
from enrol.adapters.trustlists.fetching import HttpsListSource, ListFetchPolicy

Answer = Callable[[BaseHTTPRequestHandler], None]


def answer(status: int = 200, body: bytes = b"", **fields: str) -> Answer:
    def write(handler: BaseHTTPRequestHandler) -> None:
        handler.send_response(status)
        handler.send_header("Content-Length", str(len(body)))
        for name, value in fields.items():
            handler.send_header(name.replace("_", "-"), value)
        handler.end_headers()
        handler.wfile.write(body)

    return write


def endless(handler: BaseHTTPRequestHandler) -> None:
    handler.send_response(200)
    handler.end_headers()
    for _ in range(2 * LARGEST // 65_536):
        handler.wfile.write(bytes(65_536))


def slow(handler: BaseHTTPRequestHandler) -> None:
    handler.send_response(200)
    handler.end_headers()
    while not handler.server.stopped.wait(0.05):
        handler.wfile.write(b"<")
        handler.wfile.flush()


BOMB = gzip.compress(bytes(4 * LARGEST))
ANSWERS: dict[str, Answer] = {
    "/good": answer(body=b"<list/>"),
    "/packed": answer(body=gzip.compress(b"<list/>"), Content_Encoding="gzip"),
    "/bomb": answer(body=BOMB, Content_Encoding="gzip"),
    "/brotli": answer(body=b"?", Content_Encoding="br"),
    "/broken-gzip": answer(body=b"not gzip", Content_Encoding="gzip"),
    "/moved": answer(302, Location="/good"),
    "/missing": answer(404),
    "/empty": answer(204),
    "/endless": endless,
    "/slow": slow,
}


class Handler(BaseHTTPRequestHandler):
    def do_GET(self) -> None:
        with suppress(ConnectionError):
            ANSWERS[self.path](self)

    def log_message(self, *_: object) -> None:
        pass


@pytest.fixture(scope="module")
def host() -> Iterator[str]:
    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.stopped = threading.Event()
    thread = threading.Thread(target=server.serve_forever, args=(0.01,))
    thread.start()
    yield f"http://127.0.0.1:{server.server_address[1]}"
    server.stopped.set()
    server.shutdown()
    server.server_close()
    thread.join()


def fetch(location: str, *, plain_http: bool = True, timeout: float = 5.0) -> bytes:
    policy = ListFetchPolicy(lotl=location, plain_http=plain_http, timeout=timeout)
    (data,) = asyncio.run(HttpsListSource(policy).lotls())
    return data


def refusal(location: str, **values) -> str:
    with pytest.raises(ListRefusedError) as refused:
        fetch(location, **values)
    return refused.value.code


@pytest.mark.parametrize("path", ["/good", "/packed"])
def test_a_list_is_fetched_plain_or_packed(host, path):
    assert fetch(host + path) == b"<list/>"


@pytest.mark.parametrize(
    ("path", "code"),
    [
        ("/endless", "list_too_large"),
        ("/bomb", "list_too_large"),
        ("/brotli", "list_unreachable"),
        ("/broken-gzip", "list_unreachable"),
        ("/moved", "list_unreachable"),
        ("/missing", "list_unreachable"),
        ("/empty", "list_unreachable"),
    ],
)
def test_what_is_no_plain_answer_in_bounds_is_refused(host, path, code):
    assert refusal(host + path) == code


def test_a_host_that_trickles_is_left_after_the_deadline(host):
    assert refusal(f"{host}/slow", timeout=0.2) == "list_unreachable"


def test_a_host_that_is_not_there_is_unreachable():
    assert refusal("http://127.0.0.1:1/list.xml") == "list_unreachable"


@pytest.mark.parametrize(
    "location", ["ftp://lists.example/a", "file:///etc/passwd", "http://127.0.0.1/a", "nonsense"]
)
def test_only_https_leads_anywhere(location):
    assert refusal(location, plain_http=False) == "list_unreachable"


def test_the_name_in_the_certificate_of_the_host_is_checked(host):
    assert (
        refusal(host.replace("http:", "https:") + "/good", plain_http=False) == "list_unreachable"
    )


def test_a_national_list_is_fetched_from_where_its_pointer_says(host):
    source = HttpsListSource(ListFetchPolicy(lotl=f"{host}/missing", plain_http=True))
    pointer = Pointer("FR", f"{host}/good", (), is_lotl=False)
    assert asyncio.run(source.lists(pointer)) == (b"<list/>",)


def test_a_pivot_on_another_host_is_not_fetched(host):
    source = HttpsListSource(ListFetchPolicy(lotl="http://lists.example/a", plain_http=True))
    with pytest.raises(ListRefusedError, match="another host"):
        asyncio.run(source.pivots(f"{host}/good"))
