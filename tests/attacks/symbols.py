"""What the words of the attack file stand for: certificates, and payloads by case."""

from collections.abc import Callable
from datetime import UTC, datetime, timedelta

from attacks import bodies, forgeries, oddkeys, signatures
from attacks.attempt import Attempt, Edit
from attacks.bank import ORGANIZATIONS, ROLES, Bank
from attacks.mint import Files, Mint, issued_by, self_issued, with_key
from attacks.signatures import sign
from attacks.wire import Identity
from live.party import Pair

_A, _B = ORGANIZATIONS["A"], ORGANIZATIONS["B"]


# Certificates


def _broken(kind: str, *faults: str, organization: str = _A) -> Callable[[Mint], Pair]:
    return lambda mint: mint.issue(kind, organization, ROLES["A"], *faults)


def _a_qwac(mint: Mint) -> Pair:
    return mint.issue("qwac", _A, ROLES["A"])


def _copy_of_a(mint: Mint) -> Files:
    info, key = oddkeys.new_rsa_key()
    own = oddkeys.loaded(key)
    return mint.forge("copy", _a_qwac(mint), self_issued, with_key(info), key=key, signer=own)


def _with_odd_key(make: Callable[[], tuple[bytes, bytes]]) -> Callable[[Mint], Files]:
    def forge(mint: Mint) -> Files:
        info, key = make()
        return mint.forge(make.__name__, _a_qwac(mint), with_key(info), key=key)

    return forge


def below_a_constrained_ca(permitted: str) -> Callable[[Mint], Files]:
    """A's QWAC, issued by a CA that may only issue for names under `permitted`."""

    def forge(mint: Mint) -> Files:
        ca, key = mint.constrained_ca(permitted)
        by = issued_by(ca.subject, key.public_key())
        name = f"below-{permitted}"
        return mint.forge(name, _a_qwac(mint), by, signer=key, chain=[ca])

    return forge


def _qwac_of_the_future(mint: Mint) -> Pair:
    begin = datetime.now(UTC) + timedelta(hours=1)
    return mint.issue("qwac", _A, ROLES["A"], name="qwac-future", not_before=begin)


CERTIFICATES: dict[str, Callable[[Mint], Identity]] = {
    "A.qwac": _a_qwac,
    "selfsigned.copy_of_A": _copy_of_a,
    "A.qwac_future": _qwac_of_the_future,
    "A.qwac_revoked": _broken("qwac", "revoked"),
    "A.qwac_noroles": _broken("qwac", "no-role"),
    "A.qwac_serverauth_only": _broken("qwac", "no-client-auth"),
    "leaf_as_ca.for_B": _broken("qwac", "leaf-as-ca", organization=_B),
    "nameconstraint_violation": below_a_constrained_ca("permitted.test"),
    "rsa16384": _with_odd_key(oddkeys.huge_rsa_key),
    "rsa2048_big_e": _with_odd_key(oddkeys.slow_rsa_key),
    "ec_explicit_params": _with_odd_key(oddkeys.explicit_ec_key),
    "orgid_double_A_B": _broken("qwac", "double-organization-identifier"),
    "orgid_in_cn": _broken("qwac", "organization-in-cn-only"),
}
"""For the TLS handshake."""

SEALS: dict[str, Callable[[Mint], Pair]] = {
    "A.qseal_expired": _broken("qsealc", "expired"),
    "A.qseal_revoked": _broken("qsealc", "revoked"),
    "rogue.qseal": _broken("qsealc", "wrong-ca"),
    "A.qseal_noqctype": _broken("qsealc", "no-qctype"),
    "A.qseal_rsa1024": _broken("qsealc", "weak-key"),
    "selfsigned_A": _broken("qsealc", "self-signed"),
}
"""For signatures."""


def new_qsealc(bank: Bank) -> Pair:
    """Return a good QSealC of A that nobody has registered."""
    return bank.mint.issue("qsealc", _A, ROLES["A"], name="qsealc-new")


def ec_qsealc(bank: Bank) -> Pair:
    """Return a good QSealC of A on P-256."""
    info, key = oddkeys.new_ec_key()
    files = bank.mint.forge("ec-qsealc", bank.a.qsealc, with_key(info), key=key)
    return Pair(files.certificate_file, files.key_file)


# Signatures


def forged_signatures(attempt: Attempt) -> list[Edit]:
    """AC-123: all forgeries of one algorithm."""
    match attempt.attack.text.split("_")[:2]:
        case ["rsa", "pkcs1"]:
            algorithm, signers = "rsa-sha256", forgeries.pkcs1(attempt.sender.qsealc.key)
        case ["rsa", "pss"]:
            algorithm, signers = "hs2019", forgeries.pss(attempt.sender.qsealc.key)
        case _:
            attempt.use_qsealc(ec_qsealc(attempt.bank))
            attempt.document["jwks"]["keys"][0].update(kty="EC", alg="ES256")
            algorithm, signers = "ecdsa-sha256", forgeries.ecdsa(attempt.sender.qsealc.key)
    return [
        lambda draft, signer=signer: sign(draft, attempt.sender, algorithm=algorithm, signer=signer)
        for signer in signers
    ]


def digests(good: str, text: str) -> list[tuple[str, str]]:
    """AC-098 and AC-100: return the lines that state a digest; `good` is base64 of SHA-256."""
    bad = signatures.b64(bytes(32))
    octets = good.encode()
    match text:
        case "SHA-256=<good>,SHA-512=<bad>":
            values = [f"SHA-256={good},SHA-512={signatures.b64(bytes(64))}"]
        case "SHA-256=<bad>,SHA-256=<good>":
            values = [f"SHA-256={bad},SHA-256={good}"]
        case "two lines good/bad":
            values = [f"SHA-256={good}", f"SHA-256={bad}"]
        case "Digest good + Content-Digest bad":
            return [("Digest", f"SHA-256={good}"), ("Content-Digest", f"sha-256=:{bad}:")]
        case "non-zero pad bits":
            last = bytes([octets[-2] + 1]).decode()  # of base64, whose last two bits are unused
            values = [f"SHA-256={good[:-2]}{last}="]
        case "embedded space":
            values = [f"SHA-256={good[:20]} {good[20:]}"]
        case "embedded LF":
            values = [f"SHA-256={good[:20]}\n{good[20:]}"]
        case "missing padding":
            values = [f"SHA-256={good.rstrip('=')}"]
        case "base64url alphabet":
            values = [f"SHA-256={good.replace('+', '-').replace('/', '_')}"]
        case "hex":
            values = [f"SHA-256={signatures.unb64(good).hex()}"]
        case _:
            raise AssertionError(text)
    return [("Digest", value) for value in values]


REQUEST_IDS: dict[str, tuple[str, ...]] = {
    "(absent)": (),
    "(two different)": ("request-1", "request-2"),
    "UUID upper case": ("0F9A1F4C-1E7C-4D5E-9B5C-6C5C0A1B2C3D",),
    "UUID without dashes": ("0f9a1f4c1e7c4d5e9b5c6c5c0a1b2c3d",),
    "70 chars": ("x" * 70,),
}
"""AC-246 and AC-248: the values of X-Request-ID that the file describes."""

SIGNATURES: dict[str, Callable[[Attempt], list[Edit]]] = {
    "AC-103": lambda a: signatures.without_names(a.sender, a.attack.text),
    "AC-105": lambda a: signatures.names_swapped(a.sender),
    "AC-106": lambda a: signatures.names_in_doubt(a.sender, a.attack.text),
    "AC-108": lambda a: signatures.parameters_twice(a.sender, a.attack.text),
    "AC-110": lambda a: signatures.broken_grammar(a.sender, a.attack.text),
    "AC-111": lambda a: signatures.public_key_as_secret(a.sender),
    "AC-113": lambda a: signatures.wrong_times(a.sender, a.attack.text),
    "AC-123": forged_signatures,
}
"""The signatures of a case, each for a request of its own."""

BODIES: dict[str, Callable[[Attempt], bytes]] = {
    "AC-140": lambda a: bodies.nested(a.document, a.attack.text),
    "AC-143": lambda a: bodies.encoded(a.document, a.attack.text),
}
"""The bodies of a case that are no JSON, or none to be read."""

DOCUMENTS: dict[str, Callable[[Attempt], None]] = {
    "AC-150": lambda a: bodies.confused(a.document, a.attack.text),
    "AC-151": lambda a: bodies.crowded(a.document, a.attack.text),
}
"""The changes of a case to the document."""
