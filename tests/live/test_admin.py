"""People of the bank decide about clients while the bank serves, and it is kept who did and why."""

import grp
import json
import os
import pwd
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from live.desk import Desk
from live.party import Party, Reply

PartyOf = Callable[..., Party]

AS_ACCOUNT = """
import os, sys
import enrol.adapters.telemetry, enrol.bootstrap.operating
from enrol.cli import main
account, group, *sys.argv[1:] = sys.argv[1:]
os.setgroups([int(group)] if group else [])
os.setgid(int(account))
os.setuid(int(account))
main()
"""


def admin(bank: Desk, name: str, *arguments: str) -> subprocess.CompletedProcess[str]:
    config = str(bank.folder / "enrol.toml")
    command = (sys.executable, "-m", "enrol", "admin", name, "--config", config, *arguments)
    return subprocess.run(command, check=False, capture_output=True, text=True)


def outcome(bank: Desk, name: str, client_id: str, *arguments: str) -> str:
    """Order something and return the state it comes to, or the code of why it does not."""
    done = admin(bank, name, client_id, "--json", *arguments)
    (told,) = json.loads(done.stdout)
    assert done.returncode == ("error" in told), done.stderr
    return str(told.get("error") or told["state"])


def shown(bank: Desk, client_id: str) -> Any:
    return json.loads(admin(bank, "show", client_id, "--json").stdout)


def ask_token(party: Party, client_id: str) -> Reply:
    return party.send(party.token_draft(client_id=client_id))


def audit(bank: Desk, *arguments: str) -> subprocess.CompletedProcess[str]:
    config = str(bank.folder / "enrol.toml")
    command = (sys.executable, "-m", "enrol", "audit", *arguments, "--config", config)
    return subprocess.run(command, check=False, capture_output=True, text=True)


@pytest.fixture
def bank(desk: Desk, tmp_path: Path) -> Iterator[Desk]:
    """A bank where two people approve."""
    with desk.beside(
        tmp_path / "bank", approval__mode="manual", approval__four_eyes="true"
    ) as running:
        yield running


def test_a_client_lives_by_what_people_of_the_bank_decide(bank: Desk, party_of: PartyOf) -> None:
    party = party_of(bank)
    registered = party.register()
    assert registered.status == 201
    client_id = registered.json["client_id"]
    assert ask_token(party, client_id).code == "client_pending"

    assert outcome(bank, "approve", client_id, "--actor", "ann") == "pending"
    assert outcome(bank, "approve", client_id, "--actor", "ann") == "same_operator"
    assert ask_token(party, client_id).code == "client_pending"
    assert outcome(bank, "approve", client_id, "--actor", "bob") == "active"
    assert ask_token(party, client_id).status == 200

    why = ("--reason", "Complaints of customers", "--actor", "ann")
    assert outcome(bank, "suspend", client_id, *why) == "suspended"
    assert ask_token(party, client_id).code == "client_suspended"
    assert "suspended" in admin(bank, "list", "--state", "suspended").stdout
    assert outcome(bank, "resume", client_id, "--actor", "bob") == "active"
    assert ask_token(party, client_id).status == 200

    done = admin(bank, "delete", client_id, "--reason", "Licence given back", "--actor", "ann")
    assert (done.returncode, "--yes" in done.stderr) == (2, True)
    why = ("--reason", "Licence given back", "--actor", "ann")
    assert outcome(bank, "delete", client_id, "--yes", *why) == "deleted"
    assert ask_token(party, client_id).status == 401
    assert party.get(client_id).status == 401  # its key is not known any more

    me = pwd.getpwuid(os.geteuid()).pw_name
    events = [
        (event["type"], event["actor"], event["reason"])
        for event in reversed(shown(bank, client_id)["events"])
        if event["actor"] is not None
    ]
    assert events == [
        ("client.first_approved", f"ann by {me}", None),
        ("client.approved", f"bob by {me}", None),
        ("client.suspended", f"ann by {me}", "Complaints of customers"),
        ("client.resumed", f"bob by {me}", None),
        ("client.deleted", f"ann by {me}", "Licence given back"),
    ]
    told = audit(bank, "show", "client.deleted").stdout
    assert f"ann by {me}" in told
    assert "Licence given back" in told
    verified = audit(bank, "verify")
    assert verified.returncode == 0, verified.stdout


def test_the_channel_goes_with_the_server_and_orders_are_carried_out_all_the_same(
    bank: Desk, party_of: PartyOf
) -> None:
    party = party_of(bank)
    client_id = party.register().json["client_id"]
    channel = Path(f"{bank.database}.sock")
    assert channel.is_socket()
    assert outcome(bank, "reject", client_id, "--reason", "Not one of ours") == "rejected"
    assert bank.stop() == 0
    assert not channel.exists()
    assert outcome(bank, "delete", client_id, "--reason", "Tidied up", "--yes") == "deleted"
    bank.start()
    assert shown(bank, client_id)["state"] == "deleted"
    bank.kill()
    assert channel.exists()
    bank.start()
    assert outcome(bank, "approve", client_id) == "client_not_found"


def test_a_folder_that_others_may_write_to_has_no_channel_and_tpps_are_served(
    desk: Desk, tmp_path: Path, party_of: PartyOf
) -> None:
    bank = desk.beside(tmp_path / "bank")
    bank.folder.chmod(0o777)
    with bank:
        client_id = party_of(bank).register().json["client_id"]
        done = admin(bank, "suspend", client_id, "--reason", "Fraud", "--json")
        assert done.returncode == 2
        assert json.loads(done.stderr)["error"] == "control_unreachable"
        assert any("control_unavailable" in line for line in bank.log_lines)


# Accounts of the machine


def as_account(
    bank: Desk, account: str, *arguments: str, group: int | None = None
) -> subprocess.CompletedProcess[str]:
    """Give an order as another account, which has read all programs before it became that."""
    uid, extra = str(pwd.getpwnam(account).pw_uid), "" if group is None else str(group)
    config = str(bank.folder / "enrol.toml")
    told = (uid, extra, "admin", *arguments, "--config", config)
    return subprocess.run(
        [sys.executable, "-c", AS_ACCOUNT, *told], check=False, capture_output=True, text=True
    )


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can be two other people")
def test_two_operators_approve_as_themselves(desk: Desk, party_of: PartyOf) -> None:
    operators = grp.getgrnam("operator")
    with tempfile.TemporaryDirectory() as open_folder:
        folder = Path(open_folder) / "bank"
        Path(open_folder).chmod(0o755)
        settings = {"approval__mode": "manual", "approval__four_eyes": "true"}
        bank = desk.beside(folder, server__operators=operators.gr_name, **settings)
        folder.chmod(0o755)
        (folder / "enrol.toml").chmod(0o644)
        with bank:
            party = party_of(bank)
            client_id = party.register().json["client_id"]
            stranger = as_account(bank, "daemon", "approve", client_id)
            assert (stranger.returncode, "server.operators" in stranger.stderr) == (2, True)
            order = ("approve", client_id, "--json")
            disguised = as_account(bank, "daemon", *order, "--actor", "x", group=operators.gr_gid)
            assert json.loads(disguised.stdout)[0]["error"] == "actor_not_believed"
            for account, state in (
                ("daemon", "pending"),
                ("daemon", None),
                ("bin", "active"),
            ):
                done = as_account(bank, account, *order, group=operators.gr_gid)
                assert json.loads(done.stdout)[0].get("state") == state, done.stderr
            assert ask_token(party, client_id).status == 200
            actors = [event["actor"] for event in shown(bank, client_id)["events"]]
            assert [actor for actor in actors if actor] == ["bin", "daemon"]
