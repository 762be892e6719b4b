"""The receiver: verifies a message, and makes Keycloak have the client as the event says.

Run by ``uvicorn --factory provisioner.app:make_app``, in one process. Enrol sends an event until it
is answered 2xx, and the next one of the same client only then.
"""

import asyncio
import json
import logging
import os
import time
from collections import OrderedDict, defaultdict
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import httpx
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from provisioner.admin import AdminError, Realm
from provisioner.clients import SEQUENCE, is_deleted, representation_of
from provisioner.webhook import NotBelievedError, read_secret, verify

LARGEST = 1024 * 1024
REMEMBERED = 10_000

_log = logging.getLogger("provisioner")


class Provisioner:
    """Carries events out, each once and none after a later one of the same client."""

    def __init__(self, realm: Realm) -> None:
        self._realm = realm
        self._locks: defaultdict[str, asyncio.Lock] = defaultdict(asyncio.Lock)
        self._done: OrderedDict[str, int] = OrderedDict()

    async def carry_out(self, event: dict[str, Any]) -> None:
        """Make Keycloak have the client as it is after an event; raises `AdminError`."""
        data = event["data"]
        client_id, sequence = data["client_id"], data["sequence"]
        async with self._locks[client_id]:
            if sequence <= self._done.get(client_id, 0):
                return
            await self._apply(client_id, data)
            self._done[client_id] = sequence
            self._done.move_to_end(client_id)
            if len(self._done) > REMEMBERED:
                forgotten, _ = self._done.popitem(last=False)
                self._locks.pop(forgotten, None)

    async def _apply(self, client_id: str, data: dict[str, Any]) -> None:
        standing = await self._realm.find(client_id)
        if is_deleted(data):
            if standing is not None:
                await self._realm.delete(standing["id"])
            return
        if standing is None:
            await self._realm.create(representation_of(data))
            return
        if data["sequence"] > int(standing.get("attributes", {}).get(SEQUENCE, 0)):
            await self._realm.update(standing["id"], representation_of(data))


def make_receiver(
    provisioner: Provisioner, keys: Sequence[bytes], *, now: Callable[[], float] = time.time
) -> Callable[[Request], Any]:
    """Return the entry point that takes messages."""

    async def receive(request: Request) -> Response:
        body = b""
        async for chunk in request.stream():
            body += chunk
            if len(body) > LARGEST:
                return Response(status_code=413)
        try:
            message_id = verify(body, request.headers, keys, now=now())
        except NotBelievedError:
            return Response(status_code=401)
        event = json.loads(body)
        try:
            await provisioner.carry_out(event)
        except AdminError as exc:
            _log.warning("%s %s is not done: %s", event["type"], message_id, exc)
            # 503 makes Enrol wait before it sends anything; 500 puts off this client alone
            return Response(status_code=503 if exc.is_temporary else 500)
        _log.info("%s %s of %s is done", event["type"], message_id, event["data"]["client_id"])
        return Response(status_code=204)

    return receive


def make_app() -> Starlette:
    """Return the application, set up by the environment; README.md lists the variables."""
    logging.basicConfig(level=logging.INFO)
    names = os.environ["PROVISIONER_SECRET_FILES"].split(",")
    keys = [read_secret(Path(name).read_text("ascii")) for name in names]
    http = httpx.AsyncClient(base_url=os.environ["KEYCLOAK_URL"], timeout=10, trust_env=False)
    realm = Realm(
        http,
        os.environ["KEYCLOAK_REALM"],
        client_id=os.environ["KEYCLOAK_CLIENT_ID"],
        secret=Path(os.environ["KEYCLOAK_CLIENT_SECRET_FILE"]).read_text("ascii").strip(),
    )

    @asynccontextmanager
    async def lifespan(_app: Starlette) -> AsyncIterator[None]:
        async with http:
            yield

    receive = make_receiver(Provisioner(realm), keys)
    return Starlette(routes=[Route("/events", receive, methods=["POST"])], lifespan=lifespan)
