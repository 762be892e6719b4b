"""Trying the known mistakes: which one makes the signature verify."""

from collections.abc import Iterable, Iterator, Sequence
from typing import Final

from enrol.httpsig.cavage import SignatureParameters
from enrol.httpsig.crypto import VerificationKey
from enrol.httpsig.explain.drafts import Draft, draft_of
from enrol.httpsig.explain.primitives import OtherWay, other_ways
from enrol.httpsig.explain.report import Mistake
from enrol.httpsig.explain.strings import (
    Bent,
    bent_absences,
    bent_defaults,
    bent_lines,
    bent_orders,
)
from enrol.httpsig.message import HttpMessage
from enrol.httpsig.policy import SignaturePolicy
from enrol.httpsig.rfc9421 import MessageSignature

SENTENCES: Final = {
    # The signing string
    "missing-signed-empty": "the fields that are not in the message are signed as empty: send them",
    "missing-signed-undefined": "what is not in the message is signed as undefined: send it",
    "method-upper-case": "the method is signed in upper case: sign it in lower case",
    "method-lower-case": "the method is signed in lower case: sign it as it is sent",
    "method-missing": "the method is left out of (request-target): sign method, blank, path",
    "put-signed-as-post": "the PUT is signed as post: sign the method that is sent",
    "other-method": "another method is signed: sign the method that is sent",
    "query-missing": "the query is not signed as it has to be: sign the path with ? and query",
    "query-mark": "the question mark of the query is signed otherwise: sign the target as sent",
    "target-decoded": "the target is signed decoded: sign it byte for byte as it is sent",
    "target-lower-case": "the target is signed in lower case: sign it byte for byte as it is sent",
    "target-absolute": "the whole URL is signed: sign the path and the query",
    "trailing-slash": "the path is signed with a slash more or less: sign it as it is sent",
    "prefix-stripped": "the path is signed without its beginning: sign the whole path that the "
    "bank receives",
    "crlf": "the lines are signed with CR LF between them: put LF alone",
    "line-end-at-end": "the last line is signed with a line end: put none after it",
    "lines-run-together": "the lines are signed without line ends: put LF between them",
    "name-case": "the names are signed with capital letters: sign them in lower case",
    "colon-without-blank": "the colons are signed without a blank: put one blank after each",
    "names-missing": "the values are signed without names: sign name, colon, blank, value",
    "request-target-unnamed": "the target is signed without its name: begin the line with "
    "(request-target)",
    "empty-value-without-blank": "the line of an empty value is signed without the blank after its "
    "colon: keep it",
    "quotes-missing": "the names are signed without quotes: put them in double quotes",
    "blanks-kept": "values are signed with the blanks around them: remove those",
    "blanks-collapsed": "values are signed with fewer blanks inside: keep them",
    "lines-joined-otherwise": "several lines of a field are signed joined otherwise: join all with "
    "a comma and a blank",
    "host-port": "the host is signed with another port: sign Host as it is sent",
    "order": "the lines are signed in another order: sign in the order that is listed",
    "line-left-out": "one line that is listed is not signed: sign what is listed",
    "hashed-first": "the hash of the signing string is signed in its place: sign the string, which "
    "is hashed once",
    "headers-default-date": "the headers parameter is taken to mean date: list what is signed",
    "headers-default-created": "the headers parameter is taken to mean (created): list what is "
    "signed",
    "headers-empty": "nothing is signed: list and sign what has to be covered",
    "other-string": "the signing string is the one the client claims: key and algorithm are right",
    # The arithmetic
    "other-hash": "another hash is used: use that of the algorithm",
    "digest-info-missing": "PKCS#1 v1.5 is used without naming the hash: let the library hash",
    "pss-salt": "the PSS salt has another length: use 64 octets",
    "pss-hash": "PSS is used with another hash: use SHA-512 for both hash and MGF1",
    "pss-for-pkcs1v15": "RSA-PSS is used: use PKCS#1 v1.5",
    "pkcs1v15-for-pss": "RSA PKCS#1 v1.5 is used: use PSS",
    "ecdsa-raw-for-der": "the ECDSA signature is r and s side by side: encode it in DER",
    "ecdsa-der-for-raw": "the ECDSA signature is in DER: put r and s side by side",
    "signature-backwards": "the octets of the signature are in reverse: send the first one first",
}
"""What is said of each mistake after "It verifies if"."""

Parsed = SignatureParameters | MessageSignature


def signature_mistakes(
    message: HttpMessage,
    parsed: Parsed,
    key: VerificationKey,
    policy: SignaturePolicy,
    *,
    claimed: bytes | None = None,
) -> tuple[Mistake, ...]:
    """Return the mistakes with which a signature that does not verify would.

    1. the string has one mistake, the arithmetic is right;
    2. the string is right, the arithmetic has one;
    3. the string has two mistakes;
    4. the string is the one the client claims;
    5. string and arithmetic have one each.

    What is found at one step is all that is returned.
    """
    draft = draft_of(message, parsed, policy)
    simple = tuple(_distinct(_bent(draft, message, parsed), draft))
    every = (*simple, *_distinct(bent_orders(draft), draft))
    ways = tuple(other_ways(parsed.signature, key))
    searches = (
        _over_strings(parsed.signature, key, every),
        _in_other_ways(ways, (Bent("", draft),)),
        _over_strings(parsed.signature, key, _twice(simple, message)),
        _over_claimed(parsed.signature, key, claimed),
        _in_other_ways(ways, every),
    )
    for search in searches:
        found = tuple({mistake.name: mistake for mistake in search}.values())
        if found:
            return found
    return ()


def _bent(draft: Draft, message: HttpMessage, parsed: Parsed) -> Iterator[Bent]:
    yield from bent_absences(draft)
    yield from bent_defaults(draft, message, parsed.created)
    yield from bent_lines(draft, message)


def _twice(simple: Sequence[Bent], message: HttpMessage) -> Iterator[Bent]:
    """Yield drafts with two mistakes of different names."""
    for first in simple:
        if first.draft.wrap is not None:
            continue
        for second in bent_lines(first.draft, message):
            if second.name != first.name:
                names = f"{first.name}+{second.name}"
                yield Bent(names, second.draft, _details(first.detail, second.detail))


def _over_strings(
    signature: bytes, key: VerificationKey, bent: Iterable[Bent]
) -> Iterator[Mistake]:
    """Yield the mistakes over whose strings the signature is the key's."""
    for each in bent:
        text = each.draft.octets()
        if key.verify(signature, text):
            yield _mistake(each.name, each.detail, text)


def _over_claimed(
    signature: bytes, key: VerificationKey, claimed: bytes | None
) -> Iterator[Mistake]:
    """Yield that the signature is the key's over the string the client claims."""
    if claimed is not None and key.verify(signature, claimed):
        yield _mistake("other-string", None, claimed)


def _in_other_ways(ways: Sequence[OtherWay], bent: Sequence[Bent]) -> Iterator[Mistake]:
    """Yield the first way of signing that fits a string."""
    for each in bent:
        text = each.draft.octets()
        for way in ways:
            how = way.attempt(text)
            if how is not None:
                name = f"{each.name}+{way.name}" if each.name else way.name
                yield _mistake(name, _details(each.detail, how), text)
                return


def _mistake(name: str, detail: str | None, text: bytes) -> Mistake:
    said = ", and ".join([SENTENCES[part] for part in name.split("+")])
    return Mistake(name, f"The signature verifies if {said}.", detail, text)


def _distinct(bent: Iterator[Bent], draft: Draft) -> Iterator[Bent]:
    """Yield what differs from the draft, unless that cannot be computed, and from all before."""
    seen = (
        set() if any(line.absent for line in draft.lines) or not draft.lines else {draft.octets()}
    )
    for each in bent:
        text = each.draft.octets()
        if text not in seen:
            seen.add(text)
            yield each


def _details(*details: str | None) -> str | None:
    return "; ".join([detail for detail in details if detail]) or None
