import httpx

from enrol.client.printable import printable, printable_line
from enrol.client.transcript import describe_request, describe_response, shorten_secrets

TOKEN = "KXyZabcdefghijklmopqrstuvw1234567890"


def test_a_request_reads_as_it_goes_over_the_wire() -> None:
    request = httpx.Request(
        "POST",
        "https://bank.example/a%20b?q=1",
        headers={"Authorization": f"Bearer {TOKEN}", "X-Request-ID": "1"},
        content=b'{"client_name":"Soci\xc3\xa9t\xc3\xa9","x5c":"' + b"M" * 1000 + b'"}',
    )
    assert describe_request(request).split("\n") == [
        "POST /a%20b?q=1 HTTP/1.1",
        "Host: bank.example",
        "Authorization: Bearer KXyZab…",
        "X-Request-ID: 1",
        "Content-Length: 1036",
        "",
        "{",
        '  "client_name": "Société",',
        f'  "x5c": "{"M" * 24}… (1000 characters)"',
        "}",
    ]


def test_a_response_without_body_ends_with_its_fields() -> None:
    assert describe_response(httpx.Response(204, headers={"X": "1"})) == (
        "HTTP/1.1 204 No Content\nX: 1"
    )


def test_secrets_of_an_answer_are_shortened_wherever_they_are() -> None:
    secrets = dict.fromkeys(
        ("access_token", "refresh_token", "registration_access_token", "client_secret"), TOKEN
    )
    text = describe_response(httpx.Response(200, json=secrets | {"list": [secrets]}))
    assert TOKEN not in text
    assert text.count("KXyZab…") == 8


def test_short_secrets_are_not_shown_at_all() -> None:
    assert shorten_secrets({"client_secret": "hunter2", "access_token": None}) == {
        "client_secret": "…",
        "access_token": None,
    }


def test_cookies_and_odd_credentials_are_not_shown() -> None:
    headers = {"Set-Cookie": "session=abcdef; Path=/", "Authorization": "abcdef"}
    text = describe_response(httpx.Response(200, headers=headers))
    assert "abcdef" not in text


def test_a_body_that_is_no_json_is_shown_as_text_of_bounded_length() -> None:
    text = describe_response(httpx.Response(502, content=b"<h1>\x1b[31mBad\xff</h1>" + b"x" * 9999))
    assert "<h1>\ufffd[31mBad\ufffd</h1>" in text
    assert len(text) < 4200


def test_no_character_that_a_terminal_acts_on_is_printable() -> None:
    assert printable("a\x1b\x07\r\x00\x7f\x9b\u202e\u2028\ud800b\n") == "a" + "\ufffd" * 9 + "b\n"
    assert printable("Société 日本 €") == "Société 日本 €"


def test_a_line_is_text_or_nothing() -> None:
    assert [printable_line(value) for value in (None, 7, "", "  ", ["a"])] == [None] * 5
    assert printable_line(" a\nb ") == "a b"
