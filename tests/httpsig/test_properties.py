"""Laws: what is signed verifies, what is changed does not, what is written reads back."""

from base64 import b64decode, b64encode
from binascii import Error as BinasciiError
from contextlib import suppress
from dataclasses import replace
from datetime import UTC, datetime
from string import ascii_letters, ascii_lowercase, digits

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from enrol.errors import MalformedRequestError, SignatureError
from enrol.httpsig import (
    RESPONSE,
    RESPONSE_COVERED,
    STET,
    STRICT,
    HttpMessage,
    MessageSignature,
    Mode,
    Primitive,
    SignatureParameters,
    check_hygiene,
    content_digest_field,
    digest_field,
    parse_keyid,
    parse_signature,
    sign,
    sign_rfc9421,
    verify_digest,
    verify_message,
)
from enrol.httpsig.cavage import _read, serialize
from enrol.httpsig.dates import parse_date, parse_fixdate
from enrol.httpsig.octets import decode_base64
from enrol.httpsig.structured import (
    InnerList,
    Item,
    StructuredFieldError,
    Token,
    parse_dictionary,
    serialize_member,
)
from httpsig_messages import changed_field, code_of, with_fields

NOW = 1_700_000_000
AT = datetime.fromtimestamp(NOW, UTC)
SPECIAL = ("(request-target)", "(created)", "(expires)")
TOKEN = st.text(ascii_lowercase + digits + "-", min_size=1, max_size=8).map(lambda t: f"x-{t}")
VALUE = st.text(st.characters(min_codepoint=0x20, max_codepoint=0x7E), max_size=12)
TARGET = st.text(ascii_letters + digits + "/%?&=.-~:@!$'()*+,;", max_size=20)
POLICY = replace(STET, modes=(Mode.CAVAGE, Mode.RFC9421))
PLAIN = settings(deadline=None)
FEW = settings(max_examples=30, deadline=None)


@st.composite
def messages(draw: st.DrawFn) -> HttpMessage:
    body = draw(st.binary(max_size=40))
    names = draw(st.lists(TOKEN, max_size=5))
    fields = [
        ("host", "api.bank.example"),
        ("x-request-id", draw(VALUE)),
        ("date", "Tue, 14 Nov 2023 22:13:20 GMT"),
        digest_field(body, draw(st.sampled_from(["SHA-256", "sha-512"]))),
        *[(name, draw(VALUE)) for name in names],
    ]
    raw = [(name.encode(), value.encode()) for name, value in fields]
    method = draw(st.sampled_from(["POST", "PUT", "GET", "DELETE", "PATCH"]))
    return HttpMessage.of(method, b"/" + draw(TARGET).encode(), raw, body)


def signed(message: HttpMessage, key, covered) -> HttpMessage:
    fields = sign(
        message,
        key=key,
        keyid='k,"\\',
        covered=covered,
        algorithm_label=None,
        created=NOW,
        expires=NOW + 60,
    )
    return with_fields(message, fields)


def refusal(message: HttpMessage, key) -> str | None:
    verifier = key.verification_key()
    return code_of(verify_message, message, lambda _: verifier, at=AT, policy=POLICY)


@pytest.mark.parametrize("primitive", list(Primitive))
@given(data=st.data())
@FEW
def test_what_is_signed_verifies(every_key, primitive, data):
    message = data.draw(messages())
    names = sorted({name.decode() for name, _ in message.fields})
    extra = data.draw(st.lists(st.sampled_from(names + list(SPECIAL)), unique=True))
    covered = data.draw(
        st.permutations(list({"(request-target)", "digest", "x-request-id", *extra}))
    )
    assert refusal(signed(message, every_key[primitive], covered), every_key[primitive]) is None


@given(data=st.data())
@FEW
def test_change_of_any_covered_byte_is_refused(every_key, data):
    key = every_key[Primitive.ED25519]
    message = data.draw(messages())
    names = sorted({name.decode() for name, _ in message.fields})
    request = signed(message, key, ("(request-target)", *names))
    changed = data.draw(changes(request))
    assert refusal(changed, key) is not None


@st.composite
def changes(draw: st.DrawFn, message: HttpMessage) -> HttpMessage:
    """Draw a message that differs in one octet of what is covered, or one bit of its signature."""
    part = draw(st.sampled_from(["method", "target", "body", "field", "signature"]))
    if part == "signature":
        bit = draw(st.integers(0, 64 * 8 - 1))
        return changed_field(message, b"signature", with_bit_flipped(message, bit))
    if part == "method":
        others = {"POST", "PUT", "GET", "DELETE", "PATCH"} - {message.method}
        return replace(message, method=draw(st.sampled_from(sorted(others))))
    if part == "target":
        return replace(message, target=b"/" + draw(flipped(message.target[1:] or b"x")))
    if part == "body":
        return replace(message, body=draw(flipped(message.body or b"x")))
    names = [name for name, _ in message.fields if not name.startswith(b"signature")]
    position = draw(st.integers(0, len(names) - 1))
    fields = list(message.fields)
    fields[position] = (names[position], draw(flipped(fields[position][1].strip(b" ") or b"x")))
    return replace(message, fields=tuple(fields))


def with_bit_flipped(message: HttpMessage, bit: int) -> bytes:
    """Return the value of `Signature` with one bit of the Ed25519 signature in it flipped."""
    signature = parse_signature(message, policy=POLICY).signature
    number = int.from_bytes(signature) ^ (1 << bit)
    (value,) = message.values(b"signature")
    return value.replace(b64encode(signature), b64encode(number.to_bytes(64)))


@st.composite
def flipped(draw: st.DrawFn, octets: bytes) -> bytes:
    """Draw octets with one of them replaced by another visible one."""
    position = draw(st.integers(0, len(octets) - 1))
    visible = bytes(set(range(0x21, 0x7F)) - {octets[position]})
    other = draw(st.sampled_from(sorted(visible)))
    return octets[:position] + bytes([other]) + octets[position + 1 :]


MODERN = [
    primitive
    for primitive in Primitive
    if primitive
    not in {
        Primitive.RSA_PKCS1V15_SHA512,
        Primitive.ECDSA_P256_SHA512_DER,
        Primitive.ECDSA_P521_SHA512_DER,
    }
]


def signed_rfc9421(message: HttpMessage, key) -> HttpMessage:
    message = with_fields(message, [content_digest_field(message.body)])
    names = sorted({name.decode() for name, _ in message.fields})
    covered = ("@method", "@authority", "@path", "@query", "@target-uri", *names)
    fields = sign_rfc9421(
        message, key=key, keyid='k"\\', created=NOW, expires=NOW + 9, covered=covered
    )
    return with_fields(message, fields)


@pytest.mark.parametrize("primitive", MODERN)
@given(message=messages())
@FEW
def test_what_is_signed_by_rfc9421_verifies(every_key, primitive, message):
    key = every_key[primitive]
    assert refusal(signed_rfc9421(message, key), key) is None


@given(data=st.data())
@FEW
def test_change_of_any_byte_covered_by_rfc9421_is_refused(every_key, data):
    key = every_key[Primitive.ED25519]
    request = signed_rfc9421(data.draw(messages()), key)
    changed = data.draw(changes(request))
    assert refusal(changed, key) is not None


# Answers, signed as BPCE signs them


@st.composite
def answers(draw: st.DrawFn) -> HttpMessage:
    """Draw an answer; method and target are those of the request."""
    message = draw(messages())
    kind = draw(st.sampled_from([b"application/json", b"application/json; charset=utf-8"]))
    return replace(message, fields=(*message.fields, (b"content-type", kind)))


def signed_answer(message: HttpMessage, key) -> HttpMessage:
    fields = sign(message, key=key, keyid="k", covered=RESPONSE_COVERED, algorithm_label=None)
    return with_fields(message, fields)


def answer_refusal(message: HttpMessage, key) -> str | None:
    verifier = key.verification_key()
    return code_of(verify_message, message, lambda _: verifier, at=AT, policy=RESPONSE)


@pytest.mark.parametrize("primitive", list(Primitive))
@given(message=answers())
@FEW
def test_an_answer_that_is_signed_verifies(every_key, primitive, message):
    key = every_key[primitive]
    assert answer_refusal(signed_answer(message, key), key) is None


@given(data=st.data())
@FEW
def test_change_of_any_byte_covered_of_an_answer_is_refused(every_key, data):
    key = every_key[Primitive.ED25519]
    signed_ = signed_answer(data.draw(answers()), key)
    covered = {name.encode() for name in RESPONSE_COVERED} | {b"signature"}
    answer = replace(signed_, fields=tuple(f for f in signed_.fields if f[0] in covered))
    assert answer_refusal(answer, key) is None
    assert answer_refusal(data.draw(changes(answer)), key) is not None


TEXT = st.text(st.characters(min_codepoint=0x20, max_codepoint=0x7E), min_size=1, max_size=30)
SECONDS = st.none() | st.integers(0, 999_999_999_999)


@PLAIN
@given(
    st.builds(
        SignatureParameters,
        TEXT,
        st.none() | TEXT,
        st.lists(TOKEN | st.sampled_from(SPECIAL), max_size=20, unique=True).map(tuple),
        st.binary(min_size=1, max_size=80),
        SECONDS,
        SECONDS,
    )
)
def test_parameters_written_read_back(parameters: SignatureParameters):
    field = (b"signature", serialize(parameters).encode())
    assert parse_signature(HttpMessage("POST", b"/", (field,), b"")) == parameters


DERIVED = st.sampled_from(["@method", "@authority", "@path", "@query", "@scheme", "@target-uri"])
NAME = st.from_regex(r"[a-z*][a-z0-9_.*-]{0,5}", fullmatch=True)


@PLAIN
@given(
    message=messages(),
    label=NAME,
    keyid=TEXT,
    created=st.integers(0, 10**15 - 1),
    expires=SECONDS,
    nonce=st.none() | TEXT,
    derived=st.lists(DERIVED, unique=True),
)
def test_signature_input_written_reads_back(
    every_key, message, label, keyid, created, expires, nonce, derived
):
    key = every_key[Primitive.ED25519]
    fields = sign_rfc9421(
        message,
        key=key,
        keyid=keyid,
        created=created,
        expires=expires,
        nonce=nonce,
        label=label,
        covered=derived,
    )
    read = parse_signature(with_fields(message, fields), policy=POLICY)
    assert isinstance(read, MessageSignature)
    assert (read.label, read.unverified_keyid, read.algorithm) == (label, keyid, "ed25519")
    assert (read.created, read.expires) == (created, expires)
    assert [str(component) for component in read.components] == [f'"{name}"' for name in derived]
    assert fields[0][1] == f"{label}={read.signature_params}"


@given(st.binary(max_size=200), st.sampled_from(["SHA-256", "sha-512", "Sha-512"]))
@PLAIN
def test_digest_written_holds_for_its_octets_alone(body, algorithm):
    for name, value in (
        digest_field(body, algorithm),
        content_digest_field(body, algorithm.lower()),
    ):
        field = (name.lower().encode(), value.encode())
        message = HttpMessage("POST", b"/", (field,), body)
        assert verify_digest(message, required=False).algorithms == (algorithm.lower(),)
        assert code_of(verify_digest, replace(message, body=body + b"x"), required=False)


SIGNATURES = st.lists(
    st.sampled_from(
        ['keyId="k"', 'signature="YQ=="', 'headers="date"', "created=1", 'algorithm="hs2019"']
    )
    | st.text(st.sampled_from('",=\\ \tk()-1a'), max_size=8),
    max_size=7,
).map(lambda parts: ",".join(parts).encode())


@given(SIGNATURES)
@PLAIN
def test_remembered_beginning_reads_like_the_whole(value):
    message = HttpMessage("POST", b"/", ((b"signature", value),), b"")
    outcomes = []
    for read in (lambda: parse_signature(message), lambda: _read(value)):
        try:
            outcomes.append(read())
        except (MalformedRequestError, SignatureError) as refusal_:
            outcomes.append(refusal_.code)
    assert outcomes[0] == outcomes[1]


KEY = st.text(ascii_lowercase + "*", min_size=1, max_size=3)
BARE = st.one_of(
    st.booleans(),
    st.integers(-(10**15) + 1, 10**15 - 1),
    st.decimals(-(10**9), 10**9, places=3, allow_nan=False).map(lambda d: d.normalize() + 0),
    TEXT,
    st.binary(max_size=9),
    st.from_regex(r"[A-Za-z*][!#$%&'*+.^_`|~0-9A-Za-z:/-]{0,5}", fullmatch=True).map(Token),
)
PARAMETERS = st.lists(st.tuples(KEY, BARE), max_size=3).map(tuple)
ITEMS = st.builds(Item, BARE, PARAMETERS)
MEMBERS = ITEMS | st.builds(InnerList, st.lists(ITEMS, max_size=3).map(tuple), PARAMETERS)


@given(st.lists(st.tuples(KEY, MEMBERS), max_size=4).map(tuple))
@PLAIN
def test_dictionary_written_reads_back(dictionary):
    text = ", ".join([f"{key}={serialize_member(member)}" for key, member in dictionary])
    again = parse_dictionary(text.encode())
    assert again == dictionary
    assert [repr_types(member) for _, member in again] == [repr_types(m) for _, m in dictionary]


def repr_types(member: Item | InnerList) -> object:
    """Return the types in a member: 1, True and Decimal(1) are equal and not the same."""
    if isinstance(member, InnerList):
        return [repr_types(item) for item in member.items]
    return type(member.value)


@given(st.text(ascii_letters + digits + "+/=-_ \n", max_size=12) | st.binary().map(b64encode))
@PLAIN
def test_base64_is_canonical_or_nothing(text):
    raw = text if isinstance(text, bytes) else text.encode()
    try:
        octets = b64decode(raw, validate=True)
    except (BinasciiError, ValueError):
        octets = None
    expected = octets if octets is not None and b64encode(octets) == raw else None
    assert decode_base64(raw) == expected
    assert decode_base64(raw.decode()) == expected


# Arbitrary octets

HOSTILE = st.binary(max_size=60) | st.text(max_size=40).map(str.encode)
INPUTS = st.text(st.sampled_from('s=("@method);created0:?1 ,*.-x\\'), max_size=30).map(str.encode)
NAMES = st.sampled_from(
    [b"signature", b"signature-input", b"digest", b"content-digest", b"authorization", b"date"]
)
FIELDS = st.lists(
    st.tuples(NAMES | HOSTILE, HOSTILE | SIGNATURES | INPUTS)
    | st.tuples(st.just(b"signature"), SIGNATURES)
    | st.tuples(st.just(b"signature-input"), INPUTS),
    max_size=5,
).map(tuple)
HOSTILE_MESSAGES = st.builds(
    HttpMessage,
    st.sampled_from(["POST", "GET"]) | st.text(max_size=5),
    st.just(b"/") | HOSTILE,
    FIELDS,
    st.binary(max_size=9),
)


@given(HOSTILE_MESSAGES)
@PLAIN
def test_no_message_raises_anything_but_a_refusal(every_key, message):
    key = every_key[Primitive.RSA_PKCS1V15_SHA256].verification_key()
    for policy in (STET, STRICT, POLICY, replace(STET, modes=(Mode.RFC9421,))):
        try:
            verify_message(message, lambda _: key, at=AT, policy=policy)
        except (MalformedRequestError, SignatureError):
            continue


@given(HOSTILE_MESSAGES)
@PLAIN
def test_no_message_makes_a_check_of_it_raise_anything_but_malformed(message):
    for check in (check_hygiene, lambda m: verify_digest(m, required=True)):
        try:
            check(message)
        except MalformedRequestError:
            continue


@given(HOSTILE)
@PLAIN
def test_no_octets_make_a_reader_raise_anything_but_its_error(octets):
    with suppress(StructuredFieldError):
        parse_dictionary(octets)
    assert code_of(parse_fixdate, octets) in {None, "TIM-6"}
    assert code_of(parse_date, octets, at=AT) in {None, "TIM-6"}
    assert code_of(parse_keyid, octets.decode("latin-1")) in {None, "KEY-1", "KEY-4"}
