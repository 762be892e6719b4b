"""The group dos: many connections that ask for little, and texts that take long to read."""

import contextlib
import resource
import socket
import ssl
from collections.abc import Callable, Iterator
from contextlib import ExitStack

from attacks.attempt import Attempt
from attacks.bank import eventually
from attacks.signatures import sign
from attacks.wire import PATIENCE, Outcome, client_context, dial, listen
from live.party import Draft, Party, read_reply

_HEALTH = Draft("GET", "/health", [("Host", "localhost")]).to_bytes()
_DOCUMENT = Draft("GET", "/openapi.json", [("Host", "localhost")]).to_bytes()
_CLIENT_FILES = 8192


def prepare(attempt: Attempt) -> None:
    """Prepare a case of the group."""
    _CASES[attempt.attack.name](attempt)


def _count(attempt: Attempt) -> int:
    """Return how many connections the case speaks of."""
    return int(attempt.attack.case["mutate"][-1]["conns"])


@contextlib.contextmanager
def _crowd() -> Iterator[ExitStack]:
    """Have room for many connections, and close them at the end."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    wanted = _CLIENT_FILES if hard == resource.RLIM_INFINITY else min(_CLIENT_FILES, hard)
    resource.setrlimit(resource.RLIMIT_NOFILE, (max(soft, wanted), hard))
    try:
        with ExitStack() as opened:
            yield opened
    finally:
        resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))


def _slow_heads(attempt: Attempt) -> None:
    """AC-238: a head octet by octet on many connections, while another TPP registers."""

    def act() -> list[Outcome]:
        context = client_context(attempt.identity)
        with _crowd() as opened:
            crowd = []
            for _ in range(_count(attempt)):
                connection = dial(attempt.bank.desk.port, None, context=context)
                crowd.append(opened.enter_context(connection))
                connection.sendall(b"P")
            attempt.notes["good"] = attempt.bank.b.register()
            return [listen(connection, b"O") for connection in crowd]

    attempt.act = act


def _slow_readers(attempt: Attempt) -> None:
    """AC-240: nobody reads the answers; the files of the bank say when it has had enough."""

    def act() -> list[Outcome]:
        bank, context = attempt.bank, client_context(attempt.identity)
        data = attempt.compose().to_bytes() + _DOCUMENT * 60
        with _crowd() as opened:
            for _ in range(_count(attempt)):
                raw = opened.enter_context(socket.socket())
                raw.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 1)  # the kernel's least
                raw.settimeout(PATIENCE)
                raw.connect(("127.0.0.1", bank.desk.port))
                connection = opened.enter_context(context.wrap_socket(raw))
                connection.sendall(data)
            assert eventually(lambda: bank.count_descriptors() <= bank.descriptors + 5, within=20)
        return [Outcome(closed=True)]

    attempt.act = act


def _idle_connections(attempt: Attempt) -> None:
    """AC-241: connections that ask once and stay; those beyond the limit are not let in."""

    def act() -> list[Outcome]:
        bank, context = attempt.bank, client_context(attempt.identity)
        most_open, inside, turned_away = 0, [], 0
        with _crowd() as opened:
            for number in range(_count(attempt)):
                try:
                    connection = dial(bank.desk.port, None, context=context)
                except (OSError, ssl.SSLError):
                    turned_away += 1
                else:
                    inside.append(opened.enter_context(connection))
                    connection.sendall(_HEALTH)
                if number % 100 == 0:
                    most_open = max(most_open, bank.count_descriptors() - bank.descriptors)
            for connection in inside:
                assert read_reply(connection).status == 200
            attempt.notes["most_open"], attempt.notes["turned_away"] = most_open, turned_away
            return [listen(connection) for connection in inside]

    attempt.act = act


def _few_files(attempt: Attempt) -> None:
    """AC-245: more connections than the bank may have files, none of which speaks."""

    def act() -> list[Outcome]:
        address = ("127.0.0.1", attempt.bank.desk.port)
        with _crowd() as opened:
            crowd = [
                opened.enter_context(socket.create_connection(address, timeout=PATIENCE))
                for _ in range(_count(attempt))
            ]
            return [listen(connection) for connection in crowd]

    attempt.act = act


def _long_readings(attempt: Attempt) -> None:
    """AC-243: in every place that a grammar reads, a text that nearly fits it in many ways."""
    party = attempt.sender

    def post(change: dict[str, object]) -> Draft:
        return sign(party.draft("POST", body={**attempt.document, **change}), party)

    ids = ("a" * 8000, "a-" * 4000 + "\x7f", "é" * 71)

    def act() -> list[Outcome]:
        drafts = [post(change) for change in _NEARLY]
        drafts += [_named(party, text, attempt.document) for text in ids]
        attempt.judged = len(drafts)  # those that follow have words or statuses of their own
        drafts += [post({"redirect_uris": [uri]}) for uri in _NEARLY_URIS] + _unjudged(attempt)
        outcomes = [attempt.send(draft.to_bytes()) for draft in drafts]
        taken = [n for n, outcome in enumerate(outcomes) if outcome.kind in (200, 201)]
        assert not taken, taken
        return outcomes

    attempt.act = act


_NEARLY: list[dict[str, object]] = [
    {"contacts": ["a" * 9000 + "@"]},
    {"contacts": ["a." * 3000 + "@" + "b-" * 3000 + "!"]},
    {"contacts": ["@" * 9000]},
    {"client_name": "a " * 9000 + "\x01"},
    {"scope": "aisp " * 9000 + "!"},
    {"provider_legal_id": "PSDFR-" + "A-" * 9000 + "!"},
    {"client_uri": "https://" + "a/" * 9000 + "\\"},
]
"""Metadata that is wrong at its end only."""

_NEARLY_URIS = (
    "https://" + "a." * 900 + "!",
    "https://" + "a-" * 900 + ".test/",
    "https://tpp.test/" + "%2" * 900,
    "https://" + "0." * 400 + ":" + "9" * 900,
    "https://[" + ":" * 1900 + "]/",
)


def _named(party: Party, text: str, document: object) -> Draft:
    draft = party.draft("POST", body=document)
    return sign(draft.set("X-Request-ID", text.encode().decode("latin-1")), party)


def _unjudged(attempt: Attempt) -> list[Draft]:
    """Return requests whose fields are as long, which have other statuses."""
    fields = (
        ("Signature", 'keyId="' + '\\"' * 5000),
        ("Signature", 'keyId="a",' * 1000 + "!"),
        ("Signature", 'headers="' + "a " * 5000 + '"'),
        ("Digest", "SHA-256=" * 1500),
        ("Accept", "a/b;q=0." + "0" * 9000 + "1"),
        ("Accept", "a/b," * 3000),
        ("Authorization", "Bearer " + "a." * 5000 + "!"),
        ("Content-Type", "application/" + "js/on" * 2000),
    )
    return [attempt.compose().set(name, text) for name, text in fields]


_CASES: dict[str, Callable[[Attempt], None]] = {
    "AC-238": _slow_heads,
    "AC-240": _slow_readers,
    "AC-241": _idle_connections,
    "AC-243": _long_readings,
    "AC-245": _few_files,
}
