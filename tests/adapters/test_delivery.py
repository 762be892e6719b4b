"""Messages arrive at least once and, of one client, in order, whatever the receiver does."""

import asyncio
from collections import Counter
from collections.abc import AsyncIterator, Callable
from datetime import datetime, timedelta
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from msgspec.structs import replace

from adapters.registers import open_here
from adapters.test_outbox import suspension
from adapters.values import AT, creation, record, removal, replacement
from enrol.adapters.delivery import Delivery, RetryPolicy
from enrol.adapters.outbox import Message, Settlement
from enrol.adapters.sqlite import open_sqlite
from enrol.adapters.store import RegisterStore, StoreSettings
from enrol.adapters.webhooks import PARALLEL, Receipt, Verdict
from enrol.errors import UnavailableError
from enrol.registration.client_events import CLIENT_EVENTS

TOLD = frozenset(CLIENT_EVENTS)
TAKEN = Receipt(Verdict.TAKEN)
REFUSED = Receipt(Verdict.REFUSED, "status 500")
ABSENT = Receipt(Verdict.ABSENT, "ConnectError")
GONE = Receipt(Verdict.GONE, "status 410")
POLICY = RetryPolicy()


class Hands:
    """A clock that moves when told, and a receiver that answers as it is told."""

    def __init__(self) -> None:
        self.now = AT
        self.sent: list[Message] = []
        self.answer: Callable[[Message], Receipt] = lambda _message: TAKEN

    def clock(self) -> datetime:
        return self.now

    async def send(self, message: Message, _at: datetime) -> Receipt:
        self.sent.append(message)
        return self.answer(message)

    def delivery(self, store: RegisterStore, policy: RetryPolicy = POLICY) -> Delivery:
        return Delivery(
            store.outbox, self.send, clock=self.clock, jitter=lambda: 1.0, policy=policy
        )

    def pass_by(self, seconds: float) -> None:
        self.now += timedelta(seconds=seconds)


@pytest.fixture
def hands() -> Hands:
    return Hands()


@pytest.fixture
async def store(register) -> AsyncIterator[RegisterStore]:
    opened = await open_here(register, StoreSettings(told=TOLD))
    yield opened
    await opened.aclose()


async def register(store: RegisterStore, *numbers: int) -> None:
    for number in numbers:
        await store.clients.commit(creation(number))


def ids(messages: list[Message]) -> list[int]:
    return [message.id for message in messages]


async def test_what_is_taken_is_sent_once(store, hands):
    await register(store, 1, 2)
    delivery = hands.delivery(store)
    assert await delivery.step() == 0.0
    assert await delivery.step() == 60.0
    assert ids(hands.sent) == [1, 2]


async def test_at_most_so_many_are_on_their_way_at_once(store, hands):
    await register(store, *range(1, 2 * PARALLEL + 2))
    delivery = hands.delivery(store)
    await delivery.step()
    assert ids(hands.sent) == [*range(1, PARALLEL + 1)]


async def test_what_is_refused_is_retried_ever_more_slowly_and_then_given_up(store, hands, query):
    await register(store, 1)
    await store.clients.set_state(suspension(1))
    hands.answer = lambda _message: REFUSED
    delivery, pauses = hands.delivery(store), []
    while await delivery.step() == 0.0 and (pause := await delivery.step()) != 60.0:
        pauses.append(pause)
        hands.pass_by(pause)
    assert pauses[:6] == [1.0, 2.0, 4.0, 8.0, 16.0, 32.0]


async def test_what_failed_for_too_long_is_given_up(store, hands, query):
    await register(store, 1, 2)
    await store.clients.set_state(suspension(1))
    hands.answer = lambda message: REFUSED if message.client_id == "client-1" else TAKEN
    delivery = hands.delivery(store, RetryPolicy(longest=timedelta(seconds=10)))
    for _ in range(5):
        await delivery.step()
        hands.pass_by(20)
    assert ids(hands.sent) == [1, 2, 1]
    assert query("SELECT id, failure FROM outbox WHERE dead_at IS NOT NULL") == [(1, "status 500")]
    await store.outbox.retry(1, hands.now)
    hands.answer = lambda _message: TAKEN
    while await delivery.step() == 0.0:
        pass
    assert ids(hands.sent) == [1, 2, 1, 1, 3]


async def test_who_is_not_there_is_asked_by_one_message_now_and_then(store, hands):
    await register(store, *range(1, 21))
    hands.answer = lambda _message: ABSENT
    delivery = hands.delivery(store)
    await delivery.step()
    assert len(hands.sent) == PARALLEL
    pauses = []
    for _ in range(10):
        pauses.append(await delivery.step())
        hands.pass_by(pauses[-1])
        await delivery.step()
    assert len(hands.sent) == PARALLEL + 10
    assert pauses == [1.0, 2.0, 4.0, 8.0, 16.0, 32.0, 60.0, 60.0, 60.0, 60.0]


async def test_once_back_the_receiver_gets_everything_within_a_minute(store, hands):
    await register(store, *range(1, 21))
    hands.answer = lambda _message: ABSENT
    delivery = hands.delivery(store)
    for _ in range(20):
        hands.pass_by(await delivery.step())
    hands.answer = lambda _message: TAKEN
    back = hands.now
    while (left := await delivery.step()) < 60.0 or await store.outbox.due(hands.now, 1):
        hands.pass_by(left)
    assert hands.now - back <= timedelta(minutes=2)
    assert await store.outbox.next_time() is None


async def test_who_asks_for_a_pause_gets_it(store, hands):
    await register(store, 1)
    hands.answer = lambda _message: Receipt(Verdict.ABSENT, "status 429", 300)
    delivery = hands.delivery(store)
    await delivery.step()
    assert await delivery.step() == 300.0


async def test_who_wants_no_more_gets_no_more_until_an_operator_says_so(store, hands):
    await register(store, 1)
    hands.answer = lambda _message: GONE
    delivery = hands.delivery(store)
    await delivery.step()
    await register(store, 2)
    hands.pass_by(3600)
    assert await delivery.step() == 60.0
    assert ids(hands.sent) == [1]
    hands.answer = lambda _message: TAKEN
    await store.outbox.retry(None, hands.now)
    while await delivery.step() == 0.0:
        pass
    assert ids(hands.sent) == [1, 1, 2]


async def test_a_register_that_cannot_be_written_loses_nothing(store, hands, monkeypatch):
    await register(store, 1)

    async def settle(_settlement: Settlement) -> None:
        raise UnavailableError("storage_unavailable")

    with monkeypatch.context() as broken:
        broken.setattr(store.outbox, "settle", settle)
        with pytest.raises(UnavailableError):
            await hands.delivery(store).step()
    while await hands.delivery(store).step() == 0.0:
        pass
    assert [message.message_id for message in hands.sent] == [hands.sent[0].message_id] * 2


async def test_it_wakes_up_for_what_is_new(store, hands):
    running = asyncio.create_task(hands.delivery(store).run())
    taken = asyncio.Event()

    def answer(_message: Message) -> Receipt:
        taken.set()
        return TAKEN

    hands.answer = answer
    await register(store, 1)
    await asyncio.wait_for(taken.wait(), 5)
    running.cancel()
    await asyncio.gather(running, return_exceptions=True)


class KilledError(Exception):
    """The process ends after the receiver took a message, before that is written."""


ANSWERS = {"taken": TAKEN, "refused": REFUSED, "absent": ABSENT, "gone": GONE, "killed": TAKEN}
HAPPENINGS = st.lists(
    st.one_of(
        st.tuples(st.just("change"), st.integers(1, 3)),
        st.tuples(st.just("step"), st.lists(st.sampled_from([*ANSWERS]), max_size=9)),
        st.tuples(st.just("pass_by"), st.sampled_from([0.5, 30, 4000, 400_000])),
        st.tuples(st.just("restart"), st.none()),
        st.tuples(st.just("retry"), st.none()),
    ),
    max_size=40,
)


class Life:
    """A register whose clients are registered, changed twice and deleted, and its delivery."""

    def __init__(self, path: Path) -> None:
        self.path, self.hands = path, Hands()
        self.versions: Counter[int] = Counter()
        self.taken: list[tuple[str, int]] = []
        self.open()

    def open(self) -> None:
        self.store = open_sqlite(self.path, StoreSettings(told=TOLD))
        self.delivery = self.hands.delivery(self.store)

    async def change(self, number: int) -> None:
        version = self.versions[number]
        old, request_number = replace(record(number), version=version), 100 * number + version
        if version == 0:
            await self.store.clients.commit(creation(number))
        elif version < 3:
            await self.store.clients.commit(replacement(old, request_number=request_number))
        elif version == 3:
            await self.store.clients.commit(removal(old, request_number=request_number))
        self.versions[number] = min(version + 1, 4)

    async def step(self, answers: list[str]) -> None:
        """Deliver once; what is left without an answer is taken."""
        left = iter(answers)

        def answer(message: Message) -> Receipt:
            name = next(left, "taken")
            if ANSWERS[name] is TAKEN:
                self.taken.append((message.client_id, message.id))
            if name == "killed":
                raise KilledError
            return ANSWERS[name]

        self.hands.answer = answer
        try:
            await self.delivery.step()
        except KilledError:
            await self.restart()

    async def pass_by(self, seconds: float) -> None:
        self.hands.pass_by(seconds)

    async def restart(self, _: None = None) -> None:
        await self.store.aclose()
        self.open()

    async def retry(self, _: None = None) -> None:
        await self.store.outbox.retry(None, self.hands.now)


@settings(
    max_examples=100,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture],
)
@given(happenings=HAPPENINGS)
async def test_each_client_is_told_of_in_order_whatever_fails(
    tmp_path_factory, blank_register, happenings
):
    """Refusals, absences, kills between taking and writing, restarts, orders of operators."""
    path = tmp_path_factory.mktemp("order") / "enrol.db"
    path.write_bytes(blank_register)
    life = Life(path)
    for what, how in happenings:
        await getattr(life, what)(how)
    await life.retry()
    while await life.store.outbox.next_time() is not None:
        await life.step([])
    await life.store.aclose()
    for number, changes in life.versions.items():
        arrived = [each for name, each in life.taken if name == f"client-{number}"]
        assert arrived == sorted(arrived)
        assert len(set(arrived)) == changes
