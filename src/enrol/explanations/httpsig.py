"""Explanations of what HTTP signatures and digests are refused for, by the rule's id."""

from enrol.explanations.explanation import Explanation

_DRAFT = "draft-cavage-http-signatures-12"

HTTPSIG: dict[str, Explanation] = {
    # The message
    "CAR-6": Explanation(
        "A header field has a name that HTTP does not allow.",
        "Send field names of letters, digits and hyphens; never a field named (request-target).",
        "RFC 9110 §5.1",
    ),
    "SMG-1": Explanation(
        "A header field holds a control character.",
        "Send field values of visible characters, blanks and tabs on one line.",
        "RFC 9110 §5.5",
    ),
    "SMG-2": Explanation(
        "Two header fields have names that differ only in underscore for hyphen.",
        "Send the field once, with hyphens.",
        "policy",
    ),
    "SMG-3": Explanation(
        "The request has both Transfer-Encoding and Content-Length.",
        "Send one of the two.",
        "RFC 9112 §6.1",
    ),
    "STR-3": Explanation(
        "A header field is folded over several lines.",
        "Send each field on one line.",
        "RFC 9112 §5.2",
    ),
    "STR-6": Explanation(
        "The request line is not a method and a path.",
        "Send the target in origin-form, percent-encoded: POST /path HTTP/1.1.",
        "RFC 9112 §3.2.1",
    ),
    "STR-8": Explanation(
        "A signed header field holds characters outside ASCII.",
        "Send ASCII in every field that is signed.",
        "policy; RFC 9110 §5.5",
    ),
    "HDR-11": Explanation(
        "A header field that may stand once stands several times.",
        "Send Host, Content-Type, Content-Length, Date, Digest and X-Request-ID once each.",
        "RFC 9110 §5.3",
    ),
    # Where the signature travels
    "CAR-1": Explanation(
        "The Signature header field is missing.",
        'Send Signature: keyId="…",algorithm="rsa-sha256",headers="…",signature="…".',
        "STET 1.0.5, parameter Signature",
    ),
    "CAR-2": Explanation(
        "The signature is in Authorization, which holds the bearer token here.",
        "Send the same parameters in the Signature header field.",
        "STET 1.0.5, parameters Signature and Authorization",
    ),
    "CAR-3": Explanation(
        "There is more than one Signature header field.",
        "Send one Signature.",
        "policy",
    ),
    "CAR-4": Explanation(
        "Signature-Input is present where only draft-cavage signatures are accepted.",
        "Send Signature alone, or ask the bank to switch RFC 9421 on for you.",
        "policy; RFC 9421 §3.2",
    ),
    "CAR-5": Explanation(
        "The signature header field is longer than 8192 octets.",
        "Cover fewer header fields, or shorten keyId.",
        "policy",
    ),
    # Parameters of Signature
    "PAR-1": Explanation(
        "The Signature header field is not a list of name=value parameters.",
        'Write name="value" in double quotes, with commas between and nothing after the last.',
        f"{_DRAFT} §2.1; RFC 9110 §11.2",
    ),
    "PAR-3": Explanation(
        "A parameter of Signature stands twice.",
        "Send keyId, algorithm, headers, signature, created and expires once each.",
        f"{_DRAFT} §2.2",
    ),
    "PAR-6": Explanation(
        "created or expires is not a whole number of seconds.",
        "Send seconds since 1970 in digits, without sign, point or leading zero.",
        f"{_DRAFT} §2.3",
    ),
    "PAR-8": Explanation(
        "keyId or signature is missing or empty.",
        "Send both, not empty.",
        f"{_DRAFT} §2.1.1, §2.1.2",
    ),
    "PAR-9": Explanation(
        "The signature value is not canonical base64.",
        "Use the standard alphabet with padding, without blanks or line breaks; not base64url.",
        "RFC 4648 §3.5",
    ),
    # The list of covered names
    "HDR-1": Explanation(
        "The headers parameter is missing, and its default differs between drafts.",
        'Send headers="(request-target) digest x-request-id", in the order you signed.',
        f"policy; {_DRAFT} §2.1.6",
    ),
    "HDR-2": Explanation(
        "The headers parameter is empty: nothing is signed.",
        'Sign at least headers="(request-target) digest x-request-id".',
        f"{_DRAFT} §2.1.6",
    ),
    "HDR-4": Explanation(
        "The headers parameter is not a list of names with one blank between them.",
        "Write header field names with exactly one blank between, none before or after.",
        f"{_DRAFT} §2.1.6",
    ),
    "HDR-5": Explanation(
        "The headers parameter names a header field twice.",
        "List each name once; several lines of a field are signed joined by a comma and a blank.",
        "policy",
    ),
    "HDR-7": Explanation(
        "A header field that is listed as signed is not in the request.",
        "Send every field you sign, and let no proxy remove it.",
        f"{_DRAFT} §2.3",
    ),
    "HDR-8": Explanation(
        "The headers parameter has a name in parentheses that does not exist.",
        "Use (request-target), (created) and (expires) only; put blanks between names.",
        f"{_DRAFT} §2.3",
    ),
    "HDR-9": Explanation(
        "The signature lists its own header field as signed.",
        "Take signature out of the headers parameter.",
        f"policy; {_DRAFT} §2.3",
    ),
    # Algorithm and key
    "ALG-1": Explanation(
        "The algorithm parameter is not one that is accepted.",
        "Send rsa-sha256, rsa-sha512, ecdsa-sha256 or hs2019, or leave algorithm out.",
        f"{_DRAFT} §2.1.3",
    ),
    "ALG-3": Explanation(
        "The algorithm parameter contradicts the key that keyId names.",
        "Send the label of the registered key, or leave algorithm out.",
        f"{_DRAFT} §2.1.3",
    ),
    "ALG-4": Explanation(
        "The algorithm is broken or needs a shared secret.",
        "Sign with rsa-sha256 and the key of your QSealC.",
        f"{_DRAFT} §2.1.3",
    ),
    "ALG-8": Explanation(
        "The key is too weak or of a kind that is not accepted.",
        "Use RSA of 2048 to 8192 bits with exponent 65537, P-256, P-384, P-521 or Ed25519.",
        "ETSI TS 119 312",
    ),
    "ALG-9": Explanation(
        "(created) or (expires) is signed under a label that forbids it.",
        "Leave algorithm out or send hs2019, or sign date instead.",
        f"{_DRAFT} §2.3",
    ),
    "KEY-1": Explanation(
        "keyId is a URL that is not accepted.",
        "Use https, a public host name, no port, user, query or fragment; or the kid.",
        "STET 1.6.3 §3.5.1.2",
    ),
    "KEY-2": Explanation(
        "No key is known by that keyId.",
        "Send the kid of a registered key, or the URL of the certificate in keys[0].",
        "STET 1.0.5, parameter Signature",
    ),
    "KEY-3": Explanation(
        "The fingerprint in the keyId URL is not that of the certificate.",
        "End the URL with _ and the SHA-256 of the certificate's DER or PEM file, in lower case.",
        "STET 1.6.3 §3.5.1.2",
    ),
    "KEY-4": Explanation(
        "keyId is longer than 1024 characters.",
        "Use a shorter keyId.",
        "policy",
    ),
    # What must be signed
    "COV-1": Explanation(
        "The request target is not signed.",
        "Sign (request-target): method in lower case, a blank, path with query.",
        f"STET 1.4.1.3 §3.5; {_DRAFT} §2.3",
    ),
    "COV-2": Explanation(
        "The digest is not signed.",
        "Add digest to the signed header fields; a Digest that is sent must be signed.",
        "STET 1.4.1.3 §3.5",
    ),
    "COV-3": Explanation(
        "The request id is not signed.",
        "Add x-request-id to the signed header fields.",
        "STET 1.0.5, parameter X-Request-ID",
    ),
    "COV-4": Explanation(
        "No time is signed.",
        "Sign date, or (created) with the created parameter.",
        f"policy; {_DRAFT} appendix B.1",
    ),
    "COV-5": Explanation(
        "The host is not signed.",
        "Add host to the signed header fields.",
        "policy",
    ),
    "COV-6": Explanation(
        "A header field that must be signed when present is not.",
        "Sign every PSU- field sent, Content-Type, Content-Length and Date.",
        "STET 1.4.1.3 §3.5",
    ),
    # Time
    "TIM-0": Explanation(
        "(created) or (expires) is listed as signed and its parameter is missing.",
        "Send the created or expires parameter too.",
        f"{_DRAFT} §2.3",
    ),
    "TIM-1": Explanation(
        "created lies in the future.",
        "Set the clock; created is in seconds since 1970, UTC.",
        f"{_DRAFT} §2.1.4",
    ),
    "TIM-2": Explanation(
        "The signature has expired.",
        "Sign anew, with expires in the future.",
        f"{_DRAFT} §2.1.5",
    ),
    "TIM-3": Explanation(
        "The signed Date is too far from the time of the server.",
        "Set the clock and sign each request when it is sent.",
        f"policy; {_DRAFT} appendix B.1",
    ),
    "TIM-4": Explanation(
        "The signature was created too long ago.",
        "Sign each request when it is sent.",
        f"policy; {_DRAFT} appendix B.1",
    ),
    "TIM-5": Explanation(
        "expires is not after created.",
        "Send an expires later than created.",
        "policy",
    ),
    "TIM-6": Explanation(
        "The signed Date is not a date of HTTP.",
        "Send Date: Tue, 14 Nov 2023 22:13:20 GMT, with the right weekday and GMT.",
        "RFC 9110 §5.6.7",
    ),
    "SIG-1": Explanation(
        "The signature is not that of the key over this request.",
        "Compare your signing string with the rules: method in lower case, whole target, order of "
        "headers, LF between lines and none at the end.",
        f"{_DRAFT} §2.5",
    ),
    # Digest
    "DIG-1": Explanation(
        "The Digest header field is missing.",
        "Send Digest: SHA-256= and the base64 of the SHA-256 of the body.",
        "STET 1.0.5, parameter Digest",
    ),
    "DIG-3": Explanation(
        "The Digest header field is not a list of algorithm=value.",
        "Send Digest: SHA-256=…, without blanks before the equals sign and without quotes.",
        "RFC 3230 §4.3.2",
    ),
    "DIG-5": Explanation(
        "Digest has no algorithm that is known.",
        "Write the algorithm SHA-256 or SHA-512, with the hyphen.",
        "RFC 5843; IANA registry of digest algorithms",
    ),
    "DIG-6": Explanation(
        "Digest has weak algorithms only.",
        "Use SHA-256 or SHA-512.",
        "RFC 9530 §6.6",
    ),
    "DIG-7": Explanation(
        "A Digest value is not canonical base64 of the right length.",
        "Encode the 32 octets of SHA-256 in padded base64; not hex, base64url or quoted.",
        "RFC 3230 §4.3.2; RFC 4648 §3.5",
    ),
    "DIG-8": Explanation(
        "Digest has an algorithm twice.",
        "Send each algorithm once.",
        "policy",
    ),
    "DIG-9": Explanation(
        "The Digest is not that of the body received.",
        "Hash exactly the octets you send, and do not write the JSON again after hashing.",
        "RFC 3230 §4.3.2",
    ),
    "DIG-12": Explanation(
        "A Digest value has parameters.",
        "Send the value alone, without ;q= or others.",
        "policy",
    ),
    # RFC 9421 and RFC 9530
    "M-CAR": Explanation(
        "Signature-Input and Signature are not the two dictionaries of RFC 9421.",
        'Send Signature-Input: sig1=("@method" …);created=…;keyid="…" and Signature: sig1=:…:.',
        "RFC 9421 §4",
    ),
    "M-LBL": Explanation(
        "Signature-Input and Signature do not hold one signature under one label.",
        "Send one signature, with the same label in both fields.",
        "RFC 9421 §3.2",
    ),
    "M-PAR": Explanation(
        "A parameter of Signature-Input is missing, unknown, doubled or of a wrong type.",
        "Send created and expires as integers, keyid, alg, nonce and tag as strings, once each.",
        "RFC 9421 §2.3",
    ),
    "M-CMP": Explanation(
        "A covered component is unknown, doubled or not in the request.",
        "Cover fields the request has, in lower case, and derived components of requests, once.",
        "RFC 9421 §2, §2.5",
    ),
    "M-COV": Explanation(
        "A component that must be covered is not.",
        'Cover "@method" "@authority" "@path" "content-digest" "x-request-id", "@query" if any.',
        "RFC 9421 §7.2.1",
    ),
    "M-TIM": Explanation(
        "created is missing, too old or in the future, or the signature has expired.",
        "Sign each request when it is sent, with created in seconds since 1970, UTC.",
        "RFC 9421 §3.2, §7.2.2",
    ),
    "M-ALG": Explanation(
        "alg contradicts the key that keyid names, or the key has no algorithm of RFC 9421.",
        "Send the alg of the registered key, or leave alg out.",
        "RFC 9421 §3.2, §7.3.6",
    ),
    "M-SIG": Explanation(
        "The signature is not that of the key over this request.",
        "Compare your signature base; PSS needs a salt of 64 octets, ECDSA r and s side by side.",
        "RFC 9421 §2.5, §3.3",
    ),
    "M-CD-1": Explanation(
        "Content-Digest is not a dictionary of byte sequences of the right length.",
        "Send Content-Digest: sha-256=:…:, with the base64 between colons.",
        "RFC 9530 §2",
    ),
    "M-CD-2": Explanation(
        "Content-Digest is missing or has neither sha-256 nor sha-512.",
        "Send Content-Digest: sha-256=:…: of the body.",
        "RFC 9530 §5",
    ),
    "M-CD-3": Explanation(
        "The Content-Digest is not that of the body received.",
        "Hash exactly the octets you send, and do not write the JSON again after hashing.",
        "RFC 9530 §2",
    ),
    "M-CD-4": Explanation(
        "Content-Digest has an algorithm twice.",
        "Send each algorithm once.",
        "policy",
    ),
}
