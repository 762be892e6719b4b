"""The clients that a bank says an organisation has; an entry point of Enrol's own."""

from dataclasses import dataclass
from typing import Final
from urllib.parse import quote

import httpx

from enrol.client.answers import CLIENT_ID, parse_document
from enrol.client.errors import UnreadableAnswerError
from enrol.oauth.strict_json import JsonObject

MOST_PAGES: Final = 1000
_AT_ONCE: Final = 100


@dataclass(frozen=True, slots=True)
class Page:
    """Some clients as the bank lists them, each with a ``client_id``, and whether more follow."""

    clients: tuple[JsonObject, ...]
    is_last: bool


def page_query(after: str) -> str:
    """Return the query for the clients after a client_id, the empty text for the first ones."""
    return f"?limit={_AT_ONCE}" + (f"&after={quote(after, safe='')}" if after else "")


def parse_page(response: httpx.Response, *, request_id: str) -> Page:
    """Return the page in an answer of status 200.

    Raises `RegistrationRefusedError` for other statuses and `UnreadableAnswerError`.
    """
    document = parse_document(response, (200,), request_id)
    listed = document.get("clients")
    clients = tuple(each for each in listed if _is_client(each)) if isinstance(listed, list) else ()
    if not isinstance(listed, list) or len(clients) != len(listed):
        raise UnreadableAnswerError("bank_answer_unreadable", request_id=request_id)
    return Page(clients, is_last=not clients or document.get("next") is None)


def _is_client(value: object) -> bool:
    client_id = value.get("client_id") if isinstance(value, dict) else None
    return isinstance(client_id, str) and CLIENT_ID.fullmatch(client_id) is not None
