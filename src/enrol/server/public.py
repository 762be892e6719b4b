"""What anybody may read: health, server metadata, the API description, the words of a code."""

from collections.abc import Callable
from dataclasses import dataclass

import msgspec

from enrol.errors import EntryPointError, UnavailableError
from enrol.explanations import EXPLANATIONS
from enrol.server.answer import Answer, answer
from enrol.server.call import Call
from enrol.server.drain import Drain


@dataclass(frozen=True, slots=True)
class Health:
    """``/health``: whether this server takes requests now.

    `check_trust` raises `UnavailableError` where nobody can be judged.
    """

    drain: Drain
    is_storage_healthy: Callable[[], bool]
    check_trust: Callable[[], object] = lambda: None

    async def get(self, call: Call) -> Answer:
        """Answer 200, or 503 with the reason."""
        if self.drain.draining:
            raise UnavailableError("draining")
        if not self.is_storage_healthy():
            raise UnavailableError("storage_unavailable")
        self.check_trust()
        return answer(200, b'{"status":"ok"}', request_id=call.request_id)


@dataclass(frozen=True, slots=True)
class Document:
    """A JSON document that does not change while the server runs."""

    body: bytes

    async def get(self, call: Call) -> Answer:
        """Answer 200 with the document."""
        return answer(200, self.body, request_id=call.request_id)


async def get_explanation(call: Call) -> Answer:
    """Answer 200 with what a code means, what to change and where the rule is written."""
    code = call.scope["path_params"]["code"]
    explanation = EXPLANATIONS.get(code)
    if explanation is None:
        raise EntryPointError("entry_point_unknown")
    body = {
        "code": code,
        "meaning": explanation.meaning,
        "remedy": explanation.remedy,
        "clause": explanation.clause,
    }
    return answer(200, msgspec.json.encode(body), request_id=call.request_id)
