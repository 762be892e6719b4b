"""Attacks on time and chance: a clock that jumps, and ids that could be foreseen."""

from datetime import UTC, datetime
from itertools import pairwise

from attacks.attempt import Attempt
from attacks.bank import Bank
from attacks.clocked_desk import CLOCK
from attacks.wire import Outcome

_SAMPLE = 30
"""How many registrations are compared, of the 100 000 of the file: each takes a signature."""


def clock_jumps(attempt: Attempt) -> list[Outcome]:
    """AC-278: the clock is set while requests go on, and set right again."""
    file = attempt.bank.desk.folder / CLOCK
    outcomes = [attempt.send(attempt.compose().to_bytes())]
    try:
        for ahead in _jumps(attempt.attack.text):
            file.write_text(str(ahead))
            outcomes.append(attempt.send(attempt.compose().to_bytes()))
            attempt.notes["latest"] = ahead
    finally:
        file.write_text("0")
    return outcomes


def _jumps(text: str) -> list[float]:
    match text:
        case "2038-01-19":
            return [datetime(2038, 1, 19, 3, 14, 8, tzinfo=UTC).timestamp() - _now()]
        case "backwards 10 s every second":
            return [-10.0 * number for number in range(1, 6)]
        case seconds:
            return [float(seconds)]


def _now() -> float:
    return datetime.now(UTC).timestamp()


def collected(attempt: Attempt, banks: list[Bank]) -> list[Outcome]:
    """AC-276 and AC-280: register again and again, at one bank or at several processes."""
    outcomes: list[Outcome] = []
    ids: list[str] = []
    tokens: list[str] = []
    for bank in banks:
        for _ in range(_SAMPLE // len(banks)):
            reply = bank.a.register()
            outcomes.append(Outcome((reply,)))
            ids.append(reply.json["client_id"])
            tokens.append(reply.json["registration_access_token"])
            tokens.append(bank.a.send(bank.a.token_draft()).json["access_token"])
    attempt.notes.update(ids=ids, tokens=tokens, banks=banks[1:])
    return outcomes


def no_collision(attempt: Attempt, _: str) -> None:
    """Nothing drawn comes twice."""
    drawn = attempt.notes["ids"] + attempt.notes["tokens"]
    assert len(set(drawn)) == len(drawn)


def bits_at_least(attempt: Attempt, _: str) -> None:
    """A client_id has room for 128 bits, of which 80 are chance; a token has 128 of them."""
    assert all(len(text) * 4 >= 128 for text in attempt.notes["ids"])
    assert all(len(text) * 6 >= 128 and len(set(text)) > 16 for text in attempt.notes["tokens"])


def not_sequential(attempt: Attempt, _: str) -> None:
    """None can be counted up to from another: after its time an id is chance, a token is whole."""
    ends = sorted(int(text[12:], 16) for text in attempt.notes["ids"])
    assert all(other - one > 1 << 32 for one, other in pairwise(ends))
    tokens = sorted(attempt.notes["tokens"])
    assert all(one[:8] != other[:8] for one, other in pairwise(tokens))
