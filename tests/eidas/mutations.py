"""Each check taken away in turn, and what would then be let through.

A mutation replaces one function by one that does not look; a case is a certificate, or a request,
that its check alone refuses.
"""

import pkgutil
from collections.abc import Callable
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from functools import cache
from typing import Any
from unittest.mock import patch

from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.x509.oid import ExtendedKeyUsageOID

from eidas.listing import anchors, head, period, service
from eidas.minting import (
    AT,
    DAY,
    key,
    mint,
    mint_authority,
    mint_crl,
    mint_seal,
    qc_statements,
    rsa_key,
)
from eidas.refusals import refusal_of
from enrol.eidas import validate as judging
from enrol.eidas.certificate import Certificate, parse_certificate
from enrol.eidas.organization import OrganizationIdentifier
from enrol.eidas.qcstatements import (
    QC_LEGISLATION,
    Psd2Statement,
    PspRole,
    QcLegislations,
    QcStatement,
    QcStatementFacts,
)
from enrol.eidas.revocation import GroundKind, RevocationEvidence, RevocationStatus
from enrol.eidas.rules import CertificateUse
from enrol.eidas.trust import TrustAnchors
from enrol.eidas.trustlist import ListedUse
from enrol.errors import CertificateError, RefusalError

WEB, SEAL = CertificateUse.QWAC, CertificateUse.QSEALC
AI = frozenset({PspRole.PSP_AI})
STAND_IN = QcStatementFacts(
    compliance=True,
    qscd=False,
    qc_types=("web",),
    legislations=(),
    psd2=Psd2Statement(AI, "ACPR", "FR-ACPR"),
)
SWISS = [QcStatement({"id": QC_LEGISLATION, "info": QcLegislations(["CH"])})]
SERVER_ONLY = (ExtendedKeyUsageOID.SERVER_AUTH,)
TOO_LONG = [(x509.UnrecognizedExtension(x509.ObjectIdentifier("1.2.3.4"), bytes(17_000)), False)]
POISON = [(x509.PrecertPoison(), True)]
CA_TOO = [(x509.BasicConstraints(ca=True, path_length=None), True)]


@dataclass(frozen=True)
class Case:
    """What check `number` refuses with `code`; None is what it must not refuse."""

    number: int
    name: str
    code: str | None
    run: Callable[[], str | None]


@dataclass(frozen=True)
class Mutation:
    """A check, or a part of it, taken away: the function `target` becomes another.

    `imported` is where it is known by name too; `what` says it where it is not the function.
    """

    number: int
    target: str
    replacement: Any
    imported: str = ""
    what: str = ""

    @contextmanager
    def applied(self):
        """Enter a context without the check."""
        with ExitStack() as stack:
            for target in filter(None, (self.target, self.imported)):
                stack.enter_context(patch(target, self.replacement))
            yield

    @property
    def name(self) -> str:
        """Return what is taken away, as the documentation says it."""
        return self.what or f"`{'.'.join(self.target.split('.')[2:])}`"


def passing(*_: object, **__: object) -> None:
    """Look at nothing."""


def swallowing(target: str, *codes: str, otherwise: Callable[..., Any] = passing):
    """Return the function `target`, that goes on where it would refuse with one of `codes`."""
    original = pkgutil.resolve_name(target)

    def run(*args, **kwargs):
        try:
            return original(*args, **kwargs)
        except RefusalError as refused:
            if refused.code not in codes:
                raise
            return otherwise(*args, **kwargs)

    return run


@cache
def qtsp():
    return mint_authority("Mutation QTSP")


def judged(der: bytes, use=WEB, *, at=AT, trust=None, revoked=(), evidence=None) -> str | None:
    """Return the code that a certificate is refused with, also one that cannot be read."""
    heard = [mint_crl(qtsp(), *revoked, this_update=at - DAY, next_update=at + DAY)]
    return refusal_of(
        lambda: judging.validate(
            parse_certificate(der),
            use=use,
            at=at,
            trust=trust or qtsp().anchors,
            revocation=evidence or RevocationEvidence.of_lists(heard),
        )
    )


def case(number: int, name: str, code: str | None, **changes: object) -> Case:
    """A QWAC of the QTSP with a fault."""
    return Case(number, name, code, lambda: judged(mint(qtsp(), **changes)))


def sealed(number: int, name: str, code: str | None, **changes: object) -> Case:
    """A QSealC of the QTSP with a fault."""
    return Case(number, name, code, lambda: judged(mint_seal(qtsp(), **changes), SEAL))


def listed(number: int, name: str, code: str, **snapshot: Any) -> Case:
    """A QWAC under trusted lists."""
    periods = snapshot.pop("periods", (period(),))
    issuer = snapshot.pop("issuer", qtsp)

    def run() -> str | None:
        return judged(mint(issuer()), trust=anchors(service(qtsp(), periods=periods), **snapshot))

    return Case(number, name, code, run)


def roles(*pairs: tuple[str, str]) -> bytes:
    return qc_statements(roles=pairs)


@cache
def nobody():
    return mint_authority("Nobody")


@cache
def forger():
    return mint_authority("Mutation QTSP", private_key=key("forger"))


CASES = (
    case(1, "17 KiB", "cert_malformed", extra=TOO_LONG),
    Case(1, "an octet too many", "cert_malformed", lambda: judged(mint(qtsp()) + b"\0")),
    case(2, "a precertificate", "cert_is_precertificate", extra=POISON),
    case(3, "a CA", "cert_is_ca", extra=CA_TOO),
    case(4, "RSA of 1024 bits", "cert_weak_key", public_key=rsa_key("weak", 1024).public_key()),
    case(4, "signed over SHA-224", "cert_weak_key", hash_algorithm=hashes.SHA224()),
    case(5, "ended yesterday", "cert_expired", not_after=AT - DAY),
    case(5, "begins tomorrow", "cert_not_yet_valid", not_before=AT + DAY),
    listed(
        6,
        "the list of the lists has ended",
        "trust_list_unavailable",
        lotl=head("EU", next_update=AT - DAY),
    ),
    listed(
        6,
        "the national list has ended",
        "trust_list_unavailable",
        territory=head(next_update=AT - DAY),
    ),
    listed(
        *(6, "an issuer of a country whose list is missing", "trust_list_unavailable"),
        issuer=nobody,
        missing=("FR",),
    ),
    Case(7, "a CA nobody listed", "cert_issuer_not_listed", lambda: judged(mint(nobody()))),
    Case(7, "the name of a CA, another key", "cert_path_invalid", lambda: judged(mint(forger()))),
    listed(
        *(8, "service withdrawn", "cert_not_qualified_at_now"),
        periods=(period(AT - DAY, status="withdrawn"), period()),
    ),
    listed(
        *(8, "issued before the service was granted", "cert_not_qualified_at_issue"),
        periods=(period(AT - DAY),),
    ),
    listed(
        *(9, "service for seals only", "service_not_for_web"),
        periods=(period(uses=(ListedUse.ESEAL,)),),
    ),
    Case(
        *(9, "service for websites only", "service_not_for_eseal"),
        lambda: judged(
            mint_seal(qtsp()),
            SEAL,
            trust=anchors(service(qtsp(), periods=(period(uses=(ListedUse.WEB,)),))),
        ),
    ),
    case(10, "no qcStatements", "qcstatements_missing", with_qc=False),
    case(11, "no QcCompliance", "cert_not_qualified", qc=qc_statements(compliance=False)),
    case(12, "qualified in Switzerland", "cert_not_eu_qualified", qc=qc_statements(extra=SWISS)),
    case(13, "a QSealC as QWAC", "cert_wrong_qctype", qc=qc_statements(types=("eseal",))),
    sealed(13, "a QWAC as QSealC", "cert_wrong_qctype", qc=qc_statements(types=("web",))),
    sealed(14, "no QcSSCD, PDS nor policy, and accepted", None),
    case(15, "no PSD2 statement", "psd2_statement_missing", qc=qc_statements(psd2=False)),
    case(16, "no role", "psd2_no_role", qc=roles()),
    case(
        *(17, "PSP_AI with the name of PSP_PI", "psd2_role_mismatch"),
        qc=roles((PspRole.PSP_AI.oid, "PSP_PI")),
    ),
    case(18, "blanks for an authority", "psd2_nca_name_empty", qc=qc_statements(nca_name=" ")),
    case(19, "FRACPR", "psd2_nca_id_malformed", qc=qc_statements(nca_id="FRACPR")),
    case(
        *(19, "an authority in London", "psd2_nca_not_eea"),
        qc=qc_statements(nca_id="GB-FCA"),
        organizations=("PSDGB-FCA-1",),
    ),
    case(20, "none", "organization_identifier_malformed", organizations=()),
    case(20, "two", "organization_identifier_malformed", organizations=("PSDFR-ACPR-1",) * 2),
    case(
        *(20, "of another authority", "organization_identifier_nca_mismatch"),
        organizations=("PSDDE-BAFIN-1",),
    ),
    case(21, "for servers only", "cert_wrong_key_usage", extended=SERVER_ONLY),
    case(21, "no digitalSignature", "cert_wrong_key_usage", usage=("content_commitment",)),
    sealed(22, "for encryption only", "cert_wrong_key_usage", usage=("key_encipherment",)),
    Case(
        *(24, "revoked", "cert_revoked"),
        lambda: judged(mint(qtsp(), serial_number=7), revoked=(7,)),
    ),
    Case(
        *(24, "nothing heard", "revocation_unknown"),
        lambda: judged(mint(qtsp()), evidence=RevocationEvidence()),
    ),
)


def believed(name: str, *codes: str, otherwise: Callable[..., Any] = passing):
    target = f"enrol.eidas.{name}"
    return target, swallowing(target, *codes, otherwise=otherwise)


GOOD = parse_certificate(mint(qtsp()))


def good_read(_: bytes) -> Certificate:
    return GOOD


def qscd_required(qc: QcStatementFacts) -> None:
    if not qc.qscd:
        raise CertificateError("cert_not_qualified")


def anchored(certificate: Certificate, trust: TrustAnchors, **_: object):
    return certificate.loaded, trust.certificates[0]


def tomorrow(*_: object, **__: object):
    return AT + DAY


NOT_QUALIFIED = ("cert_not_qualified_at_now", "cert_not_qualified_at_issue")
ENDED = "trust_list_unavailable"
KNOWN_GOOD = RevocationStatus(((GroundKind.CRL, b""),), AT + DAY)
REGISTERED = OrganizationIdentifier("PSDFR-ACPR-12345")

MUTATIONS = (
    Mutation(1, "enrol.eidas.certificate.MAXIMUM_LENGTH", 2**20),
    Mutation(1, "enrol.eidas.certificate._read", good_read),
    Mutation(2, "enrol.eidas.checks.check_final", passing),
    Mutation(3, "enrol.eidas.checks.check_end_entity", passing),
    Mutation(4, "enrol.eidas.checks.check_strength", passing),
    Mutation(
        *(5, "enrol.eidas.checks.check_validity", passing),
        imported="enrol.eidas.validate.check_validity",
    ),
    Mutation(6, "enrol.eidas.validate.check_current", passing),
    Mutation(6, *believed("validate.check_listed", ENDED, otherwise=tomorrow)),
    Mutation(6, "enrol.eidas.trust.Listing.is_missing_issuer_of", lambda *_: False),
    Mutation(7, "enrol.eidas.validate.verify_path", anchored),
    Mutation(8, *believed("listed._check", *NOT_QUALIFIED)),
    Mutation(9, *believed("listed._check", "service_not_for_web", "service_not_for_eseal")),
    Mutation(10, "enrol.eidas.checks.check_qcstatements", lambda one: one.qc or STAND_IN),
    Mutation(11, "enrol.eidas.checks.check_compliance", passing),
    Mutation(12, "enrol.eidas.checks.check_legislation", passing),
    Mutation(13, "enrol.eidas.checks.check_qc_type", passing),
    Mutation(
        *(14, "enrol.eidas.checks.check_compliance", qscd_required),
        what="QcSSCD is required instead",
    ),
    Mutation(15, "enrol.eidas.checks.check_psd2_statement", lambda qc: qc.psd2 or STAND_IN.psd2),
    Mutation(16, "enrol.eidas.checks.check_role", passing),
    Mutation(17, "enrol.eidas.checks.check_role_names", passing),
    Mutation(18, "enrol.eidas.checks.check_nca_name", passing),
    Mutation(19, "enrol.eidas.checks.check_nca_id", passing),
    Mutation(19, "enrol.eidas.checks.check_authority", passing),
    Mutation(20, "enrol.eidas.checks.check_organization_identifier", lambda _: REGISTERED),
    Mutation(20, "enrol.eidas.checks.check_same_authority", passing),
    Mutation(
        *(21, "enrol.eidas.checks.check_key_usage", passing),
        imported="enrol.eidas.validate.check_key_usage",
    ),
    Mutation(
        *(22, "enrol.eidas.checks.check_key_usage", passing),
        imported="enrol.eidas.validate.check_key_usage",
    ),
    Mutation(24, "enrol.eidas.validate.judge_revocation", lambda *_, **__: KNOWN_GOOD),
)
