"""The table of docs/reference/signatures.md: who verifies whose signatures, found out by trying."""

import sys
from collections.abc import Callable
from pathlib import Path

from enrol.httpsig import Mode, Primitive
from interop import programs
from interop.exchange import Form, OpenSsl, Program, both_ways, new_keys

PAGE = programs.HERE.parents[1] / "docs" / "reference" / "signatures.md"

RSA = Form(Mode.CAVAGE, "rsa-sha256", Primitive.RSA_PKCS1V15_SHA256)
RSA_512 = Form(Mode.CAVAGE, "rsa-sha512", Primitive.RSA_PKCS1V15_SHA512)
ECDSA = Form(Mode.CAVAGE, "ecdsa-sha256", Primitive.ECDSA_P256_SHA256_DER)
PSS = Form(Mode.CAVAGE, "hs2019", Primitive.RSA_PSS_SHA512)
P256 = Form(Mode.CAVAGE, "hs2019", Primitive.ECDSA_P256_SHA256_DER)
P384 = Form(Mode.CAVAGE, "hs2019", Primitive.ECDSA_P384_SHA384_DER)
ED25519 = Form(Mode.CAVAGE, "hs2019", Primitive.ED25519)
ED25519_SHA512 = Form(Mode.CAVAGE, "ed25519-sha512", Primitive.ED25519)
MODERN = (
    Form(Mode.RFC9421, "rsa-v1_5-sha256", Primitive.RSA_PKCS1V15_SHA256),
    Form(Mode.RFC9421, "rsa-pss-sha512", Primitive.RSA_PSS_SHA512),
    Form(Mode.RFC9421, "ecdsa-p256-sha256", Primitive.ECDSA_P256_SHA256_RAW),
    Form(Mode.RFC9421, "ecdsa-p384-sha384", Primitive.ECDSA_P384_SHA384_RAW),
    Form(Mode.RFC9421, "ed25519", Primitive.ED25519),
)
WITHOUT_RAW = tuple(form for form in MODERN if not form.label.startswith("ecdsa"))
"""openssl writes r and s in DER, and has no command for them side by side."""

Peer = tuple[str, Callable[[Path], Program | OpenSsl], tuple[Form, ...]]

PEERS: tuple[Peer, ...] = (
    (
        "npm http-signature",
        lambda _folder: Program("node", "exchange_http_signature.mjs"),
        (RSA, RSA_512, ECDSA, ED25519, ED25519_SHA512),
    ),
    (
        "PyPI httpsig",
        lambda _folder: Program(programs.PEERS_PYTHON, "exchange_httpsig.py"),
        (RSA, RSA_512, ECDSA),
    ),
    (
        "PyPI http-message-signatures",
        lambda _folder: Program(sys.executable, "exchange_http_message_signatures.py"),
        MODERN,
    ),
    (
        "openssl by hand, version",
        OpenSsl,
        (RSA, RSA_512, ECDSA, PSS, P256, P384, ED25519, *WITHOUT_RAW),
    ),
)

_PAGE = """\
# Signatures beside other implementations

<!-- Made by `python scripts/signatures.py`; change the code, not this file. -->

One `POST` with a query and a body, signed on one side and verified on the other.
A yes says too that the same signature is refused for another target.
What Enrol refuses is named by its rule; [the conformance page](conformance-signatures.md) says why.
What others cannot do is in their own words.

| implementation | text | `algorithm`, `alg` | primitive | it verifies ours | Enrol verifies its |
|---|---|---|---|---|---|
{rows}

openssl by hand is `openssl dgst` and `openssl pkeyutl` over a text that a shell script builds.
ECDSA of RFC 9421 is r and s side by side, which openssl has no command for.
The same signers, and more clients, meet a running server in `tests/interop`.
"""

_TEXTS = {Mode.CAVAGE: "draft-cavage", Mode.RFC9421: "RFC 9421"}


def rows(folder: Path) -> list[str]:
    """Return the lines of the table, every cell tried just now."""
    keys = new_keys()
    lines = []
    for name, start, forms in PEERS:
        program = start(folder)
        results = both_ways(program, forms, keys)
        lines += [
            f"| {name} {program.version} | {_TEXTS[form.mode]} | `{form.label}` | {form.primitive} "
            f"| {verified} | {accepted} |"
            for form, (verified, accepted) in zip(forms, results, strict=True)
        ]
    return lines


def page(folder: Path) -> str:
    """Return the whole page."""
    return _PAGE.format(rows="\n".join(rows(folder)))
