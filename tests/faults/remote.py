"""Hosts that the server asks fail: the QTSP's responder (F-18), hosts of keyId URLs (F-20)."""

import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime

from attacks import issuer, sink
from attacks.issuer import IssuerSite
from attacks.sink import Sink
from enrol.sandbox.site import Site
from faults.fault import Fault
from faults.ground import ORGANIZATIONS, Ground, wait_until
from faults.judging import no_500, register_findings
from faults.load import Answer, Load, Visitor, ask, statuses
from faults.memory import forget_peak, resident_megabytes
from faults.result import Finding, at_least, at_most, none_of
from live.party import Draft, Party
from ports import free_port

MEMORY = 32
SLOWEST_VISIT = 0.5
KNOWN_AFTER = 1.0
WATCHED = 2.0
_BODY = b"\x30\x82\xff\xff" + bytes(64)


class _Everywhere(dict[str, issuer.Answer]):
    """Answers alike on every path."""

    def get(self, path: str, other: object = None) -> issuer.Answer:  # type: ignore[override]
        return self[""]


# OCSP and CRL

RESPONDERS: dict[str, issuer.Answer | None] = {
    "refuses connections": None,
    "says nothing": issuer.never,
    "says an octet a second": issuer.dripping(bytes(600)),
    "never ends": issuer.endless(1 << 30),
    "says something else": issuer.says(_BODY),
}
ANSWERED_WITHIN = 8.0
HEALED_WITHIN = 15.0


def responder_fails(ground: Ground, name: str) -> tuple[Finding, ...]:
    """Let the QTSP's site fail in one way, and others whose status is known go on."""
    site, good = IssuerSite(), _responder(ground)
    site.answers = _Everywhere({"": good})
    port = site.settings["revocation.hosts"].split('"ocsp.test" = "127.0.0.1:')[1].split('"')[0]
    place = f'{{"qtsp.example" = "127.0.0.1:{port}"}}'
    with ground.running(revocation__hosts=place, trust__revocation_lists="") as bank:
        load = ground.load(bank, workers=1)
        visitor = Visitor.registered(ground.party(bank, ORGANIZATIONS[-1]))
        newcomers = [ground.party(bank, each) for each in ORGANIZATIONS[2:5]]
        failing = RESPONDERS[name]
        with load.at_work():  # whose certificates are known then
            time.sleep(KNOWN_AFTER)
        if failing is None:
            site.close()
        else:
            site.answers[""] = failing
        forget_peak(bank.process.pid)
        before = resident_megabytes(bank.process.pid)
        with load.at_work(), visitor.visiting():
            answers = _at_once(newcomers, lambda party: party.token_draft())
            time.sleep(WATCHED)
        grown = resident_megabytes(bank.process.pid, peak=True) - before
        findings = (
            none_of(
                "tokens for whom nothing was known (I8)",
                [str(a.status) for a in answers if a.status != 503],
                f"; {statuses(answers)}",
            ),
            at_most("slowest of these answers", ANSWERED_WITHIN, _slowest(answers), "s"),
            at_most("memory that took", MEMORY, grown, "MiB"),
            *_undisturbed(load, visitor),
        )
        if failing is not None:
            site.answers[""] = good
            healed = wait_until(
                lambda: ask(newcomers[0], newcomers[0].token_draft())[0].status == 200,
                HEALED_WITHIN,
            )
            findings += (
                at_most(
                    "token after the responder is back",
                    HEALED_WITHIN,
                    float("inf") if healed is None else healed,
                    "s",
                ),
            )
            site.close()
        return (*findings, *register_findings(bank, load, visitor), no_500(load))


def _responder(ground: Ground) -> issuer.Answer:
    """Return what the QTSP answers when nothing is wrong."""
    site = Site(ground.template.folder, lambda: datetime.now(UTC))

    def make(body: bytes) -> Iterator[bytes]:
        page = site.post("/ocsp", body)
        assert page is not None
        yield from issuer.says(page.content)(body)

    return make


# keyId


KEY_HOST = "keys.tpp.test"
KEYS_WITHIN = 6.0


def _silent() -> Iterator[bytes]:
    time.sleep(10)
    yield b""


def _dripping() -> Iterator[bytes]:
    yield b"HTTP/1.1 200 OK\r\nContent-Length: 600\r\n\r\n"
    for _ in range(60):
        time.sleep(1)
        yield b"-"


def _endless() -> Iterator[bytes]:
    yield b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n"
    for _ in range(1 << 16):
        yield b"10000\r\n" + bytes(65_536) + b"\r\n"


KEY_HOSTS: dict[str, Callable[[], Iterator[bytes]] | sink.Answer | None] = {
    "refuses connections": None,
    "says nothing": _silent,
    "says an octet a second": _dripping,
    "never ends": _endless,
    "leads elsewhere": sink.answer(b"", "Location: https://127.0.0.1/", status="302 Found"),
    "says something else": sink.answer(_BODY),
}


def key_host_fails(ground: Ground) -> tuple[Finding, ...]:
    """Let the host of a keyId fail in every way, one after the other."""
    host = Sink(ground.work, [KEY_HOST])
    hosts = {KEY_HOST: host.port, "refused.tpp.test": free_port()}
    bank = ground.bank(key_urls__fetch="true")
    named = ", ".join(f'"{name}" = "127.0.0.1:{port}"' for name, port in hosts.items())
    with (bank.folder / "enrol.toml").open("a") as settings:
        settings.write(f'\n[key_urls]\nhosts = {{ {named} }}\nca = "{ground.work}/sink.pem"\n')
    with bank:
        load = ground.load(bank, workers=1)
        visitor = Visitor.registered(ground.party(bank, ORGANIZATIONS[-1]))
        party = ground.party(bank, ORGANIZATIONS[2])
        party.token  # noqa: B018 - asked for before
        forget_peak(bank.process.pid)
        before = resident_megabytes(bank.process.pid)
        answers = []
        with load.at_work(), visitor.visiting():
            for number, (name, failing) in enumerate(KEY_HOSTS.items()):
                if failing is not None:
                    host.answers[f"/{number}"] = failing
                at = "refused.tpp.test" if failing is None else KEY_HOST
                draft = party.draft("POST", body=party.metadata(jwks=None))
                answer, _ = ask(party, party.signed(draft, keyid=f"https://{at}/{number}"))
                answers.append(answer)
                ground.say(f"a host that {name}: {answer.status} {answer.code}")
        grown = resident_megabytes(bank.process.pid, peak=True) - before
        host.close()
        return (
            at_least("ways in which the host failed", len(KEY_HOSTS), len(answers)),
            none_of(
                "registrations whose key was not to be had",
                [str(a.status) for a in answers if not 400 <= a.status < 500],
                f"; {statuses(answers)}",
            ),
            at_most("slowest of these answers", KEYS_WITHIN, _slowest(answers), "s"),
            at_most("memory that took", MEMORY, grown, "MiB"),
            *_undisturbed(load, visitor),
            *register_findings(bank, load, visitor),
            no_500(load),
        )


def _at_once(parties: list[Party], draft: Callable[[Party], Draft]) -> list[Answer]:
    with ThreadPoolExecutor(len(parties)) as pool:
        return list(pool.map(lambda party: ask(party, draft(party))[0], parties))


def _slowest(answers: list[Answer]) -> float:
    return max(answer.seconds for answer in answers)


def _undisturbed(load: Load, visitor: Visitor) -> tuple[Finding, ...]:
    """Return what others had of it (I6)."""
    refused = [f"{a.status} {a.code}" for a in load.answers if a.status not in (200, 201, 204)]
    return (
        at_most("p99 of another TPP's reads meanwhile (I6)", SLOWEST_VISIT, visitor.p99, "s"),
        none_of("changes of another TPP refused meanwhile", refused, f" of {len(load.answers):,}"),
    )


def _fault_of(name: str) -> Fault:
    return Fault(
        "F-18",
        f"the responder and the lists of a QTSP are at a host that {name}",
        lambda ground: responder_fails(ground, name),
    )


FAULTS = (
    *map(_fault_of, RESPONDERS),
    Fault("F-20", "the host of a keyId URL fails in six ways", key_host_fails),
)
