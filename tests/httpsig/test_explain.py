"""Why a signature is refused: the verdict is the verifier's, and nothing is made up."""

from dataclasses import replace
from datetime import datetime, timedelta

import pytest
from cryptography.hazmat.primitives.asymmetric import ec
from hypothesis import given as given_cases
from hypothesis import strategies as st

from enrol.errors import EnrolError
from enrol.httpsig import (
    STET,
    STRICT,
    HttpMessage,
    Mode,
    Primitive,
    SigningKey,
    parse_signature,
    sign,
    verify_message,
)
from enrol.httpsig.explain import (
    GivenKey,
    SignatureReport,
    Verdict,
    explain_signature,
    first_difference,
    visible,
)
from enrol.httpsig.explain.mistakes import SENTENCES
from enrol.httpsig.explain.statements import STATEMENTS
from httpsig_cases import (
    PRIMITIVES,
    Vector,
    cases,
    judge,
    load,
    message_of,
    moment,
    octets,
    public_key,
)
from httpsig_messages import code_of, with_fields
from httpsig_signer import BOTH, NAMES, broken, names_of, text_of

# What verifies


@pytest.mark.parametrize("policy", [STRICT, STET], ids=["strict", "stet"])
@pytest.mark.parametrize("vector", cases("psd2_positive"))
def test_a_genuine_request_explains_as_verifying(vector: Vector, policy) -> None:
    report = explained(vector, "psd2_positive", policy)
    assert (report.verdict, report.mistakes, broken(report)) == (Verdict.HOLDS, (), set())
    assert report.refused_by is None


@pytest.mark.parametrize("vector", cases("rfc9421_psd2"))
def test_a_request_of_rfc9421_has_its_verdict(vector: Vector) -> None:
    entries = load("rfc9421_psd2")["keys"]
    message = message_of(vector["request"])
    name = next(iter(entries))
    for known in entries:
        if f'keyid="{known}"' in message.first.get(b"signature-input", b"").decode():
            name = known
    entry = entries[name]
    key = GivenKey(public_key(entry["public_key_pem"]), PRIMITIVES[entry["algorithm"]], keyid=name)
    policy = replace(STET, modes=(Mode.RFC9421,))
    report = explain_signature(message, key, at=moment(vector), policy=policy)
    if vector["expect"]["verdict"] == "accept":
        assert (report.verdict, report.mistakes) == (Verdict.HOLDS, ())
    else:
        codes = {"M-KEY" if code.startswith("KEY-") else code for code in broken(report)}
        assert codes & set(vector["expect"]["violates"])


# What does not


@pytest.mark.parametrize("policy", [STRICT, STET], ids=["strict", "stet"])
@pytest.mark.parametrize("vector", [*cases("psd2_negative"), *cases("psd2_compat")])
def test_the_rule_a_request_breaks_is_among_those_that_fail(vector: Vector, policy) -> None:
    file = "psd2_negative" if vector["id"].startswith("N") else "psd2_compat"
    code = judge(vector, policy, load(file)["known_keys"])
    expect = vector["expect"] if policy is STRICT else vector["expect"]["stet_profile"]
    seen = code if (code or "").startswith("REP") else None
    report = explained(vector, file, policy, refused_by=seen)
    if expect["verdict"] == "accept":
        assert report.verdict is Verdict.HOLDS
    else:
        assert report.verdict is Verdict.FAILS
        assert broken(report) & set(expect["violates"])
        assert report.refused_by == code


def explained(vector: Vector, file: str, policy, **options) -> SignatureReport:
    message = message_of(vector["request"])
    known = load(file)["known_keys"]
    try:
        keyid = parse_signature(message, policy=policy).unverified_keyid
    except EnrolError:
        keyid = ""
    name = keyid if keyid in known else next(iter(known))
    entry = known[name]
    (algorithm,) = entry["algorithms"]
    pem = next(
        (
            key["certificate_pem"]
            for key in load("keys")["keys"].values()
            if key.get("certificate_sha256", 0) == entry.get("certificate_sha256", 1)
        ),
        None,
    )
    certificate = pem and octets({"body_b64": "".join(pem.split("-----")[2].split())})
    key = GivenKey(
        public_key(entry["public_key_pem"]), PRIMITIVES[algorithm], certificate, keyid=name
    )
    return explain_signature(message, key, at=moment(vector), policy=policy, **options)


# Time, body, key that are not there


def test_an_old_capture_is_said_to_be_old_and_all_else_is_judged(registration, signer, at) -> None:
    message = with_fields(
        registration,
        sign(registration, key=signer.key, keyid="k", covered=(*NAMES, "date")),
    )
    later = at + timedelta(days=30)
    report = signer.explained(message, later)
    assert broken(report) == {"TIM-3"}
    assert report.verifies_at == at
    assert "SIG-1" in {finding.rule for finding in report.having(Verdict.HOLDS)}


def test_an_old_capture_with_another_mistake_is_not_said_to_verify(
    registration, signer, at
) -> None:
    names = (*NAMES, "date")
    text = text_of(registration, *names).replace(b": post ", b": POST ")
    report = signer.explained(
        signer.signed(registration, text, names=names), at + timedelta(days=30)
    )
    assert broken(report) == {"TIM-3", "SIG-1"}
    assert report.verifies_at is None
    assert names_of(report) == {"method-upper-case"}


def test_without_the_body_the_digest_is_undecided(registration, signer, at) -> None:
    message = replace(signer.signed(registration, text_of(registration)), body=b"")
    report = signer.explained(message, at, has_body=False)
    assert report.verdict is Verdict.UNDECIDED
    assert "DIG-9" in {finding.rule for finding in report.having(Verdict.UNDECIDED)}


def test_without_a_key_the_arithmetic_is_undecided(registration, signer, at) -> None:
    report = explain_signature(signer.signed(registration, text_of(registration)), None, at=at)
    assert report.verdict is Verdict.UNDECIDED
    undecided = {finding.rule for finding in report.having(Verdict.UNDECIDED)}
    assert undecided >= {"SIG-1", "ALG-8", "KEY-2"}


def test_every_name_that_is_not_covered_is_said(registration, signer, at) -> None:
    message = signer.signed(registration, text_of(registration, "host"), names=("host",))
    report = signer.explained(message, at, policy=STRICT)
    assert broken(report) == {"COV-1", "COV-2", "COV-3", "COV-4"}


# Laws


@given_cases(st.binary(max_size=200))
def test_no_signature_field_breaks_the_explanation(value: bytes) -> None:
    message = HttpMessage.of("POST", b"/x", [(b"X-Request-ID", b"1"), (b"Signature", value)], b"{}")
    key = GivenKey(KEY.public_key())
    at = datetime.fromisoformat("2023-11-14T22:13:20Z")
    assert explain_signature(message, key, at=at).verdict is Verdict.FAILS


KEY = ec.generate_private_key(ec.SECP256R1())


@given_cases(
    method=st.sampled_from(["POST", "GET", "put", "x y"]),
    target=st.binary(max_size=20),
    fields=st.lists(
        st.tuples(
            st.one_of(
                st.sampled_from([b"digest", b"signature", b"signature-input", b"date", b"host"]),
                st.binary(max_size=3),
            ),
            st.one_of(
                st.binary(max_size=30),
                st.just(b'keyId="k",created=1,headers="(created) date digest",signature="YQ=="'),
                st.just(b'sig1=("@path" "date" "@query");created=1;keyid="k"'),
                st.just(b"sig1=:YQ==:"),
            ),
        ),
        max_size=6,
    ),
    body=st.binary(max_size=20),
)
def test_whatever_the_message_the_verdict_is_the_verifiers(method, target, fields, body) -> None:
    message = HttpMessage.of(method, target, fields, body)
    at = datetime.fromisoformat("2023-11-14T22:13:20Z")
    report = explain_signature(message, GivenKey(KEY.public_key()), at=at, policy=BOTH)
    key = SigningKey(KEY, Primitive.ECDSA_P256_SHA256_DER).verification_key()
    code = code_of(verify_message, message, lambda _: key, at=at, policy=BOTH)
    assert (report.verdict is Verdict.HOLDS) == (code is None)
    assert code is None or code in broken(report)


@given_cases(st.binary(), st.binary())
def test_two_strings_differ_somewhere_unless_they_are_equal(one: bytes, other: bytes) -> None:
    difference = first_difference(one, other)
    assert (difference is None) == (one == other)
    if difference is not None:
        assert difference.computed != difference.claimed


def test_what_cannot_be_seen_is_made_visible() -> None:
    assert visible(b" a\tb\r\\\xff ") == "\\x20a\\tb\\r\\\\\\xff\\x20"


def test_every_mistake_and_rule_has_a_sentence() -> None:
    assert all(SENTENCES.values())
    assert all(sentence.endswith(".") for sentence in STATEMENTS.values())
