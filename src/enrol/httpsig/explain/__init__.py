"""Why a signature is refused: diagnosis beside the verifier, which it uses and never replaces.

`explain_signature` takes a message, a key and a policy and returns a `SignatureReport`: every rule
by itself, the signing string computed, and the known mistakes with which the message would verify.
"""

from enrol.httpsig.explain.report import (
    GivenKey,
    Mistake,
    RuleFinding,
    SignatureReport,
    Verdict,
)
from enrol.httpsig.explain.signature import explain_signature
from enrol.httpsig.explain.visible import Difference, first_difference, visible

__all__ = [
    "Difference",
    "GivenKey",
    "Mistake",
    "RuleFinding",
    "SignatureReport",
    "Verdict",
    "explain_signature",
    "first_difference",
    "visible",
]
