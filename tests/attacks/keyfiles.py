"""What the host of a keyId serves instead of a certificate in PEM (AC-128 to AC-131)."""

import gzip
from collections.abc import Iterator

from cryptography.hazmat.primitives.serialization import Encoding, pkcs7

from attacks.bank import Bank
from attacks.sink import Answer, answer


def redirect(text: str, path: str, *, port: int) -> Answer:
    """AC-128: the certificate is said to be elsewhere; `port` is where a visit would be noticed."""
    status, place = text[:3], text[4:]
    location = {
        "http://127.0.0.1": f"http://127.0.0.1:{port}{path}",
        "loop": path,
        "same host http": f"http://ac-128.test{path}",
    }.get(place, place)
    return answer(b"", f"Location: {location}", status=f"{status} Found")


def huge(text: str, pem: bytes) -> Answer:
    """AC-130: more comes than was said, or than there was."""
    match text:
        case "1GB":
            return _gigabyte
        case "gzip_bomb":
            return answer(gzip.compress(bytes(50_000_000)), "Content-Encoding: gzip")
        case "br_bomb":
            return answer(bytes(range(256)) * 200, "Content-Encoding: br")
        case "100_layers":
            return answer(pem, "Content-Encoding: " + ", ".join(["gzip"] * 100))
        case "cl_lie":
            head = b"HTTP/1.1 200 OK\r\nContent-Length: 1000000000\r\n\r\n"
            return lambda: [head + pem]
    raise AssertionError(text)


def _gigabyte() -> Iterator[bytes]:
    yield b"HTTP/1.1 200 OK\r\nConnection: close\r\n\r\n"
    for _ in range(16_384):
        yield b"A" * 65_536


def other_content(text: str, bank: Bank) -> Answer:
    """AC-131: the file is something else, or somebody else's."""
    own, rival = bank.a.qsealc, bank.b.qsealc
    body = {
        "html": b"<!doctype html><title>404</title>",
        "private_key": own.key_file.read_bytes(),
        "A+B": own.certificate_file.read_bytes() + rival.certificate_file.read_bytes(),
        "pkcs7": pkcs7.serialize_certificates([own.certificate], Encoding.PEM),
        "empty": b"",
        "random": bytes(range(256)) * 4,
        "B.qseal": rival.certificate_file.read_bytes(),
        "A.qwac": (bank.a.qwac or own).certificate_file.read_bytes(),
    }[text]
    return answer(body)
