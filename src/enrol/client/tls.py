"""The TLS side of a call: the context that presents the QWAC, and failures in plain words."""

import socket
import ssl
from collections.abc import Iterator
from typing import Final, TypeAlias

import httpx

from enrol.client.bank import Bank
from enrol.client.profile import Credentials
from enrol.errors import ConfigurationError

_EXPIRED: Final = frozenset({9, 10})  # X509_V_ERR_CERT_NOT_YET_VALID, _HAS_EXPIRED
_OTHER_NAME: Final = frozenset({62, 64})  # X509_V_ERR_HOSTNAME_MISMATCH, _IP_ADDRESS_MISMATCH
_ALERTS: Final = {
    "CERTIFICATE_REQUIRED": "tls_client_certificate_missing",
    "UNKNOWN_CA": "tls_client_certificate_untrusted",
    "CERTIFICATE_EXPIRED": "tls_client_certificate_expired",
    "CERTIFICATE_REVOKED": "tls_client_certificate_revoked",
    "BAD_CERTIFICATE": "tls_client_certificate_refused",
    "CERTIFICATE_UNKNOWN": "tls_client_certificate_refused",
    "UNSUPPORTED_CERTIFICATE": "tls_client_certificate_refused",
    "ACCESS_DENIED": "tls_client_certificate_refused",
    "DECRYPT_ERROR": "tls_client_certificate_refused",
    "HANDSHAKE_FAILURE": "tls_no_common_parameters",
    "PROTOCOL_VERSION": "tls_no_common_parameters",
    "INSUFFICIENT_SECURITY": "tls_no_common_parameters",
}
_KINDS: Final[tuple[tuple[type[BaseException], str], ...]] = (
    (ssl.SSLEOFError, "bank_connection_lost"),
    (ssl.SSLZeroReturnError, "bank_connection_lost"),
    (socket.gaierror, "bank_name_unknown"),
    (ConnectionRefusedError, "bank_connection_refused"),
    (httpx.TimeoutException, "bank_timeout"),
    (httpx.ProxyError, "proxy_failed"),
    (httpx.DecodingError, "bank_answer_unreadable"),
)


Failure: TypeAlias = httpx.RequestError | ssl.SSLError
"""What a call can end in instead of an answer; httpx lets some errors of TLS through."""

FAILURES: Final = (httpx.RequestError, ssl.SSLError)


def tls_context(bank: Bank, credentials: Credentials) -> ssl.SSLContext:
    """Return a context that presents the QWAC and believes the bank's CA, or the system's.

    Raises `ConfigurationError` ``tls_files``.
    """
    try:
        context = ssl.create_default_context(cafile=bank.ca)
        context.minimum_version = ssl.TLSVersion.TLSv1_2
        context.load_cert_chain(credentials.qwac, credentials.qwac_key, password=lambda: "")
    except (OSError, ValueError) as exc:  # ssl.SSLError is an OSError
        raise ConfigurationError(
            "tls_files",
            "TLS cannot use the files of [tpp] qwac, qwac_key or [bank] ca: check that qwac is a "
            "PEM certificate with its own key of at least 2048 bits RSA or 256 bits EC, and that "
            "neither is signed with SHA-1.",
        ) from exc
    return context


def failure_code(error: Failure) -> str:
    """Return the code in `enrol.explanations.client` for a call that got no answer."""
    for cause in _causes(error):
        code = _code_of(cause)
        if code is not None:
            return code
    return "bank_connection_lost"


def _code_of(cause: BaseException) -> str | None:
    for kind, code in _KINDS:
        if isinstance(cause, kind):
            return code
    match cause:
        case ssl.SSLWantReadError() | ssl.SSLWantWriteError() | ssl.SSLSyscallError():
            return None  # a step of sending and receiving, which broke for another reason
        case ssl.SSLCertVerificationError():
            return _verification_code(cause.verify_code)
        case ssl.SSLError():
            return _alert_code(cause.reason or "")
        case _:
            return None


def _verification_code(verify_code: int) -> str:
    if verify_code in _EXPIRED:
        return "bank_certificate_expired"
    if verify_code in _OTHER_NAME:
        return "bank_certificate_other_name"
    return "bank_certificate_untrusted"


def _alert_code(reason: str) -> str:
    """Return the code for OpenSSL's name of an alert, such as ``TLSV1_ALERT_UNKNOWN_CA``."""
    _, _, alert = reason.upper().replace(" ", "_").partition("ALERT_")
    return _ALERTS.get(alert, "tls_failed")


def _causes(error: BaseException) -> Iterator[BaseException]:
    """Yield an exception and all that led to it, nearest first."""
    seen: set[int] = set()
    waiting: list[BaseException | None] = [error]
    while waiting:
        cause = waiting.pop(0)
        if cause is None or id(cause) in seen:
            continue
        seen.add(id(cause))
        yield cause
        waiting += [cause.__cause__, cause.__context__]
        if isinstance(cause, BaseExceptionGroup):  # one member for each address that was tried
            waiting += cause.exceptions
