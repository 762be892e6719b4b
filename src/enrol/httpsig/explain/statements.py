"""What each rule wants, in one sentence that is true when the rule holds."""

from typing import Final

from enrol.explanations import EXPLANATIONS

STATEMENTS: Final[dict[str, str]] = {
    # The message
    "STR-6": "The request line is a method and a path.",
    "CAR-6": "Every header field has a name that HTTP allows.",
    "SMG-2": "No two field names differ only in underscore for hyphen.",
    "SMG-1": "No field value holds a control character.",
    "STR-3": "No field is folded over several lines.",
    "HDR-11": "Fields that may stand once stand once.",
    "SMG-3": "The message has one framing.",
    # Where the signature travels, and its parameters
    "CAR-2": "The signature is not in Authorization.",
    "CAR-4": "One signature scheme is used, and it is accepted.",
    "CAR-1": "There is a Signature field.",
    "CAR-3": "There is only one Signature field.",
    "CAR-5": "The signature field is at most 8192 octets long.",
    "PAR-1": "Signature is a list of name=value parameters.",
    "PAR-3": "No parameter stands twice.",
    "PAR-8": "keyId and signature are there.",
    "PAR-9": "The signature is canonical base64.",
    "PAR-6": "created and expires are whole numbers of seconds.",
    "HDR-1": "The headers parameter is there.",
    "HDR-2": "The headers parameter is not empty.",
    "HDR-4": "headers lists names with one blank between them.",
    "HDR-8": "headers has no unknown name in parentheses.",
    "HDR-5": "headers has no name twice.",
    "HDR-9": "The signature does not list itself.",
    "HDR-7": "Every covered header field is in the message.",
    # Algorithm and key
    "ALG-1": "The algorithm is one that is accepted, or left out.",
    "ALG-4": "The algorithm is neither broken nor of a shared secret.",
    "ALG-3": "The algorithm agrees with the key.",
    "ALG-9": "The label of the algorithm allows the times that are covered.",
    "ALG-8": "The key is strong enough and of a kind that is accepted.",
    "KEY-4": "keyId is at most 1024 characters long.",
    "KEY-1": "keyId is a name, or a URL that is accepted.",
    "KEY-2": "keyId names a key the bank knows.",
    "KEY-3": "The fingerprint in keyId is that of the certificate.",
    # What must be covered
    "COV-1": "(request-target) is covered.",
    "COV-2": "digest is covered.",
    "COV-3": "x-request-id is covered.",
    "COV-4": "date or (created) is covered.",
    "COV-5": "host is covered.",
    "COV-6": "Fields that must be covered when present are covered.",
    # Time
    "TIM-0": "The times that are covered are stated.",
    "TIM-1": "created is not in the future.",
    "TIM-2": "expires is in the future.",
    "TIM-3": "The covered Date is near the time of the verifier.",
    "TIM-4": "The covered created is recent.",
    "TIM-5": "expires is after created.",
    "TIM-6": "The covered Date is a date of HTTP.",
    # Arithmetic
    "STR-8": "Covered values are ASCII.",
    "SIG-1": "The signature is that of the key over the signing string.",
    # Memory of the bank
    "REP-1": "The signature was not seen before.",
    "REP-2": "The X-Request-ID was not used for other bytes before.",
    # Digest
    "DIG-1": "There is a Digest.",
    "DIG-3": "Digest is a list of algorithm=value.",
    "DIG-8": "Digest has no algorithm twice.",
    "DIG-5": "Digest has an algorithm that is known.",
    "DIG-6": "Digest has an algorithm that is strong.",
    "DIG-12": "Digest values have no parameters.",
    "DIG-7": "Digest values are canonical base64 of the right length.",
    "DIG-9": "Digest is that of the body.",
    # RFC 9421
    "M-CAR": "Signature-Input and Signature are the dictionaries of RFC 9421.",
    "M-LBL": "There is one signature, with one label.",
    "M-PAR": "The parameters are known, once each, and of their types.",
    "M-CMP": "Every covered component is known, once, and in the message.",
    "M-COV": "Method, authority, path, query, digest and request id are covered.",
    "M-TIM": "created is recent and expires is in the future.",
    "M-ALG": "alg agrees with the key.",
    "M-SIG": "The signature is that of the key over the signature base.",
    "M-CD-1": "Content-Digest is a dictionary of byte sequences.",
    "M-CD-2": "There is a Content-Digest with sha-256 or sha-512.",
    "M-CD-3": "Content-Digest is that of the body.",
    "M-CD-4": "Content-Digest has no algorithm twice.",
}

NOT_REACHED: Final = "Not looked at: something before it cannot be read."
NO_KEY: Final = "Needs the key: give the certificate or the public key."
NO_BODY: Final = "Needs the body, which is not given."
ONLY_THE_BANK: Final = "Only the bank can tell."


def failure(rule: str) -> str:
    """Return what a broken rule means and what to change."""
    words = EXPLANATIONS.get(rule)
    return f"{words.meaning} {words.remedy}" if words else "The request is refused by this rule."
