"""What makes a message ambiguous, and how its fields are read."""

from dataclasses import replace

import pytest

from enrol.httpsig import HttpMessage, HygieneError, check_fields, check_hygiene
from httpsig_messages import code_of, with_field


def test_clean_request_passes(registration: HttpMessage):
    check_hygiene(registration)


@pytest.mark.parametrize(
    "target",
    [b"", b"*", b"https://other/a", b"api.bank.example:443", b"/a b", b"/a\n", b"/\xe9", b"/\x00"],
)
def test_target_that_is_no_visible_origin_form_is_refused(registration: HttpMessage, target):
    assert code_of(check_hygiene, replace(registration, target=target)) == "STR-6"


@pytest.mark.parametrize("method", ["", "PO ST", "POST\n", "P\u00d6ST", "GET\x00", "ＧET"])
def test_method_that_is_no_token_is_refused(registration: HttpMessage, method):
    assert code_of(check_hygiene, replace(registration, method=method)) == "STR-6"


@pytest.mark.parametrize("method", ["post", "M-SEARCH", "PATCH", "X"])
def test_any_token_may_be_a_method(registration: HttpMessage, method):
    check_hygiene(replace(registration, method=method))


@pytest.mark.parametrize(
    "name", [b"(request-target)", b"(created)", b"", b"a b", b"a:b", b"X-Upper", b"\xe9", b"a\n"]
)
def test_name_that_is_no_lower_case_token_is_refused(registration: HttpMessage, name):
    assert code_of(check_hygiene, with_field(registration, name, b"x")) == "CAR-6"


@pytest.mark.parametrize("control", [*range(9), *range(10, 32), 127])
def test_control_character_in_a_value_is_refused(registration: HttpMessage, control):
    message = with_field(registration, b"x-any", b"a" + bytes([control]) + b"b")
    assert code_of(check_hygiene, message) == "SMG-1"


@pytest.mark.parametrize("fold", [b"\r\n ", b"\r\n\t", b"\n "])
def test_folded_field_is_refused(registration: HttpMessage, fold):
    assert code_of(check_hygiene, with_field(registration, b"x-any", b"a" + fold + b"b")) == "STR-3"


def test_tab_and_octets_outside_ascii_may_stand_in_fields_that_are_not_signed(registration):
    check_hygiene(with_field(registration, b"user-agent", b"a\tb \xc3\xa9"))


def test_names_that_differ_in_underscore_for_hyphen_are_refused(registration: HttpMessage):
    assert code_of(check_hygiene, with_field(registration, b"x_request_id", b"1")) == "SMG-2"


def test_underscore_alone_is_no_fault(registration: HttpMessage):
    check_hygiene(with_field(registration, b"x_other", b"1"))


@pytest.mark.parametrize(
    "name", [b"host", b"content-type", b"date", b"digest", b"x-request-id", b"content-length"]
)
def test_field_that_may_stand_once_is_refused_twice(registration: HttpMessage, name):
    message = with_field(with_field(registration, name, b"1"), name, b"1")
    assert code_of(check_hygiene, message) == "HDR-11"


def test_two_framings_are_refused(registration: HttpMessage):
    message = with_field(registration, b"transfer-encoding", b"chunked")
    assert code_of(check_hygiene, with_field(message, b"content-length", b"21")) == "SMG-3"


def test_fields_of_a_response_are_checked_without_its_request_line():
    check_fields(HttpMessage("", b"", ((b"date", b"x"),), b""))
    with pytest.raises(HygieneError):
        check_fields(HttpMessage("", b"", ((b"date", b"\x00"),), b""))


def test_names_are_lower_cased_for_who_comes_with_any_case():
    message = HttpMessage.of("GET", b"/", [(b"X-Request-ID", b"1")])
    assert message.values(b"x-request-id") == (b"1",)
    assert message.has(b"x-request-id")


def test_lines_of_a_field_are_joined_in_wire_order():
    fields = ((b"a", b" 1\t"), (b"b", b"2"), (b"a", b""), (b"a", b"3"))
    message = HttpMessage("GET", b"/", fields, b"")
    assert message.values(b"a") == (b" 1\t", b"", b"3")
    assert message.combined(b"a") == b"1, , 3"
    assert message.combined(b"c") is None
    assert message.values(b"c") == ()
