"""Software statements that say otherwise than the request, or are of somebody else."""

import time
from typing import Any

from attacks.attempt import Attempt
from attacks.directory import DIRECTORY

_X, _Y = "https://x.test/cb", "https://y.test/cb"


def _statement(organization: str, **claims: Any) -> str:
    made = DIRECTORY.claims(time.time(), provider_legal_id=organization, **claims)
    return DIRECTORY.sign(made)


def contradicted(attempt: Attempt) -> None:
    """AC-200: the statement has X; beside it stands Y, alone and after X."""
    organization = attempt.sender.organization

    def act() -> list[Any]:
        outcomes = []
        for number, uris in enumerate(([_Y], [_X, _Y])):
            text = _statement(organization, redirect_uris=[_X], jti=f"AC-200-{number}")
            attempt.document |= {"software_statement": text, "redirect_uris": uris}
            outcomes.append(attempt.send(attempt.compose().to_bytes()))
        return outcomes

    attempt.act = act


def stolen(attempt: Attempt) -> None:
    """AC-201: A sends the statement of B, whose client has that software_id."""
    b = attempt.bank.b
    text = _statement(b.organization, software_id="of-b", jti="AC-201")
    reply = b.register(b.metadata(software_statement=text, redirect_uris=None))
    assert reply.status == 201, reply
    attempt.document |= {"software_statement": text, "redirect_uris": None}


CASES = {"AC-200": contradicted, "AC-201": stolen}
"""What prepares each case."""


def statement_wins_or_reject(attempt: Attempt, _: str) -> None:
    """Nobody is registered with what the statement does not hold."""
    for reply in attempt.replies:
        assert reply.status == 400 or reply.json["redirect_uris"] == [_X]
    assert attempt.bank.desk.count_clients() == attempt.start.clients
