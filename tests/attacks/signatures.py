"""Signatures that claim what they should not: draft-cavage fields bent one rule at a time."""

import base64
import hashlib
import hmac
import time
from collections.abc import Callable, Sequence

from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from live.party import Draft, Party

Seal = Callable[[Draft], object]
Signer = Callable[[bytes], bytes]

_PUBLIC_FORMS = (
    (Encoding.PEM, PublicFormat.SubjectPublicKeyInfo),
    (Encoding.DER, PublicFormat.SubjectPublicKeyInfo),
    (Encoding.PEM, PublicFormat.PKCS1),
)
USUAL = ("(request-target)", "digest", "x-request-id")


def state_digest(draft: Draft) -> None:
    """Add the Digest of the body, unless one stands there."""
    if draft.body and draft.get("digest") is None:
        draft.set("Digest", f"SHA-256={b64(hashlib.sha256(draft.body).digest())}")


def signing_string(draft: Draft, names: Sequence[str], **special: str) -> bytes:
    """Return the signing string over these names; `special` are (created) and (expires)."""
    lines = []
    for name in names:
        if name == "(request-target)":
            value = f"{draft.method.lower()} {draft.target}"
        elif name.startswith("("):
            value = special[name.strip("()")]
        else:
            value = ", ".join(v.strip() for n, v in draft.fields if n.lower() == name)
        lines.append(f"{name}: {value}")
    return "\n".join(lines).encode("latin-1")


def write(draft: Draft, signature: bytes, **parameters: str | None) -> Draft:
    """Set Signature; a parameter that is None is left out."""
    text = "".join(f'{name}="{v}",' for name, v in parameters.items() if v is not None)
    return draft.set("Signature", f'{text}signature="{b64(signature)}"')


def sign(
    draft: Draft,
    sender: Party,
    *,
    names: Sequence[str] | None = None,
    keyid: str | None = None,
    algorithm: str = "rsa-sha256",
    signer: Signer | None = None,
) -> Draft:
    """State the digest and sign as the sender does, but for what is given."""
    state_digest(draft)
    if names is None:
        names = [name for name in USUAL if name.startswith("(") or draft.get(name) is not None]
    signature = (signer or sender.qsealc.sign)(signing_string(draft, names))
    return write(
        draft,
        signature,
        keyId=keyid or sender.kid,
        algorithm=algorithm,
        headers=" ".join(names),
    )


def b64(octets: bytes) -> str:
    """Return base64 with padding."""
    return base64.b64encode(octets).decode("ascii")


def unb64(text: str) -> bytes:
    """Return the octets behind base64."""
    return base64.b64decode(text)


# The cases


def without_names(sender: Party, text: str) -> list[Seal]:
    """AC-103: the list of covered names is empty, absent or blank."""

    def seal(draft: Draft) -> None:
        state_digest(draft)
        date = time.strftime("%a, %d %b %Y %H:%M:%S GMT", time.gmtime())
        draft.set("Date", date)
        signed, headers = {
            '""': (b"", ""),
            "(absent)": (f"date: {date}".encode(), None),
            '" "': (b"", " "),
        }[text]
        signature = sender.qsealc.sign(signed)
        write(draft, signature, keyId=sender.kid, algorithm="rsa-sha256", headers=headers)

    return [seal]


def names_swapped(sender: Party) -> list[Seal]:
    """AC-105: the values are signed without their names, or under one another's."""

    def made_of(arrange: Callable[[list[bytes]], list[bytes]]) -> Seal:
        def signer(signed: bytes) -> bytes:
            return sender.qsealc.sign(b"\n".join(arrange(signed.split(b"\n"))))

        return lambda draft: sign(draft, sender, signer=signer)

    def swap(lines: list[bytes]) -> list[bytes]:
        (one, a), (two, b) = (line.split(b": ", 1) for line in lines[1:])
        return [lines[0], one + b": " + b, two + b": " + a]

    return [made_of(swap), made_of(lambda lines: [line.split(b": ", 1)[1] for line in lines])]


def names_in_doubt(sender: Party, text: str) -> list[Seal]:
    """AC-106: a name is listed twice, or without its field, or its field stands twice."""

    def seal(draft: Draft) -> None:
        state_digest(draft)
        match text:
            case "two Digest lines":
                draft.fields.append(("Digest", draft.get("digest") or ""))
            case "two X-Request-ID lines":
                draft.fields.append(("X-Request-ID", draft.get("x-request-id") or ""))
        names: tuple[str, ...] = {
            "digest digest": (*USUAL, "digest"),
            "(request-target) digest x-missing": (*USUAL, "x-missing"),
        }.get(text, USUAL)
        sign(draft, sender, names=names)

    return [seal]


def parameters_twice(sender: Party, text: str) -> list[Seal]:
    """AC-108: a parameter stands twice, the good one first and last."""
    bad = {
        "keyId A then B": 'keyId="another"',
        "signature good then bad": f'signature="{b64(bytes(256))}"',
        "headers weak then strong": 'headers="x-request-id"',
    }[text]

    def seal(place: Callable[[str], str]) -> Seal:
        def make(draft: Draft) -> None:
            sign(draft, sender)
            draft.set("Signature", place(draft.get("signature") or ""))

        return make

    return [seal(lambda good: f"{bad},{good}"), seal(lambda good: f"{good},{bad}")]


def broken_grammar(sender: Party, text: str) -> list[Seal]:
    """AC-110: the field cannot be read, or costs to read."""

    def bend(good: str) -> str:
        return {
            "unterminated quote": good[:-1],
            '\\" escapes ×10 000': 'keyId="' + r"\"" * 10_000 + '",' + good,
            "no commas": good.replace(",", " "),
            "5 000 unknown params": ",".join([*(f'p{i}="x"' for i in range(5000)), good]),
            "keyId=''": good.replace(f'keyId="{sender.kid}"', 'keyId=""'),
            "signature='' ": good.partition("signature=")[0] + 'signature=""',
            "signature 64 kB": good.partition("signature=")[0] + f'signature="{"A" * 65_536}"',
            "non-ASCII": good + ',x="\xe9"',
            "keyid/KEYID case variants": f'keyid="{sender.kid}",KEYID="{sender.kid}",{good}',
        }[text]

    def seal(draft: Draft) -> None:
        sign(draft, sender)
        draft.set("Signature", bend(draft.get("signature") or ""))

    return [seal]


def public_key_as_secret(sender: Party) -> list[Seal]:
    """AC-111: an HMAC under what everybody knows."""
    secrets = [sender.qsealc.der, sender.qsealc.certificate_file.read_bytes()]
    public = sender.qsealc.key.public_key()
    secrets += [public.public_bytes(*form) for form in _PUBLIC_FORMS]

    def under(secret: bytes) -> Seal:
        def signer(signed: bytes) -> bytes:
            return hmac.digest(secret, signed, "sha256")

        return lambda draft: sign(draft, sender, algorithm="hmac-sha256", signer=signer)

    return [under(secret) for secret in secrets]


def wrong_times(sender: Party, text: str) -> list[Seal]:
    """AC-113: the signature was made at another time, or at none; both times are covered."""
    now = int(time.time())
    created, expires = {
        "now+61": (now + 90, None),  # beyond 61 by what a slow machine may take
        "now-301": (now - 301, None),
        "expires now-1": (now - 10, now - 1),
        "expires<created": (now, now - 1),
    }.get(text, (text.strip("'"), None))

    def seal(draft: Draft) -> None:
        state_digest(draft)
        names = (*USUAL, "(created)", *(["(expires)"] if expires is not None else ()))
        times = {"created": str(created), "expires": str(expires)}
        signature = sender.qsealc.sign(signing_string(draft, names, **times))
        write(
            draft,
            signature,
            keyId=sender.kid,
            algorithm="hs2019",
            created=str(created),
            expires=None if expires is None else str(expires),
            headers=" ".join(names),
        )

    return [seal]
