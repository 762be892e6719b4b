"""What a verifier demands: coverage, label, times, digest, and the named exceptions."""

from dataclasses import replace
from datetime import timedelta

import pytest

from enrol.httpsig import (
    RESPONSE,
    RESPONSE_COVERED,
    STET,
    STET_LIST,
    STRICT,
    HttpMessage,
    Mode,
    Primitive,
    Quirk,
    SignaturePolicy,
    SigningKey,
    VerifiedSignature,
    digest_is_required,
    parse_signature,
    sign,
    unverified_keyid,
    verify_digest,
    verify_message,
    verify_signature,
)
from httpsig_messages import (
    changed_field,
    code_of,
    with_field,
    with_fields,
    without_field,
)

NOW = 1_700_000_000
USUAL = ("(request-target)", "digest", "x-request-id")


def signed(message: HttpMessage, key: SigningKey, **options) -> HttpMessage:
    return with_fields(message, sign(message, key=key, keyid="k", **options))


def verified(message: HttpMessage, key: SigningKey, at, policy=STET) -> VerifiedSignature:
    return verify_message(message, lambda _: key.verification_key(), at=at, policy=policy)


@pytest.fixture
def refusal(rsa_key: SigningKey, at):
    """Return the code that refuses a request signed with given options."""

    def refuse(message: HttpMessage, policy: SignaturePolicy = STET, **options) -> str | None:
        request = signed(message, rsa_key, **options)
        return code_of(verified, request, rsa_key, at, policy)

    return refuse


def test_verified_signature_says_what_was_signed(registration, rsa_key, at):
    request = signed(registration, rsa_key)
    assert unverified_keyid(request) == "k"
    assert verified(request, rsa_key, at) == VerifiedSignature(
        keyid="k",
        mode=Mode.CAVAGE,
        covered=USUAL,
        created=None,
        primitive=Primitive.RSA_PKCS1V15_SHA256,
        warnings=(),
    )


@pytest.mark.parametrize(
    ("left_out", "code"), [(USUAL[0], "COV-1"), (USUAL[1], "COV-2"), (USUAL[2], "COV-3")]
)
def test_name_that_must_be_covered_in_every_profile(registration, refusal, left_out, code):
    covered = tuple(name for name in USUAL if name != left_out)
    assert refusal(registration, covered=covered) == code


def test_strict_profile_wants_host_and_a_time(registration, refusal):
    assert refusal(registration, STRICT) == "COV-5"
    assert refusal(registration, STRICT, covered=(*USUAL, "host")) == "COV-4"
    assert refusal(registration, STRICT, covered=(*USUAL, "host", "date")) is None
    options = {"covered": (*USUAL, "host", "(created)"), "algorithm_label": "hs2019"}
    assert refusal(registration, STRICT, created=NOW, **options) is None


def test_profile_may_demand_what_is_present(registration, refusal):
    policy = replace(STET, coverage=replace(STET.coverage, when_present=STET_LIST))
    message = with_field(registration, b"psu-ip-address", b"192.0.2.1")
    covered = (*USUAL, "date", "content-type")
    assert refusal(message, policy, covered=covered) == "COV-6"
    assert refusal(message, policy, covered=(*covered, "psu-ip-address")) is None
    assert refusal(registration, policy, covered=covered) is None
    assert refusal(registration, policy, covered=USUAL) == "COV-6"


def test_profile_may_demand_any_other_name(registration, refusal):
    policy = replace(STET, coverage=replace(STET.coverage, required=("content-type",)))
    assert refusal(registration, policy) == "COV-6"


@pytest.mark.parametrize("method", ["GET", "DELETE"])
def test_request_without_content_needs_no_digest_and_one_that_is_sent_is_covered(
    registration, refusal, method
):
    request = replace(registration, method=method, body=b"")
    bare = without_field(request, b"digest")
    covered = ("(request-target)", "x-request-id")
    assert refusal(bare, covered=covered) is None
    empty = changed_field(
        request, b"digest", b"SHA-256=47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU="
    )
    assert refusal(empty, covered=covered) == "COV-2"
    assert refusal(empty) is None
    assert refusal(request) == "DIG-9"
    assert refusal(bare, STRICT, covered=(*covered, "host", "date")) == "COV-2"


@pytest.mark.parametrize("method", ["POST", "PUT", "PATCH", "get"])
def test_every_other_request_needs_a_digest(registration, method):
    assert digest_is_required(replace(registration, method=method, body=b""))


def test_content_of_a_get_needs_a_digest(registration):
    assert digest_is_required(replace(registration, method="GET"))


@pytest.mark.parametrize(
    ("label", "code"),
    [
        (None, None),
        ("hs2019", None),
        ("RSA-SHA256", "ALG-1"),
        ("none", "ALG-1"),
        ("rsa-sha1", "ALG-4"),
        ("dsa-sha1", "ALG-4"),
        ("hmac-sha256", "ALG-4"),
        ("hmac-md5", "ALG-4"),
        ("RS256", "ALG-1"),
    ],
)
def test_label_may_agree_or_be_refused(registration, refusal, label, code):
    assert refusal(registration, algorithm_label=label) == code


@pytest.mark.parametrize("label", ["rsa-sha512", "ecdsa-sha256"])
def test_label_that_contradicts_the_key_is_refused(registration, rsa_key, at, label):
    request = signed(registration, rsa_key)
    forged = changed_field(
        request,
        b"signature",
        request.values(b"signature")[0].replace(b"rsa-sha256", label.encode()),
    )
    assert code_of(verified, forged, rsa_key, at) == "ALG-3"


def test_times_are_not_signed_under_a_label_that_forbids_it(registration, rsa_key, at):
    covered = (*USUAL, "(created)")
    options = {"covered": covered, "created": NOW}
    request = signed(registration, rsa_key, algorithm_label="hs2019", **options)
    value = request.values(b"signature")[0].replace(b"hs2019", b"rsa-sha256")
    assert code_of(verified, changed_field(request, b"signature", value), rsa_key, at) == "ALG-9"


@pytest.mark.parametrize(
    ("created", "expires", "code"),
    [
        (NOW, None, None),
        (NOW + 60, None, None),
        (NOW + 61, None, "TIM-1"),
        (NOW - 301, None, None),
        (None, NOW + 1, None),
        (None, NOW, "TIM-2"),
        (NOW, NOW, "TIM-5"),
        (NOW + 10, NOW + 9, "TIM-5"),
        (NOW - 20, NOW - 10, "TIM-2"),
    ],
)
def test_times_hold_signed_or_not(registration, refusal, created, expires, code):
    assert refusal(registration, created=created, expires=expires) == code


@pytest.mark.parametrize(("created", "code"), [(NOW - 300, None), (NOW - 301, "TIM-4")])
def test_signed_created_may_be_300_seconds_old(registration, refusal, created, code):
    options = {"covered": (*USUAL, "(created)"), "algorithm_label": None}
    assert refusal(registration, created=created, **options) == code


@pytest.mark.parametrize(
    ("date", "code"),
    [
        ("Tue, 14 Nov 2023 22:18:20 GMT", None),
        ("Tue, 14 Nov 2023 22:18:21 GMT", "TIM-3"),
        ("Tue, 14 Nov 2023 22:08:20 GMT", None),
        ("Tue, 14 Nov 2023 22:08:19 GMT", "TIM-3"),
        ("Tuesday, 14-Nov-23 22:13:20 GMT", None),
        ("yesterday", "TIM-6"),
    ],
)
def test_signed_date_is_within_300_seconds(registration, refusal, date, code):
    message = changed_field(registration, b"date", date.encode())
    assert refusal(message, covered=(*USUAL, "date")) == code
    assert refusal(message) is None


def test_strict_profile_reads_one_form_of_date(registration, refusal):
    message = changed_field(registration, b"date", b"Tuesday, 14-Nov-23 22:13:20 GMT")
    assert refusal(message, STRICT, covered=(*USUAL, "host", "date")) == "TIM-6"


def test_signed_date_that_is_absent_is_refused(registration, rsa_key, at):
    request = signed(registration, rsa_key, covered=(*USUAL, "date"))
    assert code_of(verified, without_field(request, b"date"), rsa_key, at) == "HDR-7"


def test_leeway_and_age_are_settings(registration, refusal):
    policy = replace(STET, leeway=0, max_age=10)
    assert refusal(registration, policy, created=NOW + 1) == "TIM-1"
    options = {"covered": (*USUAL, "(created)"), "algorithm_label": None}
    assert refusal(registration, policy, created=NOW - 11, **options) == "TIM-4"


def test_digest_is_compared_unless_it_was_for_this_very_message(registration, rsa_key, at):
    request = signed(registration, rsa_key)
    digest = verify_digest(request, required=True)
    other = replace(request, body=b"other")
    key, parsed = rsa_key.verification_key(), parse_signature(request)
    assert verify_signature(request, parsed, key, at=at, digest=digest)
    assert code_of(verify_signature, other, parsed, key, at=at, digest=digest) == "DIG-9"


def test_another_key_is_refused(registration, rsa_key, p256_key, at):
    request = signed(registration, p256_key, algorithm_label=None)
    assert code_of(verified, request, rsa_key, at) == "SIG-1"


# Known mistakes of clients


def resigned(message: HttpMessage, key: SigningKey, signed_as: HttpMessage) -> HttpMessage:
    return with_fields(message, sign(signed_as, key=key, keyid="k"))


def test_put_signed_as_post_passes_by_its_switch_alone(registration, rsa_key, at):
    put = replace(registration, method="PUT")
    request = resigned(put, rsa_key, registration)
    assert code_of(verified, request, rsa_key, at) == "SIG-1"
    policy = replace(STET, put_signed_as_post=True)
    assert verified(request, rsa_key, at, policy).warnings == (Quirk.PUT_SIGNED_AS_POST,)
    assert verified(signed(put, rsa_key), rsa_key, at, policy).warnings == ()


def test_post_signed_as_put_passes_by_no_switch(registration, rsa_key, at):
    request = resigned(registration, rsa_key, replace(registration, method="PUT"))
    policy = replace(STET, put_signed_as_post=True)
    assert code_of(verified, request, rsa_key, at, policy) == "SIG-1"


def test_stripped_prefix_passes_by_its_switch_alone(registration, rsa_key, at):
    bare = replace(registration, target=b"/register?a=%2f")
    request = resigned(registration, rsa_key, bare)
    assert code_of(verified, request, rsa_key, at) == "SIG-1"
    policy = replace(STET, stripped_prefix=b"/stet/setting/v1")
    assert verified(request, rsa_key, at, policy).warnings == (Quirk.STRIPPED_PREFIX,)
    assert code_of(verified, signed(registration, rsa_key), rsa_key, at, policy) == "SIG-1"


def test_prefix_is_stripped_at_a_slash_only(registration, rsa_key, at):
    policy = replace(STET, stripped_prefix=b"/stet/set")
    assert verified(signed(registration, rsa_key), rsa_key, at, policy).warnings == ()


def test_both_switches_work_together(registration, rsa_key, at):
    put = replace(registration, method="PUT")
    request = resigned(put, rsa_key, replace(registration, target=b"/register?a=%2f"))
    policy = replace(STET, stripped_prefix=b"/stet/setting/v1", put_signed_as_post=True)
    assert verified(request, rsa_key, at, policy).warnings == (
        Quirk.STRIPPED_PREFIX,
        Quirk.PUT_SIGNED_AS_POST,
    )


def test_empty_list_passes_by_its_switch_alone(registration, rsa_key, at):
    message = without_field(registration, b"digest")
    request = signed(message, rsa_key, covered=())
    assert code_of(verified, request, rsa_key, at) == "HDR-2"
    policy = replace(STET, empty_headers=True)
    assert verified(request, rsa_key, at, policy).warnings == (Quirk.EMPTY_HEADERS,)
    assert verified(signed(registration, rsa_key), rsa_key, at, policy).warnings == ()


def test_label_outside_the_registry_passes_by_an_alias(registration, rsa_key, at):
    request = signed(registration, rsa_key, algorithm_label="SHA256withRSA")
    policy = replace(STET, algorithm_aliases={"SHA256withRSA": "rsa-sha256"})
    assert verified(request, rsa_key, at, policy).warnings == (Quirk.ALGORITHM_ALIAS,)
    policy = replace(STET, algorithm_aliases={"SHA256withRSA": "rsa-sha512"})
    assert code_of(verified, request, rsa_key, at, policy) == "ALG-3"


# Modes


def test_mode_that_is_not_allowed_is_refused_and_none_is_tried_after_another(
    registration, rsa_key, at
):
    cavage = signed(registration, rsa_key)
    both = replace(STET, modes=(Mode.CAVAGE, Mode.RFC9421))
    modern = replace(STET, modes=(Mode.RFC9421,))
    assert verified(cavage, rsa_key, at, both).mode is Mode.CAVAGE
    assert code_of(verified, cavage, rsa_key, at, modern) == "M-CAR"
    mixed = with_field(cavage, b"signature-input", b"")
    assert code_of(verified, mixed, rsa_key, at, STET) == "CAR-4"
    assert code_of(verified, mixed, rsa_key, at, both) == "M-CAR"
    assert code_of(verified, cavage, rsa_key, at, replace(STET, modes=())) == "CAR-4"


# Responses


def test_signed_response_is_verified_with_the_target_of_its_request(registration, rsa_key, at):
    response = signed(registration, rsa_key, covered=RESPONSE_COVERED)
    assert verified(response, rsa_key, at, RESPONSE).covered == RESPONSE_COVERED
    elsewhere = replace(response, target=b"/stet/setting/v1/register/other")
    assert code_of(verified, elsewhere, rsa_key, at, RESPONSE) == "SIG-1"
    later = at + timedelta(seconds=301)
    assert code_of(verified, response, rsa_key, later, RESPONSE) == "TIM-3"
