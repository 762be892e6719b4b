"""What is made of a certificate whose issuer, or somebody else, answers about it."""

from datetime import timedelta

from asn1crypto import core
from asn1crypto import ocsp as asn1
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec

from eidas.minting import AT
from eidas.refusals import refusal_of
from enrol.eidas.certificate import parse_certificate
from enrol.eidas.crl import parse_revocation_lists
from enrol.eidas.ocsp import parse_ocsp_response
from enrol.eidas.revocation import RevocationEvidence, judge_revocation
from enrol.errors import UnavailableError

SERIAL = 4711


def check(der: bytes, authority, *responses: bytes, lists=(), at=AT, tolerance=timedelta(0)):
    evidence = RevocationEvidence(
        responses=tuple(map(parse_ocsp_response, responses)), lists=parse_revocation_lists(lists)
    )
    certificate = parse_certificate(der)
    status = judge_revocation(
        certificate, authority.certificate, evidence, at=at, tolerance=tolerance
    )
    if not status.is_known:
        raise UnavailableError("revocation_unknown")
    return status


def refusal(der: bytes, authority, *responses: bytes, **values) -> str | None:
    return refusal_of(check, der, authority, *responses, **values)


def with_statements(answer: bytes, *others: bytes, signer, change=lambda _: None) -> bytes:
    """Return an answer with the SingleResponses of others after its own, signed again.

    `change` may do anything to its ResponseData.
    """
    whole = asn1.OCSPResponse.load(answer)
    basic = whole.basic_ocsp_response
    read = [asn1.OCSPResponse.load(der).response_data["responses"] for der in (answer, *others)]
    every = [one.copy() for statements in read for one in statements]
    basic["tbs_response_data"]["responses"] = asn1.Responses(every)
    change(basic["tbs_response_data"])
    octets = basic["tbs_response_data"].dump(force=True)
    basic["signature"] = signer.sign(octets, ec.ECDSA(hashes.SHA256()))
    whole["response_bytes"]["response"] = core.ParsableOctetString(basic.dump(force=True))
    return whole.dump(force=True)
