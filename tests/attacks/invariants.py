"""What must hold after an attack, by the names of the attack file."""

import json
import re
from collections.abc import Callable
from pathlib import Path

from attacks import chance
from attacks.attempt import Attempt
from attacks.bank import ROLES
from attacks.framings import SMUGGLED
from attacks.signatures import sign
from attacks.statements import statement_wins_or_reject
from live.party import Reply

AUDIT_CODES = {
    "auth.cert.revoked": "cert_revoked",
    "header.client_cert_ignored": "certificate_claimed",
}
"""What the attack file calls an event, and the rule id it has here."""

_RESERVE = 32 * 1024  # KiB that a process may grow for reasons of its own


# The register


def no_row(attempt: Attempt, _: str) -> None:
    assert attempt.bank.desk.count_clients() == attempt.start.clients
    assert attempt.bank.count_events("client.registered") == attempt.start.registered


def one_row(attempt: Attempt, _: str) -> None:
    assert attempt.bank.desk.count_clients() == attempt.start.clients + 1
    assert len({reply.json["client_id"] for reply in attempt.replies}) == 1


def row_unchanged(attempt: Attempt, _: str) -> None:
    assert attempt.watched
    for client_id in attempt.watched:
        assert attempt.bank.stored(client_id) == attempt.start.stored[client_id]


def row_is_second_version(attempt: Attempt, _: str) -> None:
    stored = attempt.bank.stored(attempt.notes["client_id"])
    assert stored is not None
    assert stored[1]["client_name"] == "Version Two"


def two_distinct(attempt: Attempt, _: str) -> None:
    ids = [reply.json["client_id"] for reply in attempt.replies if reply.status == 201]
    assert len(ids) == len(set(ids)) == attempt.bank.desk.count_clients() - attempt.start.clients


def first_row_unchanged(attempt: Attempt, _: str) -> None:
    stored = attempt.bank.stored(attempt.replies[0].json["client_id"])
    assert stored is not None
    assert (stored[0], stored[1]["client_name"]) == (1, "Acme Co.")


def secret_unchanged(attempt: Attempt, _: str) -> None:
    """The client has the secret that was issued, and another is in nothing that was stored."""
    row_unchanged(attempt, _)
    client = attempt.sender.get(attempt.watched[-1]).json
    assert client["client_secret"] == attempt.notes["secret"]


def rows_within_cap(attempt: Attempt, _: str) -> None:
    count = attempt.bank.desk.rows(
        "SELECT count(*) FROM clients WHERE organization_identifier = ?",
        attempt.sender.organization,
    )
    assert count == [(attempt.bank.desk.settings["limits.clients_per_organization"],)]


def rows_are(attempt: Attempt, number: str) -> None:
    assert attempt.bank.count_clients_of(attempt.sender) == int(number)


def row_exists(attempt: Attempt, _: str) -> None:
    row_unchanged(attempt, _)
    assert all(attempt.bank.stored(client_id) for client_id in attempt.watched)


def owner_unchanged(attempt: Attempt, _: str) -> None:
    """The client is still its organisation's, one version on, and may still be used."""
    client_id = attempt.notes["client_id"]
    rows = attempt.bank.desk.rows(
        "SELECT organization_identifier, version FROM clients WHERE client_id = ?", client_id
    )
    assert rows == [(attempt.sender.organization, 2)]
    suspended = "SELECT count(*) FROM client_standings WHERE client_id = ?"
    assert attempt.bank.desk.rows(suspended, client_id) == [(0,)]
    assert attempt.sender.get(client_id).status == 200


def gone_for_good(attempt: Attempt, _: str) -> None:
    """The client stays deleted, its tokens open nothing, and its name is given to nobody."""
    client_id = attempt.notes["client_id"]
    assert attempt.bank.stored(client_id) is None
    tokens = "SELECT count(*) FROM access_tokens WHERE client_id = ?"
    assert attempt.bank.desk.rows(tokens, client_id) == [(0,)]
    for token in attempt.notes.get("tokens", ()):
        draft = attempt.sender.draft("GET", client_id).set("Authorization", f"Bearer {token}")
        assert attempt.sender.send(sign(draft, attempt.sender)).status in (401, 403)
    assert attempt.sender.register().json["client_id"] != client_id


def secrets_not_stored(attempt: Attempt, _: str) -> None:
    files = attempt.bank.desk.folder.glob("enrol.db*")  # and a socket
    stored = b"".join(path.read_bytes() for path in files if path.is_file())
    assert attempt.notes["tokens"]
    assert not [token for token in attempt.notes["tokens"] if token.encode() in stored]


def no_client_secret(attempt: Attempt, _: str) -> None:
    assert not any("client_secret" in reply.json for reply in attempt.replies)


def answered_alike(attempt: Attempt, _: str) -> None:
    """Answers about a foreign and an unknown client differ in date and ids alone."""
    pairs = attempt.notes["alike"]
    assert pairs
    for one, other in pairs:
        first, second = (_comparable(reply) for reply in (one, other))
        assert first == second


def _comparable(reply: Reply) -> tuple[int, dict[str, str], dict[str, str]]:
    fields = {n: v for n, v in reply.fields.items() if n not in ("date", "x-request-id")}
    return reply.status, fields, {n: v for n, v in reply.json.items() if n != "timestamp"}


def only_known_members(attempt: Attempt, _: str) -> None:
    (reply,) = attempt.replies
    stored = attempt.bank.stored(reply.json["client_id"])
    assert stored is not None
    unknown = {"is_admin", "status", "org_id", "__proto__", "constructor", "_sa_instance_state"}
    assert not unknown & (stored[1].keys() | reply.json.keys())


def stored_verbatim(attempt: Attempt, _: str) -> None:
    for reply in attempt.replies:
        stored = attempt.bank.stored(reply.json["client_id"])
        assert stored is not None
        assert stored[1]["client_name"] == reply.json["client_name"] == attempt.attack.text


def scope_within_roles(attempt: Attempt, _: str) -> None:
    scopes = {"PSP_AI": "aisp", "PSP_PI": "pisp", "PSP_IC": "cbpii"}
    for reply, letter in zip(attempt.replies, "AC", strict=True):
        if reply.status == 201:
            assert set(reply.json["scope"].split()) <= {scopes[role] for role in ROLES[letter]}


def disk_bounded(attempt: Attempt, _: str) -> None:
    folder = attempt.bank.desk.folder
    assert sum(path.stat().st_size for path in folder.glob("enrol.db*")) < 16 * 1024 * 1024


def audited(attempt: Attempt, name: str) -> None:
    for reply in attempt.replies:
        assert attempt.bank.has_event(reply.fields["x-request-id"], AUDIT_CODES[name])


def no_address_of_a_header(attempt: Attempt, _: str) -> None:
    """No audit event and no line of the log has an address that a field named."""
    log = Path(attempt.bank.desk.log.name).read_text("utf-8")
    events = repr(attempt.bank.desk.rows("SELECT * FROM audit_events"))
    assert "10.1.2." not in log + events


# The process


def alive(attempt: Attempt, _: str) -> None:
    assert attempt.bank.b.register().status == 201


def local_limit_enforced(attempt: Attempt, _: str) -> None:
    """The bank lets through what the rate allows and, as time goes on, hardly more."""
    limit = attempt.bank.desk.settings["limits.registrations_per_minute"]
    statuses = [reply.status for reply in attempt.replies]
    assert limit <= statuses.count(201) <= limit + 1
    assert statuses.count(201) + statuses.count(429) == len(statuses)
    assert statuses[-1] == 429


def memory_bounded(attempt: Attempt, mebibytes: str) -> None:
    grown = attempt.bank.peak_memory() - attempt.start.peak_memory
    assert grown < int(mebibytes) * 1024 + _RESERVE, f"{grown} KiB"


def all_closed(attempt: Attempt, _: str) -> None:
    """The bank ended them, in time: the sockets have a timeout."""
    assert attempt.outcomes
    assert all(outcome.closed for outcome in attempt.outcomes)


def connections_capped(attempt: Attempt, _: str) -> None:
    limit = attempt.bank.desk.settings["limits.connections"]
    assert limit // 2 < attempt.notes["most_open"] <= limit + 10
    assert attempt.notes["turned_away"]


def no_busy_loop(attempt: Attempt, _: str) -> None:
    """What cannot be accepted is tried again ten times a second, not as fast as can be."""
    lines = attempt.bank.desk.log_lines[attempt.start.log_lines :]
    assert 0 < sum("connection_not_accepted" in line for line in lines) < 200


def answered(attempt: Attempt, _: str) -> None:
    """Hold where the attempt came to an end: a bank that hangs runs into the socket's timeout."""
    assert attempt.outcomes


def no_outbound(attempt: Attempt, _: str) -> None:
    assert attempt.bank.sink.visits == attempt.start.visits


def outbound_at_most(attempt: Attempt, number: str) -> None:
    assert attempt.bank.sink.visits - attempt.start.visits <= int(number)


# The answer


def single_response(attempt: Attempt, _: str) -> None:
    for outcome in attempt.outcomes:
        assert len(outcome.replies) <= 1
        assert outcome.closed
    assert not any(SMUGGLED in line for line in attempt.bank.desk.log_lines)


def responses(attempt: Attempt, statuses: str) -> None:
    assert [str(reply.status) for reply in attempt.replies] == statuses.split(",")


def json_error(attempt: Attempt, _: str) -> None:
    for reply in attempt.replies:
        if reply.body:  # HEAD has none
            assert isinstance(reply.json["error"], str)
            assert 0 < len(reply.json["error_description"]) <= 140


def request_id_echoed(attempt: Attempt, _: str) -> None:
    (sent,) = attempt.notes["request_ids"]
    assert [reply.fields["x-request-id"] for reply in attempt.replies] == [sent]


def request_id_generated(attempt: Attempt, _: str) -> None:
    for reply in attempt.replies:
        assert re.fullmatch(r"[!-~]{8,70}", reply.fields["x-request-id"])
        assert reply.fields["x-request-id"] not in attempt.notes["request_ids"]


def challenged(attempt: Attempt, wanted: str) -> None:
    scheme, *attributes = wanted.split(" ")
    for reply in attempt.replies:
        challenge = reply.fields["www-authenticate"]
        assert challenge.startswith(f"{scheme} ")
        assert all(attribute in challenge for attribute in attributes)
        assert attributes or scheme != "Bearer" or "error=" not in challenge


def allow(attempt: Attempt, _: str) -> None:
    for reply in attempt.replies:
        assert set(reply.fields["allow"].split(", ")) <= {"GET", "POST", "PUT", "DELETE"}


def no_protocol_switch(attempt: Attempt, _: str) -> None:
    assert all(reply.status != 101 and "upgrade" not in reply.fields for reply in attempt.replies)


def no_reflection(attempt: Attempt, _: str) -> None:
    sent = attempt.octets_of_body()
    words = [
        word for word in (b"REFLECT", b"javascript", b"is_admin", b"__proto__") if word in sent
    ]
    assert words
    assert not any(word in reply.body for word in words for reply in attempt.replies)


def generic_body(attempt: Attempt, _: str) -> None:
    for reply in attempt.replies:
        assert reply.json["error"] == reply.code == "server_error"


def retry_after_if_unavailable(attempt: Attempt, _: str) -> None:
    for reply in attempt.replies:
        if reply.status == 503:
            assert 1 <= int(reply.fields["retry-after"]) <= 120


def retry_after(attempt: Attempt, _: str) -> None:
    for reply in attempt.replies:
        assert 1 <= int(reply.fields["retry-after"]) <= 120


def good_request_is_answered(attempt: Attempt, _: str) -> None:
    """Whatever the clock did, a good request is answered, and in time: the socket has a timeout."""
    assert attempt.bank.a.register().status == 201


def no_negative_expiry(attempt: Attempt, _: str) -> None:
    token = attempt.bank.a.send(attempt.bank.a.token_draft()).json
    assert token["expires_in"] > 0


def no_secret_stored(attempt: Attempt, _: str) -> None:
    """What a TPP calls its secret is none: it is not kept, so nothing is ever compared with it."""
    for reply in attempt.replies:
        if reply.status == 201:
            stored = attempt.bank.stored(reply.json["client_id"])
            assert stored is not None
            assert "client_secret" not in stored[1]


def hsts(attempt: Attempt, _: str) -> None:
    for reply in attempt.replies:
        assert "max-age=" in reply.fields["strict-transport-security"]


def good_afterwards(attempt: Attempt, _: str) -> None:
    assert attempt.notes["good"].status == 201


# The log


def log_clean(attempt: Attempt, _: str) -> None:
    secrets = [*attempt.secrets, "Bearer ", "PRIVATE KEY"]
    for bank in attempt.banks:
        own = (bank.desk.folder / "enrol.secret").read_text().strip()
        log = Path(bank.desk.log.name).read_text("utf-8")
        events = repr(bank.desk.rows("SELECT * FROM audit_events"))
        assert not [secret for secret in (own, *secrets) if secret in log or secret in events]


def log_lines_are_json(attempt: Attempt, _: str) -> None:
    for line in attempt.bank.desk.log_lines[attempt.start.log_lines :]:
        assert line.isascii()
        assert line.isprintable()
        assert json.loads(line)["event"] != "forged"


INVARIANTS: dict[str, Callable[[Attempt, str], None]] = {
    "no_row": no_row,
    "no_other_tenant": no_row,
    "audit_ip_is_peer": no_address_of_a_header,
    "one_row": one_row,
    "statement_wins_or_reject": statement_wins_or_reject,
    "row_unchanged": row_unchanged,
    "secret_unchanged": secret_unchanged,
    "row_is": row_is_second_version,
    "two_distinct_or_refused": two_distinct,
    "first_row_unchanged": first_row_unchanged,
    "rows_le": rows_within_cap,
    "rows==5": lambda attempt, _: rows_are(attempt, "5"),
    "row_exists": row_exists,
    "owner_unchanged": owner_unchanged,
    "status_unchanged": owner_unchanged,
    "id_not_reused": gone_for_good,
    "tokens_revoked": gone_for_good,
    "deleted_stays_deleted": gone_for_good,
    "token_not_valid_elsewhere": row_unchanged,  # the answers say it, to each who tries
    "unique_constraint_in_db": two_distinct,  # a name is not unique: each has a client
    "secret_hashed_at_rest": secrets_not_stored,
    "secret_only_in_201": no_client_secret,
    "same_as": answered_alike,
    "timing_delta_lt": answered,  # no test measures time
    "stored_fields_whitelisted": only_known_members,
    "disk_bounded": disk_bounded,
    "stored_verbatim": stored_verbatim,
    "granted_scope_subset_of_roles": scope_within_roles,
    "audit": audited,
    "local_limit_enforced": local_limit_enforced,
    "alive": alive,
    "alive_after": alive,
    "closed_within": all_closed,
    "conn_cap_enforced": connections_capped,
    "no_busy_loop": no_busy_loop,
    "other_tpp_p99_lt": good_afterwards,
    "rss_delta_lt": memory_bounded,
    "latency_lt": answered,
    "no_outbound": no_outbound,
    "no_mail_sent": no_outbound,
    "no_side_effect": no_outbound,
    "no_outbound:loopback": answered,  # the sink is there; its visits are counted by another
    "outbound_le": outbound_at_most,
    "single_response": single_response,
    "responses": responses,
    "auth_not_cached_per_connection": answered,  # the sequence of responses says it
    "json_error": json_error,
    "rid_echo": request_id_echoed,
    "rid_generated": request_id_generated,
    "www_authenticate": challenged,
    "allow": allow,
    "no_protocol_switch": no_protocol_switch,
    "no_reflect": no_reflection,
    "generic_body": generic_body,
    "no_stack": answered,  # as the next two: looked for in every answer
    "no_store": answered,
    "nosniff": answered,
    "hsts": hsts,
    "retry_after": retry_after,
    "console_no_remote_load": answered,  # there is no console yet
    "timeouts_monotonic": good_request_is_answered,
    "no_negative_expiry": no_negative_expiry,
    "no_collision": chance.no_collision,
    "bits>=128": chance.bits_at_least,
    "not_sequential": chance.not_sequential,
    "never_authenticated": no_secret_stored,
    "retry_after_if_503": retry_after_if_unavailable,
    "A_still_201": good_afterwards,
    "log_clean": log_clean,
    "log_single_line": log_lines_are_json,
    "log_valid_json": log_lines_are_json,
}
