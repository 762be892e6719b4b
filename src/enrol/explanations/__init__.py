"""Plain words for every code: what the rule means, what to change, where it is written."""

from collections.abc import Mapping

from enrol.explanations.client import CLIENT
from enrol.explanations.client_authentication import CLIENT_AUTHENTICATION
from enrol.explanations.control import CONTROL
from enrol.explanations.eidas import EIDAS
from enrol.explanations.explanation import Explanation
from enrol.explanations.httpsig import HTTPSIG
from enrol.explanations.issued_tokens import ISSUED_TOKENS
from enrol.explanations.messages import MESSAGES
from enrol.explanations.metadata import METADATA
from enrol.explanations.registration import REGISTRATION
from enrol.explanations.server import SERVER
from enrol.explanations.statements import STATEMENTS
from enrol.explanations.states import STATES
from enrol.explanations.tokens import TOKENS
from enrol.explanations.trustlists import TRUSTLISTS

EXPLANATIONS: Mapping[str, Explanation] = {
    **SERVER,
    **METADATA,
    **STATEMENTS,
    **TOKENS,
    **REGISTRATION,
    **STATES,
    **ISSUED_TOKENS,
    **MESSAGES,
    **EIDAS,
    **HTTPSIG,
    **CLIENT,
    **CLIENT_AUTHENTICATION,
    **TRUSTLISTS,
    **CONTROL,
}

__all__ = ["EXPLANATIONS", "Explanation", "explain"]


def explain(code: str) -> Explanation:
    """Return the explanation of `code`; a code without one is a defect and raises KeyError."""
    return EXPLANATIONS[code]
