import json

import httpx
import pytest

from enrol.client import RegistrationRefusedError, UnreadableAnswerError
from enrol.client.answers import (
    check_deleted,
    parse_registration,
    parse_token,
    parse_update,
    refusal_of,
    retry_after,
)
from enrol.client.bank import Bank
from enrol.client.messages import check_request_id, registration_url
from enrol.errors import ConfigurationError
from enrol.oauth.types import ClientId


def refusal(status: int, body: object, **headers: str) -> RegistrationRefusedError:
    content = body if isinstance(body, bytes) else json.dumps(body).encode()
    return refusal_of(httpx.Response(status, content=content, headers=headers), request_id="sent")


def test_a_refusal_for_metadata_lists_what_is_wrong() -> None:
    error = refusal(
        400,
        {
            "error": "invalid_client_metadata",
            "error_description": "scope: too much",
            "error_uri": "https://bank.example/errors/scope_beyond_roles",
            "findings": [
                {"member": "scope", "code": "scope_beyond_roles", "meaning": "m", "remedy": "r"},
                {"member": None, "code": "jwks_size"},
                "nonsense",
            ],
        },
    )
    assert (error.status, error.error, error.code) == (
        400,
        "invalid_client_metadata",
        "scope_beyond_roles",
    )
    assert error.description == "scope: too much"
    assert [(f.member, f.code, f.meaning, f.remedy) for f in error.findings] == [
        ("scope", "scope_beyond_roles", "m", "r"),
        (None, "jwks_size", None, None),
    ]
    assert error.request_id == "sent"


def test_a_refusal_of_the_other_error_model_is_read_too() -> None:
    body = {
        "timestamp": "2021-04-07T23:51:12+0200",
        "status": 429,
        "error": "Too Many Requests",
        "message": "Limite dépassée",
        "path": "/v1/registration",
    }
    error = refusal(429, body, **{"X-Request-ID": "echoed", "Retry-After": "30"})
    assert (error.error, error.code) == ("Too Many Requests", "Too Many Requests")
    assert (error.description, error.request_id, error.retry_after) == (
        "Limite dépassée",
        "echoed",
        30,
    )


@pytest.mark.parametrize(
    ("body", "code"),
    [
        pytest.param(b"<html>Bad gateway</html>", "http_502", id="a page of a proxy"),
        pytest.param(b"", "http_502", id="nothing"),
        pytest.param(b"[]", "http_502", id="no object"),
        pytest.param(b'{"error": 7}', "http_502", id="an error that is a number"),
        pytest.param(b'{"error": "x", "error_uri": "https://b/ "}', "x", id="a URI without code"),
        pytest.param(b'{"error": "x", "error_uri": "https://b/a?b"}', "x", id="a URI with query"),
        pytest.param(b'{"error": "x", "findings": {"a": 1}}', "x", id="findings of a wrong type"),
    ],
)
def test_a_refusal_in_any_form_has_a_code(body: bytes, code: str) -> None:
    assert refusal(502, body).code == code


def test_text_of_a_bank_cannot_move_the_cursor() -> None:
    error = refusal(
        400, {"error": "x\x1b[2J\n", "error_description": "a\u202eb\r\n\x9bc" + "d" * 999}
    )
    assert error.error.isprintable()
    assert error.description is not None
    assert error.description.isprintable()
    assert len(error.description) == 500


@pytest.mark.parametrize("status", [200, 201])
def test_a_registration_is_read_whatever_status_the_bank_prefers(status: int) -> None:
    body = {"client_id": "1PSDNL-DNB-33031431-0-RWMH", "registration_client_uri": None, "x": 1}
    registration = parse_registration(httpx.Response(status, json=body), request_id="r")
    assert registration.client_id == "1PSDNL-DNB-33031431-0-RWMH"
    assert registration.registration_client_uri is None
    assert registration.document == body


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"<html>",
        b"{}",
        b'{"client_id": 1}',
        b'{"client_id": ""}',
        b'{"client_id": "\\n"}',
        b"[1]",
    ],
)
def test_a_registration_without_client_id_is_unreadable(body: bytes) -> None:
    with pytest.raises(UnreadableAnswerError) as caught:
        parse_registration(httpx.Response(201, content=body), request_id="r")
    assert (caught.value.code, caught.value.request_id) == ("bank_answer_unreadable", "r")


@pytest.mark.parametrize("status", [202, 204, 302, 400, 500])
def test_any_other_status_is_a_refusal(status: int) -> None:
    with pytest.raises(RegistrationRefusedError) as caught:
        parse_registration(httpx.Response(status, content=b"{}"), request_id="r")
    assert caught.value.status == status


@pytest.mark.parametrize(
    ("body", "lifetime"),
    [
        ({"access_token": "abc", "expires_in": 3600}, 3600),
        ({"access_token": "abc"}, 300),
        ({"access_token": "abc", "expires_in": "3600"}, 300),
        ({"access_token": "abc", "expires_in": True}, 300),
    ],
)
def test_a_token_lives_as_long_as_the_bank_says(body: dict[str, object], lifetime: int) -> None:
    assert parse_token(httpx.Response(200, json=body), request_id="r").lifetime == lifetime


@pytest.mark.parametrize("token", [None, "", "a b", "a\r\nX-Evil: 1", "é", 7, "a" * 9000])
def test_a_token_that_cannot_be_a_header_is_unreadable(token: object) -> None:
    with pytest.raises(UnreadableAnswerError):
        parse_token(httpx.Response(200, json={"access_token": token}), request_id="r")


def test_a_deletion_is_done_when_the_bank_says_so() -> None:
    check_deleted(httpx.Response(204), request_id="r")
    with pytest.raises(RegistrationRefusedError):
        check_deleted(httpx.Response(403), request_id="r")


@pytest.mark.parametrize(
    ("value", "seconds"),
    [("3", 3), ("", None), ("-1", None), ("1.5", None), ("٣", None), ("Fri, 1 Jan 2027", None)],
)
def test_retry_after_counts_in_seconds_only(value: str, seconds: int | None) -> None:
    response = httpx.Response(503, headers=[(b"retry-after", value.encode())])
    assert retry_after(response) == seconds


@pytest.mark.parametrize(
    ("client_id", "last"),
    [("PSDFR-ACPR-1_1", "PSDFR-ACPR-1_1"), ("a/b?c", "a%2Fb%3Fc"), ("é", "%C3%A9")],
)
def test_a_client_id_is_one_segment_of_the_path(client_id: str, last: str) -> None:
    url = httpx.URL(registration_url(Bank("https://b.example"), client_id))
    assert url.raw_path.decode() == f"/stet/setting/v1/register/{last}"


@pytest.mark.parametrize("client_id", ["", ".", ".."])
def test_a_client_id_that_names_another_path_is_refused(client_id: str) -> None:
    with pytest.raises(ConfigurationError):
        registration_url(Bank("https://b.example"), client_id)


@pytest.mark.parametrize("request_id", ["a b", "a" * 71, "é", "a\n"])
def test_an_x_request_id_outside_the_contract_is_refused(request_id: str) -> None:
    with pytest.raises(ConfigurationError):
        check_request_id(request_id)


@pytest.mark.parametrize(
    ("response", "is_whole"),
    [
        (httpx.Response(200, json={"client_id": "a"}), True),
        (httpx.Response(202, json={"message": "Recorded."}), False),
        (httpx.Response(204), False),
    ],
    ids=["whole", "noted", "silent"],
)
def test_an_update_is_answered_whole_or_noted(response: httpx.Response, is_whole: bool) -> None:
    registration = parse_update(response, ClientId("a"), request_id="r")
    assert (registration.client_id, registration.is_whole) == ("a", is_whole)


@pytest.mark.parametrize("body", [{}, {"message": 1}, {"client_id": 3}])
def test_an_update_that_says_neither_is_unreadable(body: dict[str, object]) -> None:
    with pytest.raises(UnreadableAnswerError):
        parse_update(httpx.Response(200, json=body), ClientId("a"), request_id="r")


@pytest.mark.parametrize("token", [None, 3, "", "a b", "a\r\nb"])
def test_a_registration_access_token_that_is_none_is_none(token: object) -> None:
    body = {"client_id": "a", "registration_access_token": token}
    registration = parse_registration(httpx.Response(200, json=body), request_id="r")
    assert registration.registration_access_token is None
