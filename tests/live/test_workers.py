"""A server of one worker, its supervisor, and what a reload changes (F-29, F-30, F-36)."""

import os
import shutil
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from live.callers import calling, more_from
from live.desk import Desk
from live.party import Draft, Party, read_reply
from live.served import Served, until

IMPATIENT = str(Path(__file__).with_name("impatient.py"))
HEALTH = b"GET /health HTTP/1.1\r\nHost: localhost\r\n\r\n"


@pytest.fixture(scope="module")
def bank(desk: Desk, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    """A bank on SQLite, whose supervisor waits a second only."""
    alone = desk.beside(tmp_path_factory.mktemp("served") / "bank")
    with Served.of(alone, program=(IMPATIENT,)) as served:
        yield served
        assert served.stop() == 0


@pytest.fixture
def party(bank: Served, party_of: Callable[..., Party]) -> Iterator[Party]:
    """A TPP of that bank."""
    made = party_of(bank)
    yield made
    made.close()


def lifetime(party: Party) -> int:
    """Return how long a token lives that is issued now."""
    reply = party.exchange(party.token_draft().to_bytes())
    assert reply.status == 200, reply
    return int(reply.json["expires_in"])


def test_new_settings_count_after_a_reload_and_nobody_notices_it(
    bank: Served, party: Party, party_of: Callable[..., Party]
) -> None:
    (before,) = bank.workers
    bank.set("tokens", "lifetime = 1111")
    with calling([party_of(bank) for _ in range(4)], keeps=False) as callers:
        more_from(callers)
        bank.reload()
        until(lambda: bank.logged("reloaded"))
        more_from(callers)
    assert [(each.turned_away, each.failures) for each in callers] == [([], [])] * 4
    assert bank.workers != [before]
    assert lifetime(party) == 1111
    assert bank.count_clients() == sum(len(each.created) for each in callers)


def test_what_is_in_progress_is_finished_before_the_next_worker_comes(
    bank: Served, party: Party
) -> None:
    (before,) = bank.workers
    draft = party.post().set("Expect", "100-continue")
    with party.connect() as connection:
        connection.sendall(draft.to_bytes().removesuffix(draft.body))
        assert connection.recv(4096).startswith(b"HTTP/1.1 100")
        begun = bank.logged("reload_begun")
        bank.reload()
        until(lambda: bank.logged("reload_begun") > begun)
        assert bank.workers == [before]
        connection.sendall(draft.body)
        reply = read_reply(connection)
    assert (reply.status, reply.fields["connection"]) == (201, "close")
    assert party.get(reply.json["client_id"]).status == 200
    until(lambda: bank.workers not in ([before], []))


@pytest.mark.parametrize(
    ("section", "line"),
    [("deadlines", "drain = 0"), ("server", "port = 1"), ("log", 'format = "?"')],
)
def test_settings_that_are_wrong_change_nothing(
    bank: Served, party: Party, section: str, line: str
) -> None:
    good = (bank.folder / "enrol.toml").read_text()
    before, refused = bank.workers, bank.logged("reload_refused")
    bank.set(section, line)
    try:
        bank.reload()
        until(lambda: bank.logged("reload_refused") > refused)
    finally:
        (bank.folder / "enrol.toml").write_text(good)
    assert party.exchange(HEALTH).status == 200
    until(lambda: bank.workers == before)


def test_a_new_certificate_is_shown_and_a_bad_one_is_refused(
    bank: Served, party: Party, tmp_path: Path
) -> None:
    def shown() -> bytes | None:
        with party.connect() as connection:
            return connection.getpeercert(binary_form=True)

    before, refused = shown(), bank.logged("reload_refused")
    certificate, key = bank.folder / "server.pem", bank.folder / "server.key"
    kept = certificate.read_text(), key.read_text()
    certificate.write_text("no certificate")
    bank.reload()
    until(lambda: bank.logged("reload_refused") > refused)
    assert shown() == before
    other = tmp_path / "other"
    subprocess.run([sys.executable, "-m", "enrol", "sandbox", "init", str(other)], check=True)
    for name in ("server.pem", "server.key"):
        shutil.copy(other / name, bank.folder / name)
    party.ca = other / "server-ca.pem"
    reloaded = bank.logged("reloaded")
    bank.reload()
    until(lambda: bank.logged("reloaded") > reloaded)
    assert shown() != before
    certificate.write_text(kept[0])
    key.write_text(kept[1])
    bank.reload()
    until(lambda: bank.logged("reloaded") > reloaded + 1)


def test_a_worker_that_is_killed_is_replaced_and_who_connects_meanwhile_is_answered(
    bank: Served, party: Party
) -> None:
    (before,) = bank.workers
    client_id = party.register().json["client_id"]
    party.close()
    os.kill(before, signal.SIGKILL)
    assert party.get(client_id).status == 200
    (after,) = bank.workers
    assert after != before
    assert bank.logged("worker_ended")


def test_a_worker_that_hangs_is_killed_and_replaced(bank: Served, party: Party) -> None:
    (before,) = bank.workers
    os.kill(before, signal.SIGSTOP)
    assert party.exchange(HEALTH).status == 200
    assert before not in bank.workers
    assert bank.logged("worker_killed")


def test_operators_give_orders_after_a_reload(bank: Served, party: Party) -> None:
    client_id = party.register().json["client_id"]
    config = str(bank.folder / "enrol.toml")
    order = ["admin", "suspend", client_id, "--reason", "a test", "--config", config]
    done = subprocess.run(
        [sys.executable, "-m", "enrol", *order],
        env=os.environ | bank.variables,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    assert Path(f"{bank.database}.sock").is_socket()


def test_workers_go_when_their_supervisor_is_gone(desk: Desk, tmp_path: Path) -> None:
    bank = Served.of(desk.beside(tmp_path / "bank"))
    bank.start()
    (worker,) = bank.workers
    bank.kill()
    until(lambda: not Path(f"/proc/{worker}").exists() or _is_dead(worker))
    with bank:
        assert bank.stop() == 0


def _is_dead(pid: int) -> bool:
    return ") Z " in Path(f"/proc/{pid}/stat").read_text()


def test_a_second_signal_does_not_wait(desk: Desk, tmp_path: Path, party_of: Any) -> None:
    with Served.of(desk.beside(tmp_path / "bank")) as bank:
        party = party_of(bank)
        draft: Draft = party.post().set("Expect", "100-continue")
        with party.connect() as connection:
            connection.sendall(draft.to_bytes().removesuffix(draft.body))
            assert connection.recv(4096).startswith(b"HTTP/1.1 100")
            bank.process.send_signal(signal.SIGTERM)
            until(lambda: party.exchange(HEALTH).status == 503)
            bank.process.send_signal(signal.SIGTERM)
            assert bank.ended() == 1


def test_several_workers_are_refused_on_sqlite(desk: Desk, tmp_path: Path) -> None:
    bank = Served.of(desk.beside(tmp_path / "bank"), "--workers", "2")
    done = subprocess.run(
        [sys.executable, *bank.program, *bank.command],
        env=os.environ | bank.variables,
        capture_output=True,
        text=True,
        check=False,
    )
    assert (done.returncode, done.stdout) == (2, "")
    assert done.stderr.startswith("error: storage.path is a file of SQLite")
    assert "storage.url" in done.stderr
