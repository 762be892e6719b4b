"""What issuers say online: OCSP responders first, then the lists that certificates point to."""

import asyncio
import secrets
from collections.abc import Awaitable, Callable, Iterable
from dataclasses import replace
from datetime import datetime
from functools import partial
from typing import Final, TypeVar

import structlog
from cryptography import x509
from cryptography.hazmat.primitives.hashes import SHA256

from enrol.adapters.cache import LruCache
from enrol.adapters.inquiry import TOLERANCE, Inquirer, InquiryPolicy, Kept
from enrol.adapters.outbound import Question, Resolver, Target, WayOut
from enrol.adapters.places import lists_of, responders_of, url_of
from enrol.eidas.certificate import Certificate
from enrol.eidas.crl import RevocationList, RevocationLists, is_believed, parse_revocation_list
from enrol.eidas.ocsp import (
    MAXIMUM_LENGTH,
    OcspResponse,
    ocsp_request,
    parse_ocsp_response,
    statements_about,
)
from enrol.eidas.revocation import RevocationEvidence, judge_revocation
from enrol.eidas.validate import AssessedCertificate
from enrol.errors import CertificateError, UnavailableError
from enrol.registration.meters import CallMeter
from enrol.registration.ports import RevocationSource

_log = structlog.get_logger(__name__)

T = TypeVar("T")
Link = tuple[Certificate, x509.Certificate]
"""A certificate and its issuer."""

_NONCE: Final = 32
_DEFAULT_POLICY: Final = InquiryPolicy()
_OCSP_HEADERS: Final = {
    "Content-Type": "application/ocsp-request",
    "Accept": "application/ocsp-response",
}
_CRL_HEADERS: Final = {"Accept": "application/pkix-crl, */*"}


class OnlineRevocationSource:
    """A `RevocationSource` that asks the network where `local` does not name the certificate.

    Whom to ask a certificate says itself, so it is asked for certificates of believed issuers only.
    Whoever asks the same at the same time waits for one answer. For one event loop.
    """

    def __init__(
        self,
        local: RevocationSource,
        policy: InquiryPolicy = _DEFAULT_POLICY,
        *,
        resolve: Resolver | None = None,
        random: Callable[[int], bytes] = secrets.token_bytes,
        meter: CallMeter | None = None,
    ) -> None:
        self._local = local
        self._policy = policy
        self._random = random
        way_out = WayOut(policy.reach, resolve=resolve)
        ask = partial(Inquirer, policy, way_out=way_out, meter=meter or CallMeter())
        self._responders = ask(kind="ocsp", parallel=policy.parallel)
        self._shelves = ask(kind="crl", parallel=policy.parallel_lists)
        self._answers: LruCache[bytes, Kept[OcspResponse]] = LruCache(policy.kept_answers)
        self._lists: LruCache[bytes, Kept[RevocationList]] = LruCache(policy.kept_lists)
        self._flights: dict[bytes, asyncio.Task[object]] = {}

    def basis(self) -> object:
        """Return what `local` rests on; what is heard online ends with its verdict."""
        return self._local.basis()

    async def evidence_for(
        self, assessed: AssessedCertificate, *, at: datetime
    ) -> RevocationEvidence:
        """Return what is at hand, and what could be heard of each link within the deadline."""
        local = await self._local.evidence_for(assessed, at=at)
        end = asyncio.get_running_loop().time() + self._policy.deadline
        heard = await asyncio.gather(
            *(self._hear(link, local, at=at, end=end) for link in assessed.links)
        )
        return _joined((local, *heard))

    async def _hear(
        self, link: Link, local: RevocationEvidence, *, at: datetime, end: float
    ) -> RevocationEvidence:
        """Return what is heard online of one certificate; it is undecided where that is nothing.

        1. Nobody is asked about a certificate that a list at hand names.
        2. The responders, until one decides.
        3. Where nothing is known yet, the lists, until one covers the certificate.
        """
        if _is_revoked(link, local, at):  # (1)
            return RevocationEvidence()
        try:
            async with asyncio.timeout_at(end):
                for target in responders_of(link[0]):  # (2)
                    answer = await self._answer(target, link, at=at)
                    if answer.value is not None:
                        return RevocationEvidence((answer.value,), ask_again_at=answer.until)
                if _is_known(link, local, at):
                    return RevocationEvidence()
                for target in lists_of(link[0]):  # (3)
                    found = await self._list(target, link[1], at=at)
                    if found.value is not None:
                        heard = RevocationEvidence(lists=RevocationLists.of([found.value]))
                        if _is_known(link, heard, at):
                            return replace(heard, ask_again_at=found.until)
        except TimeoutError:
            _log.warning("revocation_timeout", certificate=link[0].sha256.hex())
        return RevocationEvidence(ask_again_at=at + self._policy.failure_kept_for)

    async def _answer(self, target: Target, link: Link, *, at: datetime) -> Kept[OcspResponse]:
        key = url_of(target).encode() + b" " + ocsp_request(*link)
        kept = self._answers.get(key)
        if kept is not None and kept.is_fresh(at):
            return kept
        return await self._shared(key, lambda: self._ask_responder(key, target, link, at))

    async def _list(
        self, target: Target, issuer: x509.Certificate, *, at: datetime
    ) -> Kept[RevocationList]:
        key = url_of(target).encode() + b" " + issuer.fingerprint(SHA256())
        kept = self._lists.get(key)
        if kept is not None and kept.is_fresh(at):
            return kept
        return await self._shared(key, lambda: self._fetch_list(key, target, issuer, at))

    async def _shared(self, key: bytes, begin: Callable[[], Awaitable[Kept[T]]]) -> Kept[T]:
        """Return what comes of a question, asked once however many wait for it."""
        flight = self._flights.get(key)
        if flight is None:
            flight = asyncio.ensure_future(begin())
            self._flights[key] = flight
            flight.add_done_callback(lambda _: self._flights.pop(key, None))
        kept: Kept[T] = await asyncio.shield(flight)  # type: ignore[arg-type]  # by its key
        return kept

    async def _ask_responder(
        self, key: bytes, target: Target, link: Link, at: datetime
    ) -> Kept[OcspResponse]:
        """Ask a responder, and remember its answer where it decides."""
        nonce, policy = self._random(_NONCE), self._policy
        question = Question("POST", _OCSP_HEADERS, MAXIMUM_LENGTH, ocsp_request(*link, nonce=nonce))
        body = await self._responders.ask(target, question, within=policy.ocsp_timeout, at=at)
        kept: Kept[OcspResponse] = Kept(None, at, at + policy.failure_kept_for)
        if body is not None:
            answer = _parsed(body, lambda data: parse_ocsp_response(data, nonce=nonce), target)
            if answer is not None and _is_known(link, RevocationEvidence((answer,)), at):
                about = statements_about(answer, *link, at=at, tolerance=TOLERANCE)
                end = min(at + policy.ocsp_kept_for, *(one.until for one in about))
                kept = Kept(answer, at, end)
        self._answers.put(key, kept)
        return kept

    async def _fetch_list(
        self, key: bytes, target: Target, issuer: x509.Certificate, at: datetime
    ) -> Kept[RevocationList]:
        """Fetch a list, read it aside, and remember it where it is believed."""
        policy = self._policy
        question = Question("GET", _CRL_HEADERS, policy.largest_list)
        body = await self._shelves.ask(target, question, within=policy.deadline, at=at)
        kept: Kept[RevocationList] = Kept(None, at, at + policy.failure_kept_for)
        if body is not None:
            one = await asyncio.to_thread(_believed_list, body, target, issuer, at)
            if one is not None:
                kept = Kept(one, at, min(one.next_update, at + policy.list_kept_for))
        self._lists.put(key, kept)
        return kept


def _is_revoked(link: Link, evidence: RevocationEvidence, at: datetime) -> bool:
    try:
        judge_revocation(*link, evidence, at=at, tolerance=TOLERANCE)
    except CertificateError:
        return True
    return False


def _is_known(link: Link, evidence: RevocationEvidence, at: datetime) -> bool:
    """Say whether the evidence decides, either way."""
    try:
        return judge_revocation(*link, evidence, at=at, tolerance=TOLERANCE).is_known
    except CertificateError:
        return True


def _parsed(body: bytes, parse: Callable[[bytes], T], target: Target) -> T | None:
    try:
        return parse(body)
    except UnavailableError as exc:
        cause = type(exc.__cause__).__name__
        _log.warning("revocation_answer_unfit", host=target.host, cause=cause)
        return None


def _believed_list(
    body: bytes, target: Target, issuer: x509.Certificate, at: datetime
) -> RevocationList | None:
    """Read a list and verify its signature, in a thread; None where it is not believed."""
    one = _parsed(body, parse_revocation_list, target)
    if one is None or not is_believed(one, issuer, at=at, tolerance=TOLERANCE):
        return None
    return one


def _joined(parts: Iterable[RevocationEvidence]) -> RevocationEvidence:
    """Return all that was heard, to be asked anew when the first part is."""
    local, *heard = parts
    found = [one for part in heard for each in part.lists.by_issuer.values() for one in each]
    ends = [part.ask_again_at for part in (local, *heard) if part.ask_again_at is not None]
    return RevocationEvidence(
        responses=local.responses + tuple(each for part in heard for each in part.responses),
        lists=local.lists.with_more(found) if found else local.lists,
        ask_again_at=min(ends, default=None),
    )
