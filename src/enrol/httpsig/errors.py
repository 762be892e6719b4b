"""What this floor refuses: its own branches of the error tree, and the one that answers 401."""

from enrol.errors import MalformedRequestError, SignatureError

__all__ = ["DigestError", "HygieneError", "SignatureError", "SignatureSyntaxError"]


class HygieneError(MalformedRequestError):
    """The message itself is ambiguous: field names, values, doubled fields or the target."""


class DigestError(MalformedRequestError):
    """Digest or Content-Digest is absent, cannot be read, or is not that of the body received."""


class SignatureSyntaxError(MalformedRequestError):
    """Signature or Signature-Input is absent or cannot be read."""
