"""What is said of a signature: the verdict on each rule, and the mistakes that would explain it."""

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from cryptography.hazmat.primitives.asymmetric.types import PublicKeyTypes

from enrol.httpsig.crypto import Primitive
from enrol.httpsig.explain.visible import Difference
from enrol.httpsig.policy import Mode


class Verdict(StrEnum):
    """What became of a rule."""

    HOLDS = "holds"
    FAILS = "fails"
    UNDECIDED = "undecided"


@dataclass(frozen=True, slots=True)
class GivenKey:
    """The key a signature is held against, and what is known of it.

    `primitive` is the one stored for the key, None for the usual of its kind. `certificate` is
    DER; `file` are the octets of the file it was read from; `keyid` is the name it is registered
    under. What is None is not known, and what rests on it stays undecided.
    """

    public_key: PublicKeyTypes
    primitive: Primitive | None = None
    certificate: bytes | None = None
    file: bytes | None = None
    keyid: str | None = None


@dataclass(frozen=True, slots=True)
class RuleFinding:
    """The verdict on one rule.

    `sentence` has nothing of the message in it; `detail` may, and is None where there is no more
    to say.
    """

    rule: str
    verdict: Verdict
    sentence: str
    detail: str | None = None


@dataclass(frozen=True, slots=True)
class Mistake:
    """A known mistake that explains a failure: it was tried, and with it the message verifies.

    `name` is stable; `sentence` has nothing of the message in it; `detail` may. `signing_string`
    is the one the signature is over, where that is what differs.
    """

    name: str
    sentence: str
    detail: str | None = None
    signing_string: bytes | None = None


@dataclass(frozen=True, slots=True)
class SignatureReport:
    """What an explanation found.

    `verdict` is the verifier's own; `refused_by` the rule it refuses by first. `signing_string` is
    the one computed (the signature base of RFC 9421), None where none can be; `difference` is how
    the one the client claims departs from it. `made_with_key` says whether the key made the
    signature at all, over whatever text; None where that cannot be seen. `verifies_at` is the time
    the message itself states, where it verifies then and not now.
    """

    mode: Mode
    verdict: Verdict
    refused_by: str | None
    findings: tuple[RuleFinding, ...]
    mistakes: tuple[Mistake, ...]
    signing_string: bytes | None
    difference: Difference | None
    made_with_key: bool | None
    verifies_at: datetime | None

    def having(self, verdict: Verdict) -> tuple[RuleFinding, ...]:
        """Return the findings of one verdict."""
        return tuple(finding for finding in self.findings if finding.verdict is verdict)
