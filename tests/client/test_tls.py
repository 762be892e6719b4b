import asyncio
import contextlib
import socket
import ssl
import struct
import threading
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from datetime import timedelta
from pathlib import Path

import httpx
import pytest

from enrol.client import AsyncTppClient, BankUnreachableError, Profile, TppClient
from enrol.client.errors import BankError
from enrol.client.tls import Failure, failure_code, tls_context
from enrol.errors import ConfigurationError, EnrolError
from enrol.explanations.client import CLIENT
from enrol.sandbox.files import PairPaths
from fake_bank import NOW


def ssl_error(reason: str) -> ssl.SSLError:
    error = ssl.SSLError(1, f"[SSL: {reason}]")
    error.reason = reason
    return error


def verification_error(verify_code: int) -> ssl.SSLCertVerificationError:
    error = ssl.SSLCertVerificationError(1, "certificate verify failed")
    error.verify_code = verify_code
    return error


def caused(error: Failure, cause: BaseException) -> Failure:
    """Return an error of httpx as httpcore and anyio raise it: the cause some steps behind."""
    middle = RuntimeError("between")
    middle.__context__ = cause
    error.__cause__ = middle
    return error


@pytest.mark.parametrize(
    ("error", "cause", "code"),
    [
        (httpx.ReadError("x"), None, "bank_connection_lost"),
        (httpx.ReadTimeout("x"), None, "bank_timeout"),
        (httpx.ProxyError("x"), None, "proxy_failed"),
        (httpx.DecodingError("x"), None, "bank_answer_unreadable"),
        (httpx.ConnectError("x"), socket.gaierror(-2, "x"), "bank_name_unknown"),
        (httpx.ConnectError("x"), ConnectionRefusedError(), "bank_connection_refused"),
        (
            httpx.ConnectError("x"),
            ExceptionGroup("x", [OSError(), ConnectionRefusedError()]),
            "bank_connection_refused",
        ),
        (httpx.ConnectError("x"), verification_error(10), "bank_certificate_expired"),
        (httpx.ConnectError("x"), verification_error(9), "bank_certificate_expired"),
        (httpx.ConnectError("x"), verification_error(62), "bank_certificate_other_name"),
        (httpx.ConnectError("x"), verification_error(64), "bank_certificate_other_name"),
        (httpx.ConnectError("x"), verification_error(20), "bank_certificate_untrusted"),
        (httpx.ReadError("x"), ssl.SSLEOFError(8, "EOF"), "bank_connection_lost"),
        (httpx.ReadError("x"), ssl.SSLWantReadError(2, "read"), "bank_connection_lost"),
        (
            httpx.ReadError("x"),
            ssl_error("TLSV13_ALERT_CERTIFICATE_REQUIRED"),
            "tls_client_certificate_missing",
        ),
        (
            httpx.ReadError("x"),
            ssl_error("TLSV1_ALERT_UNKNOWN_CA"),
            "tls_client_certificate_untrusted",
        ),
        (
            httpx.ReadError("x"),
            ssl_error("ssl/tls alert certificate expired"),
            "tls_client_certificate_expired",
        ),
        (
            httpx.ReadError("x"),
            ssl_error("SSLV3_ALERT_CERTIFICATE_REVOKED"),
            "tls_client_certificate_revoked",
        ),
        (
            httpx.ReadError("x"),
            ssl_error("SSLV3_ALERT_BAD_CERTIFICATE"),
            "tls_client_certificate_refused",
        ),
        (
            httpx.ConnectError("x"),
            ssl_error("TLSV1_ALERT_PROTOCOL_VERSION"),
            "tls_no_common_parameters",
        ),
        (httpx.ConnectError("x"), ssl_error("WRONG_VERSION_NUMBER"), "tls_failed"),
        (ssl_error("TLSV1_ALERT_UNKNOWN_CA"), None, "tls_client_certificate_untrusted"),
    ],
)
def test_a_failed_call_has_a_code_that_says_what_failed(
    error: Failure, cause: BaseException | None, code: str
) -> None:
    assert failure_code(error if cause is None else caused(error, cause)) == code
    assert code in CLIENT


@pytest.mark.parametrize("code", sorted(CLIENT))
def test_every_failure_is_explained_in_one_short_sentence(code: str) -> None:
    explanation = BankError(code, request_id="r").explanation
    assert len(explanation.meaning) <= 100
    assert explanation.meaning.endswith(".")
    assert explanation.remedy
    assert explanation.clause


def test_files_that_tls_cannot_use_are_told_as_such(
    profile: Profile, tmp_path: Path, issue_into: Callable[..., PairPaths]
) -> None:
    weak = issue_into(tmp_path, "weak", faults=["weak-key"])
    credentials = replace(profile.credentials, qwac=weak.certificate, qwac_key=weak.key)
    with pytest.raises(ConfigurationError) as caught:
        tls_context(profile.bank, credentials)
    assert caught.value.code == "tls_files"


@dataclass
class TlsEnd:
    """The TLS end of a bank that gives each connection one answer, or resets it for none."""

    url: str
    answer: bytes = b"HTTP/1.1 503 Busy\r\nContent-Length: 0\r\nConnection: close\r\n\r\n"
    connections: int = 0


@pytest.fixture
def tls_end(sandbox: Path) -> Iterator[TlsEnd]:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(sandbox / "server.pem", sandbox / "server.key")
    context.load_verify_locations(sandbox / "ca.pem")
    context.verify_mode = ssl.CERT_REQUIRED
    listener = socket.create_server(("127.0.0.1", 0))
    end = TlsEnd(f"https://127.0.0.1:{listener.getsockname()[1]}")
    thread = threading.Thread(target=_serve, args=(listener, context, end))
    thread.start()
    yield end
    listener.shutdown(socket.SHUT_RDWR)
    listener.close()
    thread.join(10)


def _serve(listener: socket.socket, context: ssl.SSLContext, end: TlsEnd) -> None:
    while True:
        try:
            connection, _ = listener.accept()
        except OSError:
            return
        end.connections += 1
        tls = context.wrap_socket(connection, server_side=True, do_handshake_on_connect=False)
        try:
            tls.do_handshake()
            tls.recv(65536)
            if end.answer:
                tls.sendall(end.answer)
                _close_gently(tls)
            else:
                tls.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
                tls.close()
        except OSError:
            _close_gently(socket.socket(fileno=tls.detach()), socket.SHUT_WR)


def _close_gently(connection: socket.socket, *ends: int) -> None:
    """Close when the other end has: a reset could overtake what was sent before it."""
    with connection, contextlib.suppress(OSError):
        for end in ends:
            connection.shutdown(end)
        while connection.recv(65536):
            pass


def failure(profile: Profile, url: str, *, is_async: bool) -> str:
    """Return the code of the error that asking for a token ends in."""
    bank = replace(profile.bank, url=url)

    async def ask_async() -> None:
        async with AsyncTppClient(bank, profile.credentials, sleep=no_sleep) as client:
            await client.token()

    def ask() -> None:
        with TppClient(bank, profile.credentials, sleep=lambda _: None) as client:
            client.token()

    with pytest.raises(EnrolError) as caught:
        asyncio.run(ask_async()) if is_async else ask()
    return caught.value.code


async def no_sleep(_seconds: float) -> None:
    """Sleep not at all."""


both_clients = pytest.mark.parametrize("is_async", [False, True], ids=["sync", "async"])


@both_clients
def test_the_qwac_opens_the_connection(profile: Profile, tls_end: TlsEnd, is_async: bool) -> None:
    assert failure(profile, tls_end.url, is_async=is_async) == "http_503"


@both_clients
@pytest.mark.parametrize(
    ("what", "code"),
    [
        pytest.param(
            {"not_after": NOW - timedelta(days=1)}, "tls_client_certificate_expired", id="expired"
        ),
        pytest.param(
            {"faults": ["self-signed"]}, "tls_client_certificate_untrusted", id="stranger"
        ),
    ],
)
def test_a_qwac_the_bank_refuses_is_told_in_plain_words(
    profile: Profile,
    tls_end: TlsEnd,
    tmp_path: Path,
    issue_into: Callable[..., PairPaths],
    what: dict[str, object],
    code: str,
    is_async: bool,
) -> None:
    pair = issue_into(tmp_path, "qwac", **what)
    credentials = replace(profile.credentials, qwac=pair.certificate, qwac_key=pair.key)
    broken = replace(profile, credentials=credentials)
    assert failure(broken, tls_end.url, is_async=is_async) == code


@both_clients
def test_a_connection_that_is_reset_is_tried_again(
    profile: Profile, tls_end: TlsEnd, is_async: bool
) -> None:
    tls_end.answer = b""
    assert failure(profile, tls_end.url, is_async=is_async) == "bank_connection_lost"
    assert tls_end.connections == 3


@both_clients
def test_a_bank_of_another_ca_is_not_believed(
    profile: Profile, tls_end: TlsEnd, made_sandbox: Path, is_async: bool
) -> None:
    other = replace(profile, bank=replace(profile.bank, ca=made_sandbox / "ca.pem"))
    assert failure(other, tls_end.url, is_async=is_async) == "bank_certificate_untrusted"


@both_clients
def test_a_bank_that_does_not_listen_is_told_as_such(profile: Profile, is_async: bool) -> None:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port = listener.getsockname()[1]
    code = failure(profile, f"https://127.0.0.1:{port}", is_async=is_async)
    assert code == "bank_connection_refused"


def test_a_bank_error_reads_as_a_sentence_and_a_remedy() -> None:
    text = str(BankUnreachableError("bank_timeout", request_id="r"))
    assert text.startswith("The bank did not answer in time. ")
