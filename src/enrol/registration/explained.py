"""Telling a TPP in full why its signature is refused; for test systems only."""

import asyncio
from typing import Final

from enrol.eidas.certificate import parse_certificate
from enrol.eidas.organization import OrganizationIdentifier
from enrol.errors import ExplainedRule, RefusalError, RefusalExplanation, SignatureError
from enrol.httpsig.errors import DigestError, HygieneError, SignatureSyntaxError
from enrol.httpsig.explain import (
    GivenKey,
    SignatureReport,
    Verdict,
    explain_signature,
    visible,
)
from enrol.httpsig.policy import SignaturePolicy
from enrol.httpsig.verify import unverified_keyid
from enrol.oauth.jwk import JsonWebKeySet
from enrol.oauth.metadata import parse_client_metadata
from enrol.oauth.strict_json import parse_json_object
from enrol.registration.authenticate import Authenticator
from enrol.registration.dialect import Dialect
from enrol.registration.reading import read_document
from enrol.registration.request import RepeatedRequest, UnverifiedRequest, VerifiedRequest

_ORDER: Final = (Verdict.FAILS, Verdict.UNDECIDED, Verdict.HOLDS)
_WITHOUT_KEY: Final = ("KEY-", "key_url_")


class ExplainingAuthenticator(Authenticator):
    """Believes and refuses as its parent does, and explains what is refused of a signature."""

    async def authenticate(self, request: UnverifiedRequest) -> VerifiedRequest | RepeatedRequest:
        """Return the request as verified; a refusal of its signature carries an explanation."""
        try:
            return await super().authenticate(request)
        except (SignatureError, DigestError, HygieneError, SignatureSyntaxError) as exc:
            raise type(exc)(exc.code, await self._explanation(exc, request)) from exc

    async def _explanation(
        self, refusal: RefusalError, request: UnverifiedRequest
    ) -> RefusalExplanation:
        """Explain a refusal by what was found on the way to it, found again."""
        at = self._clock()
        qwac = await self._judge.qwac(request.peer_certificate, at=at)
        organization = qwac.organization_identifier
        policy = await self._signatures.choose(organization, request.client_id, self._clients)
        given = None
        if not refusal.code.startswith(_WITHOUT_KEY):
            given = await self._given_key(request, organization, policy)
        report = await asyncio.to_thread(  # it may take a second, and others wait for the loop
            explain_signature,
            request.message,
            given,
            at=at,
            policy=policy,
            refused_by=refusal.code,
        )
        return _told(report)

    async def _given_key(
        self,
        request: UnverifiedRequest,
        organization: OrganizationIdentifier,
        policy: SignaturePolicy,
    ) -> GivenKey | None:
        """Return the key that keyId names; None where it is not at hand or cannot be read."""
        try:
            named = await self._keys.find_known(
                unverified_keyid(request.message, policy=policy),
                organization_identifier=organization,
                client_id=request.client_id,
                jwks=_jwks(request, self._dialect),
            )
            certificates = [parse_certificate(one.der) for one in named]
        except RefusalError:
            return None
        if not certificates:
            return None
        certificate = certificates[-1]
        return GivenKey(certificate.public_key, certificate=certificate.der)


def _jwks(request: UnverifiedRequest, dialect: Dialect) -> JsonWebKeySet | None:
    """Return the keys a first registration brings with it."""
    if request.message.method != "POST" or request.client_id is not None:
        return None
    document = read_document(parse_json_object(request.message.body), dialect.reading)
    return parse_client_metadata(document).jwks


def _told(report: SignatureReport) -> RefusalExplanation:
    """Return what is told of a report: nothing of the request but the signing string, escaped."""
    signed = report.signing_string
    return RefusalExplanation(
        findings=tuple(
            ExplainedRule(finding.rule, finding.verdict.value, finding.sentence)
            for verdict in _ORDER
            for finding in report.having(verdict)
        ),
        mistakes=tuple(mistake.sentence for mistake in report.mistakes),
        signing_string=() if signed is None else tuple(map(visible, signed.split(b"\n"))),
    )
