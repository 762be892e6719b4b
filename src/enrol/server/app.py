"""The application: entry points behind one door that counts who is inside."""

from collections.abc import Callable, Mapping
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass
from typing import Any

from starlette.routing import Route, Router
from starlette.types import ASGIApp, Receive, Scope, Send

from enrol.errors import UnavailableError
from enrol.server.answer import Answer
from enrol.server.call import Call
from enrol.server.drain import Drain
from enrol.server.issued_tokens import IssuedTokenRoutes
from enrol.server.preflight import PreflightRoute
from enrol.server.public import Document, Health, get_explanation
from enrol.server.resource import House, Resource
from enrol.server.routes import RegistrationRoutes, TokenRoute

Lifespan = Callable[[object], AbstractAsyncContextManager[None]]


@dataclass(frozen=True, slots=True)
class Paths:
    """Where the entry points are, below the host."""

    register: str = "/stet/setting/v1/register"
    token: str = "/stet/psd2/oauth/token"  # noqa: S105 - a path
    introspection: str = "/stet/psd2/oauth/introspect"
    revocation: str = "/stet/psd2/oauth/revoke"

    @property
    def certificate_check(self) -> str:
        """Where certificates are examined, beside the registration endpoint."""
        return f"{self.register.rpartition('/')[0]}/certificate-check"


@dataclass(frozen=True, slots=True)
class Documents:
    """The JSON documents served as they are; None switches one off."""

    server_metadata: bytes
    openapi: bytes | None


class Door:
    """Lets requests in while there is room and the server is not stopping; an ASGI application.

    Those for a path of `fixed` go straight to its entry point, all others through `inside`.
    """

    def __init__(
        self, house: House, drain: Drain, inside: ASGIApp, fixed: Mapping[str, Resource]
    ) -> None:
        self._house = house
        self._drain = drain
        self._inside = inside
        self._fixed = fixed

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass the call on, or answer 503."""
        if scope["type"] != "http":
            await self._inside(scope, receive, send)
            return
        if self._drain.draining:
            await self._turn_away("draining", scope, receive, send)
        elif self._house.room.is_full:
            await self._turn_away("overloaded", scope, receive, send)
        else:
            room = self._house.room
            room.enter()
            try:
                entry_point = scope["endpoint"] = self._fixed.get(scope["path"])
                await (entry_point or self._inside)(scope, receive, send)
            finally:
                room.leave()

    async def _turn_away(self, code: str, scope: Scope, receive: Receive, send: Send) -> None:
        async def refuse(_call: Call) -> Answer:
            raise UnavailableError(code, retry_after=1)

        await Resource(self._house, "", {scope["method"]: refuse})(scope, receive, send)


def build_app(
    *,
    house: House,
    drain: Drain,
    paths: Paths,
    registration: RegistrationRoutes,
    token: TokenRoute,
    issued_tokens: IssuedTokenRoutes,
    preflight: PreflightRoute,
    health: Health,
    documents: Documents,
    lifespan: Lifespan,
    listing: bool = False,
) -> ASGIApp:
    """Return the ASGI application of the desk; without `listing` nobody's clients are listed."""

    fixed: dict[str, Resource] = {}

    def entry(path: str, **methods: Callable[[Call], Any]) -> Route:
        handlers = {name.upper(): handler for name, handler in methods.items()}
        resource = Resource(house, path, handlers)
        if "{" not in path:
            fixed[path] = resource
        return Route(path, resource)

    lists = {"get": registration.list_clients} if listing else {}
    routes = [
        entry(paths.register, post=registration.post, **lists),
        entry(
            paths.register + "/{client_id}",
            get=registration.get,
            put=registration.put,
            delete=registration.delete,
        ),
        entry(paths.token, post=token.post),
        entry(paths.introspection, post=issued_tokens.introspect),
        entry(paths.revocation, post=issued_tokens.revoke),
        entry(paths.certificate_check, post=preflight.post),
        entry(
            "/.well-known/oauth-authorization-server",
            get=Document(documents.server_metadata).get,
        ),
        entry("/errors/{code}", get=get_explanation),
        entry("/health", get=health.get),
    ]
    if documents.openapi is not None:
        routes.append(entry("/openapi.json", get=Document(documents.openapi).get))
    router = Router(
        routes, redirect_slashes=False, default=Resource(house, "", {}), lifespan=lifespan
    )
    return Door(house, drain, router, fixed)
