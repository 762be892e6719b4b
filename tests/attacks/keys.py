"""Operations on the signature and on the key it is to be verified with."""

import base64
import hashlib
from typing import Any

from attacks import keyfiles, symbols
from attacks.attempt import Attempt
from attacks.signatures import sign
from live.party import Pair

Operation = dict[str, Any]


def sign_otherwise(attempt: Attempt, operation: Operation) -> None:
    if "keyid" in operation:
        _name_key(attempt, operation["keyid"])
    elif attempt.attack.name in symbols.SIGNATURES:
        attempt.seals = list(symbols.SIGNATURES[attempt.attack.name](attempt))
    else:
        name = attempt.fill(operation["key"])
        attempt.use_qsealc(symbols.SEALS[name](attempt.bank.mint))


def _name_key(attempt: Attempt, keyid: str) -> None:
    """Name the key by a URL; without jwks in the body the certificate has to be fetched.

    Where somebody else's certificate is served, the signature is made with its key.
    """
    others = {"B.qseal": attempt.bank.b.qsealc, "A.qwac": attempt.sender.qwac}
    pair = others.get(attempt.attack.text) or attempt.sender.qsealc
    der = attempt.sender.qsealc.der
    if attempt.attack.name == "AC-138":
        keyid = keyid.replace("<hash>", hashlib.sha256(der).hexdigest())
    else:
        attempt.document.pop("jwks", None)
    if attempt.attack.name == "AC-133":
        keyid = f"https://cdn.tpp.test/c_{hashlib.sha256(attempt.bank.b.qsealc.der).hexdigest()}"
        _serve(attempt, keyid, keyfiles.answer(attempt.sender.qsealc.certificate_file.read_bytes()))
    attempt.seals = [lambda draft: sign(draft, attempt.sender, keyid=keyid, signer=pair.sign)]


def sink(attempt: Attempt, operation: Operation) -> None:
    """The keyId leads to a host that does not serve what it should, or Redis to none."""
    name, text = attempt.attack.name, attempt.attack.text
    if operation["host"] == "redis":
        attempt.seals = [lambda draft: sign(draft, attempt.sender)] * 12
        return
    host = {"AC-131": "cdn.tpp.test"}.get(name, f"{name.lower()}.test")
    place = "/" + hashlib.sha256(text.encode()).hexdigest()[:16]
    pem = attempt.sender.qsealc.certificate_file.read_bytes()
    make = {
        "AC-128": lambda: keyfiles.redirect(text, place, port=attempt.bank.sink.port),
        "AC-130": lambda: keyfiles.huge(text, pem),
        "AC-131": lambda: keyfiles.other_content(text, attempt.bank),
    }[name]
    _serve(attempt, f"https://{host}{place}", make())
    _name_key(attempt, f"https://{host}{place}")
    attempt.secrets += _secret_lines(attempt.sender.qsealc)


def _secret_lines(pair: Pair) -> list[str]:
    """Return the lines of a private key that do not stand in its certificate as well."""
    public = base64.b64encode(pair.der).decode()
    lines = pair.key_file.read_text().splitlines()[1:-1]
    return [line for line in lines if len(line) == 64 and line not in public]


def _serve(attempt: Attempt, url: str, what: keyfiles.Answer) -> None:
    attempt.bank.sink.answers["/" + url.split("/", 3)[3]] = what


def jwks_x5c(attempt: Attempt, operation: Operation) -> None:
    pair = symbols.SEALS[operation["value"]](attempt.bank.mint)
    key = attempt.document["jwks"]["keys"][0]
    key["x5c"] = [base64.b64encode(pair.der).decode()]
