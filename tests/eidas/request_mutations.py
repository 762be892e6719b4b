"""The checks that take more than one certificate, taken away in turn."""

import asyncio
import ssl
from datetime import date, datetime
from types import SimpleNamespace

from msgspec.structs import replace

from adapters.values import record
from dialects import STET, document
from eidas.desk_of_one import Nothing, Revocations, refusal_of_request
from eidas.minting import AT, DAY, mint_seal
from eidas.mutations import Case, Mutation, passing, qtsp
from eidas.refusals import refusal_of
from enrol.adapters.fetch import FetchPolicy, HttpsCertificateFetcher
from enrol.eidas.organization import OrganizationIdentifier
from enrol.eidas.qcstatements import PspRole
from enrol.eidas.register import EntityType, RegisterEntry
from enrol.eidas.rules import CertificateRules
from enrol.oauth.metadata import parse_client_metadata
from enrol.oauth.types import ClientId, X5tS256
from enrol.registration.certificates import CertificateJudge
from enrol.registration.entitlement import Entitlement, EntitlementRules, RegisterMode
from enrol.registration.keys import KeyFinder
from enrol.registration.policy import Applicant, decide
from enrol.registration.ports import RegisterAnswer
from enrol.registration.record import ClientRecord, RegisteredKey
from enrol.registration.standing import Recheck

AI = frozenset({PspRole.PSP_AI})
LEFT = ("2019-09-14", "2021-01-01")
ACME = OrganizationIdentifier("PSDFR-ACPR-12345")


def entitled(*status_changes: str, services: str = "PS_080") -> str | None:
    """Return the code that a PSP is refused with whose entry was changed on those days."""
    entry = RegisterEntry(
        authority="FR_ACPR",
        code="FR_ACPR!12345",
        entity_type=EntityType.ACCOUNT_INFORMATION,
        name="Acme",
        reference=None,
        status_changes=tuple(date.fromisoformat(day) for day in status_changes),
        services=(("FR", frozenset({services})),),
    )
    answer = RegisterAnswer((entry,) if status_changes else (), AT)
    register = SimpleNamespace(numbered=lambda _: answer, coded=lambda _: answer)
    judge = Entitlement(register, EntitlementRules(mode=RegisterMode.ENFORCE))
    return refusal_of(judge.judge, ACME, AI, at=AT)


def granted(scope: str) -> str | None:
    """Return the code that a scope is refused with to a PSP of the role PSP_AI."""
    body = document(scope=scope)
    return refusal_of(
        decide, body, parse_client_metadata(body), applicant=Applicant(ACME, AI), dialect=STET
    )


def fetched(url: str) -> str | None:
    """Return the code that a URL in a keyId is refused with; every name is on the loopback."""

    async def resolve(_: str) -> tuple[str, ...]:
        return ("127.0.0.1",)

    async def fetch() -> bytes:
        return await HttpsCertificateFetcher(FetchPolicy(), resolve=resolve).fetch(url)

    return refusal_of(lambda: asyncio.run(fetch()))


def named(keyid: str) -> str | None:
    """Return the code that a keyId is refused with whose URL leads to a QSealC."""
    pem = ssl.DER_cert_to_PEM_cert(mint_seal(qtsp())).encode()

    async def fetch(_: str) -> bytes:
        return pem

    finder = KeyFinder(Nothing(), SimpleNamespace(fetch=fetch))
    find = finder.find(keyid, organization_identifier=ACME, client_id=None, jwks=None)
    return refusal_of(asyncio.run, find)


class OnePage:
    """A register of one client."""

    def __init__(self, client: ClientRecord) -> None:
        self._client = client

    async def page(self, after: str, _: int) -> tuple[ClientRecord, ...]:
        return () if after else (self._client,)


def suspended(at: datetime) -> str | None:
    """Return the code that a client is suspended with when it is checked again at a time."""
    key = RegisteredKey(ClientId("client-1"), ACME, X5tS256("x"), mint_seal(qtsp()), "kid", None)
    stored = record(1, key, organization=ACME)
    client = replace(stored, metadata=replace(stored.metadata, scope="aisp"))

    async def recheck() -> str | None:
        judge = CertificateJudge(
            SimpleNamespace(anchors=lambda: qtsp().anchors),
            Revocations(qtsp()),
            CertificateRules(),
        )
        again = Recheck(judge=judge, entitlement=Entitlement(None), dialect=STET, at=at)
        changes = [each async for each in again.changes(OnePage(client))]
        found = [each.after.code for each in changes if each and each.after]
        return found[0] if found else None

    return asyncio.run(recheck())


def request(number: int, name: str, code: str, **changes: object) -> Case:
    """A registration signed by the QTSP's TPP, with a fault."""
    return Case(number, name, code, lambda: refusal_of_request(qtsp(), **changes))


CASES = (
    request(23, "a seal of another PSP", "certificates_disagree", seal_of="PSDFR-ACPR-2"),
    Case(
        25, "authorised in 2019, withdrawn in 2021", "psp_not_authorised", lambda: entitled(*LEFT)
    ),
    Case(25, "not in the register", "psp_not_in_register", entitled),
    Case(26, "pisp asked by a PSP_AI", "role_insufficient", lambda: granted("aisp pisp")),
    Case(
        *(26, "registered for other services", "role_insufficient"),
        lambda: entitled("2019-09-14", services="PS_070"),
    ),
    request(27, "signed with another key", "SIG-1", signed_with="another"),
    request(27, "the token of another connection", "token_not_bound", token_of=b"another"),
    Case(
        *(28, "a keyId that leads into the own network", "key_url_refused"),
        lambda: fetched("https://tpp.test/qsealc.pem"),
    ),
    Case(
        *(28, "a keyId with the SHA-256 of another certificate", "KEY-3"),
        lambda: named(f"https://tpp.test/qsealc_{'0' * 64}"),
    ),
    Case(29, "registered, and ended since", "cert_expired", lambda: suspended(AT + 31 * DAY)),
)
MUTATIONS = (
    Mutation(23, "enrol.registration.authenticate.check_same_organization", passing),
    Mutation(25, "enrol.eidas.register.RegisterEntry.is_authorised", lambda *_: True),
    Mutation(25, "enrol.registration.entitlement.licensed_roles", lambda _, roles, **__: roles),
    Mutation(26, "enrol.registration.policy.granted_scope", lambda asked, *_: asked),
    Mutation(26, "enrol.registration.entitlement.licensed_roles", lambda _, roles, **__: roles),
    Mutation(27, "enrol.httpsig.verify.check_cavage_bytes", lambda *_: ()),
    Mutation(27, "enrol.registration.authenticate.check_token", lambda token, **_: token),
    Mutation(28, "enrol.adapters.outbound.is_public", lambda _: True),
    Mutation(28, "enrol.registration.keys.matches_certificate", lambda *_, **__: True),
    Mutation(29, "enrol.registration.standing.Recheck._standing_of", passing),
)
