"""Feed arbitrary octets to every reader of signatures; only refusals may come out.

Run: python tests/fuzz/fuzz_httpsig.py -max_total_time=60 [folder of inputs]
"""

import sys
from contextlib import suppress
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from tempfile import mkdtemp

from cryptography.hazmat.primitives.asymmetric import ed25519

try:
    import atheris
except ImportError:
    sys.exit("needs atheris: pip install atheris")

with atheris.instrument_imports(include=["enrol"]):
    from enrol import httpsig
    from enrol.errors import MalformedRequestError, SignatureError

NOW = 1_700_000_000
AT = datetime.fromtimestamp(NOW, UTC)
PRIVATE_KEY = httpsig.signing_key(ed25519.Ed25519PrivateKey.from_private_bytes(bytes(32)))
KEY = PRIVATE_KEY.verification_key()
POLICIES = (
    httpsig.STET,
    httpsig.STRICT,
    replace(httpsig.STET, modes=(httpsig.Mode.RFC9421,)),
)
BODY = b'{"a":1}'


def message_from(octets: bytes) -> httpsig.HttpMessage:
    """Read a message: target, then lines of ``name:value``, an empty line, the body."""
    head, _, body = octets.partition(b"\n\n")
    target, *lines = head.split(b"\n")
    fields = []
    for line in lines:
        name, _, value = line.partition(b":")
        fields.append((name, value))
    return httpsig.HttpMessage("POST", target, tuple(fields), body)


def octets_of(message: httpsig.HttpMessage) -> bytes:
    """Write a message so that `message_from` reads it back."""
    lines = [name + b":" + value for name, value in message.fields]
    return b"\n".join([message.target, *lines]) + b"\n\n" + message.body


def seeds() -> list[bytes]:
    """Return signed messages of either mode, for the fuzzer to start from."""
    fields = [
        ("Host", "a.example"),
        ("Date", "Tue, 14 Nov 2023 22:13:20 GMT"),
        ("X-Request-ID", "1"),
        httpsig.digest_field(BODY),
        httpsig.content_digest_field(BODY),
    ]
    raw = [(name.encode(), value.encode()) for name, value in fields]
    message = httpsig.HttpMessage.of("POST", b"/a?b=c", raw, BODY)
    covered = ("(request-target)", "(created)", "host", "date", "digest", "x-request-id")
    options = {"key": PRIVATE_KEY, "keyid": "k"}
    added = (
        httpsig.sign(
            message, covered=covered, created=NOW, expires=NOW + 9, algorithm_label=None, **options
        ),
        httpsig.sign_rfc9421(
            message,
            created=NOW,
            expires=NOW + 9,
            covered=(
                *httpsig.COMPONENTS,
                "@target-uri",
                httpsig.Component("@query-param", (("name", "b"),)),
                httpsig.Component("content-digest", (("key", "sha-256"),)),
                httpsig.Component("date", (("bs", True),)),
            ),
            **options,
        ),
    )
    return [
        octets_of(
            replace(
                message,
                fields=message.fields + tuple((n.lower().encode(), v.encode()) for n, v in more),
            )
        )
        for more in added
    ]


def test_one_input(octets: bytes) -> None:
    """Let every reader have the octets; whatever is not a refusal is a defect."""
    message = message_from(octets)
    for policy in POLICIES:
        with suppress(MalformedRequestError, SignatureError):
            httpsig.verify_message(message, lambda _: KEY, at=AT, policy=policy)
    with suppress(MalformedRequestError):
        httpsig.verify_digest(message, required=True)
    with suppress(SignatureError):
        httpsig.parse_keyid(octets.decode("latin-1"))


def start() -> None:
    """Write the seeds into a folder of their own and fuzz from there."""
    folder = Path(mkdtemp(prefix="fuzz-httpsig-"))
    for number, seed in enumerate(seeds()):
        (folder / str(number)).write_bytes(seed)
    atheris.Setup([*sys.argv, str(folder)], test_one_input)
    atheris.Fuzz()


if __name__ == "__main__":
    start()
