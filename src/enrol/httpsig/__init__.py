"""HTTP message signatures and digests: draft-cavage 08 to 12 and RFC 9421, pure and typed.

`HttpMessage` holds what was received. `parse_signature` reads it, the caller finds the key that
`unverified_keyid` names, `verify_signature` judges everything else, the digest of the body
included; `verify_message` does the three in a row. `sign` and `sign_rfc9421` are the other side.
"""

from enrol.httpsig.algorithm import usual_label
from enrol.httpsig.cavage import SignatureParameters, signing_string
from enrol.httpsig.components import Component, ComponentSource
from enrol.httpsig.coverage import digest_is_required
from enrol.httpsig.crypto import (
    Primitive,
    SigningKey,
    VerificationKey,
    signing_key,
    verification_key,
)
from enrol.httpsig.digest import (
    VerifiedDigest,
    content_digest_value,
    digest_value,
    verify_digest,
)
from enrol.httpsig.errors import DigestError, HygieneError, SignatureError, SignatureSyntaxError
from enrol.httpsig.keyid import (
    CertificateUrl,
    KeyName,
    KnownKey,
    check_certificate,
    find_key,
    matches_certificate,
    parse_keyid,
)
from enrol.httpsig.message import HttpMessage, check_fields, check_hygiene
from enrol.httpsig.policy import (
    RESPONSE,
    STET,
    STET_LIST,
    STRICT,
    CoverageProfile,
    Mode,
    Quirk,
    SignaturePolicy,
)
from enrol.httpsig.rfc9421 import MessageSignature, signature_base
from enrol.httpsig.sign import (
    COMPONENTS,
    RESPONSE_COVERED,
    STET_COVERED,
    content_digest_field,
    digest_field,
    sign,
    sign_rfc9421,
)
from enrol.httpsig.verify import (
    ParsedSignature,
    VerifiedSignature,
    parse_signature,
    unverified_keyid,
    verify_message,
    verify_signature,
)

__all__ = [
    "COMPONENTS",
    "RESPONSE",
    "RESPONSE_COVERED",
    "STET",
    "STET_COVERED",
    "STET_LIST",
    "STRICT",
    "CertificateUrl",
    "Component",
    "ComponentSource",
    "CoverageProfile",
    "DigestError",
    "HttpMessage",
    "HygieneError",
    "KeyName",
    "KnownKey",
    "MessageSignature",
    "Mode",
    "ParsedSignature",
    "Primitive",
    "Quirk",
    "SignatureError",
    "SignatureParameters",
    "SignaturePolicy",
    "SignatureSyntaxError",
    "SigningKey",
    "VerificationKey",
    "VerifiedDigest",
    "VerifiedSignature",
    "check_certificate",
    "check_fields",
    "check_hygiene",
    "content_digest_field",
    "content_digest_value",
    "digest_field",
    "digest_is_required",
    "digest_value",
    "find_key",
    "matches_certificate",
    "parse_keyid",
    "parse_signature",
    "sign",
    "sign_rfc9421",
    "signature_base",
    "signing_key",
    "signing_string",
    "unverified_keyid",
    "usual_label",
    "verification_key",
    "verify_digest",
    "verify_message",
    "verify_signature",
]
