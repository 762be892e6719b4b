"""The group race: requests that come at the same time."""

from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from threading import Barrier

from attacks.attempt import Attempt
from attacks.clients import request_of
from attacks.signatures import sign
from attacks.wire import Identity, Outcome, exchange
from live.party import Draft, Party

Shot = tuple[Identity | None, bytes]


def prepare(attempt: Attempt) -> None:
    """Prepare a case of the group."""
    _CASES[attempt.attack.name](attempt)


def together(attempt: Attempt, shots: Sequence[Shot]) -> list[Outcome]:
    """Send on a connection each, all at the same moment."""
    barrier, port = Barrier(len(shots)), attempt.bank.desk.port

    def shoot(shot: Shot) -> Outcome:
        barrier.wait(timeout=20)
        return exchange(port, *shot)

    with ThreadPoolExecutor(len(shots)) as pool:
        return list(pool.map(shoot, shots))


def _shot(party: Party, draft: Draft) -> Shot:
    return party.qwac, sign(draft, party).to_bytes()


def _beyond_the_quota(attempt: Attempt) -> None:
    """AC-225: fifty registrations where five clients are allowed."""
    a = attempt.sender
    shots = [_shot(a, a.draft("POST", body=a.metadata())) for _ in range(50)]
    attempt.act = lambda: together(attempt, shots)


def _changed_while_deleted(attempt: Attempt) -> None:
    """AC-228: an update, a deletion and twenty reads of one client."""
    a = attempt.sender
    a.register()  # of the same key, so that signatures hold after the deletion
    client_id = str(a.register().json["client_id"])
    attempt.notes["client_id"] = client_id
    methods = ("PUT", "DELETE", *["GET"] * 20)
    shots = [_shot(a, request_of(a, method, client_id)) for method in methods]
    attempt.act = lambda: together(attempt, shots)


def _same_bytes(attempt: Attempt) -> None:
    """AC-230: one signature twenty times; a register belongs to one process, so to that."""
    data = attempt.compose().to_bytes()
    attempt.act = lambda: together(attempt, [(attempt.identity, data)] * 20)


def _same_name(attempt: Attempt) -> None:
    """AC-231: A and B register the same name."""
    parties = (attempt.bank.a, attempt.bank.b)
    shots = [_shot(party, party.draft("POST", body=party.metadata())) for party in parties]
    attempt.act = lambda: together(attempt, shots)


_CASES: dict[str, Callable[[Attempt], None]] = {
    "AC-225": _beyond_the_quota,
    "AC-228": _changed_while_deleted,
    "AC-230": _same_bytes,
    "AC-231": _same_name,
}
