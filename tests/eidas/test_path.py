import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ed25519, padding, rsa
from cryptography.x509.oid import ExtendedKeyUsageOID

from eidas.minting import (
    AT,
    DAY,
    Authority,
    key,
    mint,
    mint_authority,
    mint_seal,
    name,
    rsa_key,
)
from eidas.refusals import refusal_of
from enrol.eidas.certificate import parse_certificate
from enrol.eidas.path import MAXIMUM_INTERMEDIATES, verify_path
from enrol.eidas.trust import TrustAnchors

CLIENT_AUTH = ExtendedKeyUsageOID.CLIENT_AUTH
EMAIL = ExtendedKeyUsageOID.EMAIL_PROTECTION


def verify(der: bytes, *anchors: Authority, intermediates=(), at=AT, purpose=CLIENT_AUTH):
    return verify_path(
        parse_certificate(der),
        TrustAnchors(tuple(anchor.certificate for anchor in anchors)),
        intermediates=intermediates,
        at=at,
        purpose=purpose,
    )


def refusal(der: bytes, *anchors: Authority, **values) -> str | None:
    return refusal_of(verify, der, *anchors, **values)


def constrained(permitted=None, excluded=None, *, critical=True, **values) -> Authority:
    constraints = x509.NameConstraints(permitted, excluded)
    return mint_authority(extra=[(constraints, critical)], **values)


def test_the_issuing_ca_itself_is_an_anchor_enough(qtsp):
    root = mint_authority("Test Root")
    issuing = mint_authority("Test Issuing", issuer=root)
    path = verify(mint(issuing), issuing)
    assert path[1:] == (issuing.certificate,)


def test_an_intermediate_leads_to_an_anchor():
    root = mint_authority("Test Root", path_length=1)
    issuing = mint_authority("Test Issuing", issuer=root, path_length=0)
    path = verify(mint(issuing), root, intermediates=(issuing.der,))
    assert path[1:] == (issuing.certificate, root.certificate)


def test_of_several_cas_of_one_name_the_one_that_signed_is_found(qtsp):
    former, other = mint_authority(private_key=key("former")), mint_authority("Other")
    assert verify(mint(qtsp), other, former, qtsp)[1] == qtsp.certificate


def test_seals_pass_without_alternative_name_and_extended_key_usage(qtsp):
    assert verify(mint_seal(qtsp), qtsp, purpose=None)


@pytest.mark.parametrize(
    ("algorithm", "salt"),
    [(hashes.SHA512(), 64), (hashes.SHA256(), 32), (hashes.SHA512(), 190), (hashes.SHA256(), 20)],
    ids=["SHA-512 as D-TRUST", "SHA-256", "longest salt", "short salt"],
)
def test_rsassa_pss_signatures_verify(algorithm, salt):
    authority = mint_authority(private_key=rsa_key("ca"))
    pss = padding.PSS(padding.MGF1(algorithm), salt)
    der = mint(authority, hash_algorithm=algorithm, rsa_padding=pss)
    stranger = mint_authority(private_key=rsa_key("stranger"))
    assert verify(der, authority)[1] == authority.certificate
    assert refusal(der, stranger) == "cert_path_invalid"


def test_critical_qcstatements_verify_under_the_ca_that_signed(qtsp):
    impostor = mint_authority(private_key=key("impostor"))
    der = mint(qtsp, qc_critical=True)
    assert verify(der, impostor, qtsp)[1] == qtsp.certificate
    assert refusal(der, impostor) == "cert_path_invalid"


@pytest.mark.parametrize(
    "authority",
    [
        pytest.param(mint_authority(not_after=AT - DAY), id="expired"),
        pytest.param(mint_authority(usage=("crl_sign",)), id="may not sign certificates"),
        pytest.param(constrained([x509.DNSName("example")]), id="constrained"),
        pytest.param(mint_authority(private_key=rsa_key("weak", 1024)), id="RSA of 1024 bits"),
        pytest.param(
            mint_authority(extra=[(x509.ExtendedKeyUsage([EMAIL]), False)]), id="for mail only"
        ),
    ],
)
def test_critical_qcstatements_do_not_excuse_their_ca(authority):
    assert refusal(mint(authority, qc_critical=True), authority) == "cert_path_invalid"


def test_critical_qcstatements_do_not_excuse_other_critical_extensions(qtsp):
    unknown = x509.UnrecognizedExtension(x509.ObjectIdentifier("1.2.3.4"), b"\x05\x00")
    der = mint(qtsp, qc_critical=True, extra=[(unknown, True)])
    assert refusal(der, qtsp) == "cert_path_invalid"


def test_without_anchors_nothing_can_be_decided(qtsp):
    assert refusal(mint(qtsp)) == "trust_list_unavailable"


def test_a_ca_of_another_name_is_not_listed(qtsp):
    assert refusal(mint(mint_authority("Nobody")), qtsp) == "cert_issuer_not_listed"


def test_an_intermediate_of_a_stranger_does_not_list(qtsp):
    stranger = mint_authority("Stranger")
    below = mint_authority("Below", issuer=stranger)
    der = mint(below)
    values = {"intermediates": (below.der, stranger.der)}
    assert refusal(der, qtsp, **values) == "cert_issuer_not_listed"


def test_a_self_signed_certificate_is_not_listed(qtsp):
    itself = Authority(key(), mint_authority("Itself").certificate)
    assert refusal(mint(itself), qtsp) == "cert_issuer_not_listed"


def test_a_forged_ca_of_the_same_name_is_refused(qtsp):
    forged = mint_authority(private_key=key("forger"))
    der = mint(forged)
    assert refusal(der, qtsp) == "cert_path_invalid"
    assert refusal(der, qtsp, intermediates=(forged.der,)) == "cert_path_invalid"


def test_changing_any_signed_octet_is_refused(qtsp):
    der = mint(qtsp)
    altered = der.replace(b"PSDFR-ACPR-12345", b"PSDFR-ACPR-12346")
    assert refusal(altered, qtsp) == "cert_path_invalid"


def test_a_certificate_that_is_no_ca_does_not_issue(qtsp):
    leaf = x509.load_der_x509_certificate(mint(qtsp, usage=("digital_signature", "key_cert_sign")))
    der = mint(Authority(key(), leaf), public_key=key("below").public_key())
    chain = (mint(qtsp),)
    assert refusal(der, qtsp, intermediates=chain) == "cert_path_invalid"


def test_a_leaf_that_is_itself_an_anchor_needs_its_issuer_like_any_other(qtsp):
    der = mint(qtsp)
    leaf = Authority(key(), x509.load_der_x509_certificate(der))
    assert verify(der, qtsp, leaf)[1:] == (qtsp.certificate,)
    assert refusal(der, leaf) == "cert_issuer_not_listed"


def test_a_self_signed_anchor_does_not_vouch_for_itself():
    itself = mint_authority("Itself")
    assert refusal(itself.der, itself) == "cert_path_invalid"


def test_a_path_longer_than_its_ca_allows_is_refused():
    root = mint_authority("Test Root", path_length=0)
    issuing = mint_authority("Test Issuing", issuer=root)
    assert refusal(mint(issuing), root, intermediates=(issuing.der,)) == "cert_path_invalid"


@pytest.mark.parametrize(
    "issuing",
    [
        pytest.param({"not_after": AT - DAY}, id="expired"),
        pytest.param({"usage": ("crl_sign",)}, id="may not sign certificates"),
        pytest.param({"private_key": rsa_key("weak", 1024)}, id="RSA of 1024 bits"),
    ],
)
def test_an_intermediate_that_may_not_issue_is_refused(issuing):
    root = mint_authority("Test Root")
    below = mint_authority("Test Issuing", issuer=root, **issuing)
    assert refusal(mint(below), root, intermediates=(below.der,)) == "cert_path_invalid"


@pytest.mark.parametrize(
    ("authority", "expected"),
    [
        pytest.param(constrained([x509.DNSName("example")]), None, id="inside"),
        pytest.param(constrained([x509.DNSName("elsewhere")]), "cert_path_invalid", id="outside"),
        pytest.param(
            constrained(None, [x509.DNSName("example")]), "cert_path_invalid", id="barred"
        ),
        pytest.param(
            constrained([x509.DirectoryName(name("any", "DE"))]),
            "cert_path_invalid",
            id="directory name",
        ),
        pytest.param(
            constrained([x509.DirectoryName(name("any", "DE"))], critical=False),
            "cert_path_invalid",
            id="directory name, not critical",
        ),
    ],
)
def test_name_constraints_are_honoured(authority, expected):
    assert refusal(mint(authority), authority) == expected


def test_name_constraints_of_an_intermediate_are_honoured():
    root = mint_authority("Test Root")
    below = constrained([x509.DNSName("elsewhere")], common_name="Below", issuer=root)
    assert refusal(mint(below), root, intermediates=(below.der,)) == "cert_path_invalid"


@pytest.mark.parametrize(
    ("usages", "purpose", "expected"),
    [
        ([EMAIL], CLIENT_AUTH, "cert_path_invalid"),
        ([EMAIL], None, None),
        ([EMAIL, CLIENT_AUTH], CLIENT_AUTH, None),
        ([ExtendedKeyUsageOID.ANY_EXTENDED_KEY_USAGE], CLIENT_AUTH, None),
    ],
    ids=["mail, for clients", "mail, for seals", "mail and clients", "any"],
)
def test_a_ca_that_limits_its_use_must_allow_this_one(usages, purpose, expected):
    authority = mint_authority(extra=[(x509.ExtendedKeyUsage(usages), False)])
    assert refusal(mint(authority), authority, purpose=purpose) == expected


@pytest.mark.parametrize(
    "anchor",
    [
        pytest.param(mint_authority(not_after=AT - DAY), id="expired"),
        pytest.param(mint_authority(private_key=rsa_key("weak", 1024)), id="RSA of 1024 bits"),
        pytest.param(mint_authority(usage=("crl_sign",)), id="may not sign certificates"),
    ],
)
def test_an_anchor_that_may_not_issue_is_refused(anchor):
    assert refusal(mint(anchor), anchor) == "cert_path_invalid"


def test_intermediates_must_be_few_and_readable(qtsp):
    der = mint(qtsp)
    too_many = (qtsp.der,) * (MAXIMUM_INTERMEDIATES + 1)
    assert refusal(der, qtsp, intermediates=too_many) == "cert_path_invalid"
    assert refusal(der, qtsp, intermediates=(b"\x30\x00",)) == "cert_malformed"
    assert refusal(der, qtsp, intermediates=(bytes(20_000),)) == "cert_malformed"


@pytest.mark.parametrize(
    "stranger",
    [
        mint_authority("Weak", private_key=rsa_key("weak", 1024)),
        mint_authority("Odd", private_key=ed25519.Ed25519PrivateKey.generate()),
    ],
    ids=["RSA of 1024 bits", "Ed25519"],
)
def test_intermediates_beside_the_path_do_no_harm(qtsp, stranger):
    assert verify(mint(qtsp), qtsp, intermediates=(stranger.der,))


def test_intermediates_that_all_issued_each_other_are_given_up_soon(qtsp):
    forged = [mint_authority(private_key=key("forger")) for _ in range(MAXIMUM_INTERMEDIATES)]
    chain = tuple(one.der for one in forged)
    assert refusal(mint(forged[0]), qtsp, intermediates=chain) == "cert_path_invalid"


def test_an_intermediate_whose_key_is_made_to_be_slow_is_not_used():
    root, slow = mint_authority("Test Root"), rsa.RSAPublicNumbers(2**2040 + 1, 2**2048 - 1)
    extra = [(x509.BasicConstraints(ca=True, path_length=None), True)]
    usage = ("key_cert_sign",)
    der = mint(root, public_key=slow.public_key(), usage=usage, extra=extra, extended=())
    below = Authority(rsa_key("ca"), x509.load_der_x509_certificate(der))
    assert refusal(mint(below), root, intermediates=(der,)) == "cert_path_invalid"


def test_intermediates_that_lead_nowhere_do_no_harm(qtsp):
    one = mint_authority("One")
    loop = mint_authority("Two", issuer=one)
    assert verify(mint(qtsp), qtsp, intermediates=(loop.der, one.der, qtsp.der))
