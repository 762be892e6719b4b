"""A command beside a server has it change the register, and nobody else has."""

import asyncio
import json
import os
import pwd
import socket
import stat
import subprocess
import tempfile
from contextlib import asynccontextmanager
from pathlib import Path

import msgspec
import pytest

from adapters.test_states import ONE, REVOKED, resumption, suspension
from adapters.values import AT, creation, record
from enrol.adapters.control import client, peers, server
from enrol.adapters.control.client import Control
from enrol.adapters.control.peers import House, Peer, account_of, actor_of
from enrol.adapters.control.server import MOST_AT_ONCE, Office, bind_control, serve_control
from enrol.adapters.control.wire import LONGEST_REQUEST, CarryOut, control_path, write_line
from enrol.errors import (
    ConfigurationError,
    EntitlementError,
    MalformedRequestError,
    OrderError,
    RefusalError,
)
from enrol.oauth.types import ClientId
from enrol.registration.operators import Action, Order

MALFORMED = {"type": "refused", "code": "control_malformed"}
ORDER = Order(Action.SUSPEND, ONE, "Fraud")
as_root = pytest.mark.skipif(os.geteuid() != 0, reason="only root can be somebody else")


class Desk:
    """Takes orders down, and returns a client or fails."""

    def __init__(self, failure=None):
        self.taken = []
        self.failure = failure
        self.gate = asyncio.Event()
        self.gate.set()

    async def carry_out(self, order, *, actor):
        self.taken.append((order, actor))
        await self.gate.wait()
        if self.failure is not None:
            raise self.failure
        return record(1)


@asynccontextmanager
async def serving(path, desk, states=None, house=None):
    place, house = control_path(path), house or House(os.geteuid())
    listening = bind_control(place, house)
    async with serve_control(listening, Office(desk, states, None, house)):
        yield place
    place.unlink()


async def say(place, *parts, ends=False):
    """Send bytes as they are and return the answer."""
    reader, writer = await asyncio.open_unix_connection(place, limit=1 << 22)
    try:
        for part in parts:
            writer.write(part)
        if ends:
            writer.write_eof()
        return json.loads(await reader.readline())
    finally:
        writer.close()


# What is asked is done


async def test_an_order_is_carried_out_for_the_account_that_gives_it(path):
    desk = Desk()
    async with serving(path, desk):
        assert await Control(path).carry_out(ORDER, actor=None) == record(1)
    assert desk.taken == [(ORDER, pwd.getpwuid(os.geteuid()).pw_name)]


async def test_a_trusted_account_orders_in_the_name_of_a_person(path):
    desk = Desk()
    async with serving(path, desk):
        await Control(path).carry_out(ORDER, actor="jane.doe@bank.example")
    account = account_of(os.geteuid())
    assert desk.taken == [(ORDER, f"jane.doe@bank.example by {account}")]


async def test_a_refusal_comes_back_with_its_code(path):
    async with serving(path, Desk(OrderError("transition_refused"))):
        with pytest.raises(RefusalError, match="transition_refused"):
            await Control(path).carry_out(ORDER, actor=None)


async def test_states_are_set_and_what_changed_meanwhile_stays(path, store):
    await store.clients.commit(creation(1))
    async with serving(path, Desk(), store.clients):
        changes = [resumption(2), suspension(version=7), suspension()]
        await Control(path).set_states(changes)
    assert (await store.clients.find(ONE)).standing == REVOKED


async def test_a_desk_that_fails_does_not_end_the_service(path):
    desk = Desk(ValueError("a defect"))
    async with serving(path, desk):
        with pytest.raises(RefusalError, match="storage_unavailable"):
            await Control(path).carry_out(ORDER, actor=None)
        desk.failure = None
        assert await Control(path).carry_out(ORDER, actor=None)


async def test_what_was_begun_is_finished_when_the_server_stops(path):
    desk = Desk()
    desk.gate.clear()
    async with serving(path, desk):
        asked = asyncio.create_task(Control(path).carry_out(ORDER, actor=None))
        idle = await asyncio.open_unix_connection(control_path(path))
        while not desk.taken:  # noqa: ASYNC110 - the desk tells nobody
            await asyncio.sleep(0)
        asyncio.get_running_loop().call_later(0.01, desk.gate.set)
    assert await asked == record(1)
    assert await idle[0].read() == b""
    idle[1].close()


# Who asks wrongly


@pytest.mark.parametrize(
    "line",
    [
        b"\n",
        b"{}\n",
        b"GET / HTTP/1.1\r\n",
        b"\x00\xff\n",
        b"[" * 100_000 + b"\n",
        b'{"type":"order"}\n',
        b'{"type":"order","order":{"action":"burn","client_id":"x"}}\n',
        b'{"type":"order","order":{"action":"delete","client_id":7}}\n',
        b'{"type":"order","order":{"action":"delete","client_id":"x"},"uid":0}\n',
        b'{"type":"states","changes":[{"client_id":"x","version":1}]}\n',
        write_line(CarryOut(ORDER)) * 2,
    ],
)
async def test_a_line_that_says_nothing_is_refused(path, line):
    desk = Desk()
    async with serving(path, desk) as place:
        assert await say(place, line) == MALFORMED
        assert desk.taken == []
        assert await Control(path).carry_out(ORDER, actor=None)


async def test_a_line_that_is_too_long_or_does_not_end_is_refused(path):
    desk = Desk()
    async with serving(path, desk) as place:
        assert await say(place, b" " * (LONGEST_REQUEST + 1)) == MALFORMED
        assert await say(place, write_line(CarryOut(ORDER))[:-1], ends=True) == MALFORMED
    assert desk.taken == []


async def test_who_says_nothing_in_time_is_refused(path, monkeypatch):
    monkeypatch.setattr(server, "READING", 0.01)
    async with serving(path, Desk()) as place:
        assert await say(place, b'{"type":') == MALFORMED


async def test_many_at_once_are_served_or_told_to_come_again(path):
    desk = Desk()
    desk.gate.clear()
    line = write_line(CarryOut(ORDER))
    async with serving(path, desk) as place:
        asked = [asyncio.create_task(say(place, line)) for _ in range(3 * MOST_AT_ONCE)]
        done = 0
        while done < 2 * MOST_AT_ONCE:
            await asyncio.sleep(0)
            done = sum(task.done() for task in asked)
        desk.gate.set()
        answers = await asyncio.gather(*asked)
        assert await Control(path).carry_out(ORDER, actor=None)
    told = [answer.get("code", answer["type"]) for answer in answers]
    assert sorted(told) == ["control_busy"] * 2 * MOST_AT_ONCE + ["done"] * MOST_AT_ONCE


async def test_who_goes_before_the_answer_does_no_harm(path):
    async with serving(path, Desk()) as place:
        for _ in range(10):
            with socket.socket(socket.AF_UNIX) as gone:
                gone.connect(str(place))
                gone.send(write_line(CarryOut(ORDER)))
        assert await Control(path).carry_out(ORDER, actor=None)


# The socket


async def test_the_socket_is_for_its_account(path):
    async with serving(path, Desk()) as place:
        assert stat.S_IMODE(place.stat().st_mode) == 0o600


async def test_what_a_server_left_behind_is_replaced(path):
    bind_control(control_path(path), House(os.geteuid())).close()
    async with serving(path, Desk()):
        assert await Control(path).is_served()


async def test_the_path_may_be_longer_than_an_address(tmp_path):
    folder = tmp_path / ("x" * 120)
    folder.mkdir()
    database = folder / "enrol.db"
    database.touch()
    async with serving(database, Desk()):
        assert await Control(database).carry_out(ORDER, actor=None)
    assert not await Control(database).is_served()


async def test_a_group_of_operators_is_let_in(path):
    group = os.getegid()
    async with serving(path, Desk(), house=House(os.geteuid(), group)) as place:
        assert stat.S_IMODE(place.stat().st_mode) == 0o660
        assert place.stat().st_gid == group


# Who is believed


def test_only_root_the_owner_and_operators_are_admitted(monkeypatch):
    house = House(owner=900, operators=70)
    admitted = {
        uid: house.admits(Peer(uid, groups))
        for uid, groups in {
            0: frozenset({5}),
            900: frozenset({900}),
            901: frozenset({70, 901}),
            902: frozenset({902}),
            peers._unmapped(): frozenset({70}),
        }.items()
    }
    assert admitted == {0: True, 900: True, 901: True, 902: False, peers._unmapped(): False}
    assert not House(owner=900).admits(Peer(901, frozenset({70})))


def test_an_account_without_a_plain_name_has_a_number(monkeypatch):
    assert account_of(0) == "root"
    assert account_of(3_999_999_999) == "uid:3999999999"
    strange = pwd.struct_passwd(("ann by root", "x", 7, 7, "", "/", "/bin/sh"))
    monkeypatch.setattr(peers.pwd, "getpwuid", lambda uid: strange)
    assert account_of(7) == "uid:7"


@pytest.mark.parametrize(
    "name", ["", "ann by root", "a" * 65, "ann\n", "-x", "\u0430nn", "a\x1b[0m"]
)
def test_a_name_that_could_be_taken_for_another_is_refused(name):
    with pytest.raises(MalformedRequestError, match="actor_malformed"):
        actor_of(0, name, House(owner=0))


def test_an_operator_speaks_for_nobody_else():
    with pytest.raises(EntitlementError, match="actor_not_believed"):
        actor_of(901, "bob", House(owner=900, operators=70))


ASK = """
import contextlib, socket, sys
with socket.socket(socket.AF_UNIX) as connection:
    connection.connect(sys.argv[1])
    with contextlib.suppress(BrokenPipeError):
        connection.send(sys.argv[2].encode())
    print(connection.makefile().readline())
"""


async def as_daemon(place, line, *, groups=()):
    """Say a line as another account of the machine, and return the answer or the failure."""
    done = await asyncio.to_thread(
        subprocess.run,
        ["/usr/bin/env", "python3", "-I", "-S", "-c", ASK, str(place), line.decode()],
        capture_output=True,
        text=True,
        user="daemon",
        group="daemon",
        extra_groups=groups,
        cwd="/",
        check=False,
    )
    return json.loads(done.stdout) if done.stdout else done.stderr.splitlines()[-1]


@pytest.fixture
def open_folder():
    """A folder that everybody may look into."""
    with tempfile.TemporaryDirectory() as folder:
        Path(folder).chmod(0o755)
        database = Path(folder) / "enrol.db"
        database.touch()
        yield database


@as_root
async def test_another_account_is_kept_out_by_the_file_and_by_the_server(open_folder):
    desk = Desk()
    async with serving(open_folder, desk) as place:
        assert "PermissionError" in await as_daemon(place, write_line(CarryOut(ORDER)))
        place.chmod(0o666)  # even so
        answer = await as_daemon(place, write_line(CarryOut(ORDER)))
    assert answer == {"type": "refused", "code": "control_not_entitled"}
    assert desk.taken == []


@as_root
async def test_an_operator_orders_in_the_name_of_the_account_only(open_folder):
    desk, house = Desk(), House(os.geteuid(), operators=4242)
    in_name = CarryOut(ORDER, "root")
    states = b'{"type":"states","changes":[]}\n'
    async with serving(open_folder, desk, house=house) as place:
        done = await as_daemon(place, write_line(CarryOut(ORDER)), groups=[4242])
        refused = [
            await as_daemon(place, line, groups=[4242]) for line in (write_line(in_name), states)
        ]
    assert done["type"] == "done"
    assert desk.taken == [(ORDER, "daemon")]
    assert [answer["code"] for answer in refused] == ["actor_not_believed", "control_not_entitled"]


# The command's end


async def test_where_no_server_is_none_is_asked(path):
    assert not await Control(path).is_served()
    with pytest.raises(ConfigurationError, match="Try again in a moment") as refused:
        await Control(path).carry_out(ORDER, actor=None)
    assert refused.value.code == "control_unreachable"


async def test_a_socket_of_another_account_is_told_nothing(path, monkeypatch):
    desk = Desk()
    async with serving(path, desk):
        monkeypatch.setattr(client, "listener_of", lambda _: 4242)
        with pytest.raises(ConfigurationError, match="uid:4242") as refused:
            await Control(path).carry_out(ORDER, actor=None)
    assert refused.value.code == "control_impostor"
    assert desk.taken == []


@pytest.mark.parametrize("answer", [b"", b"{}\n", b'{"type":"done"}\n', b'{"type":"done"'])
async def test_an_answer_that_says_nothing_leaves_it_open(path, answer):
    async def answering(reader, writer):
        await reader.readline()
        writer.write(answer)
        writer.close()

    async with await asyncio.start_unix_server(answering, control_path(path)):
        with pytest.raises(ConfigurationError, match="is not known") as refused:
            await Control(path).carry_out(ORDER, actor=None)
    assert refused.value.code == "control_no_answer"


async def test_no_answer_in_time_leaves_it_open(path, monkeypatch):
    monkeypatch.setattr(client, "PATIENCE", 0.01)
    desk = Desk()
    desk.gate.clear()
    async with serving(path, desk):
        with pytest.raises(ConfigurationError, match="did not answer"):
            await Control(path).carry_out(ORDER, actor=None)
        desk.gate.set()


def test_every_record_survives_the_way():
    whole = msgspec.structs.replace(record(1), standing=REVOKED)
    answer = server.Done(whole)
    assert client.parse_answer(write_line(answer)) == answer
    assert (AT, ClientId("client-1")) == (whole.issued_at, whole.client_id)
