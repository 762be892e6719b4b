"""The part of Keycloak's Admin REST API that is used, as its documentation has it.

Written from the documentation and sources of Keycloak 26: paths, methods, statuses and the members
of ``ClientRepresentation`` with their types. Whatever is not so is refused as Keycloak refuses it,
or is remembered in `violations`.
"""

import threading
from dataclasses import dataclass, field
from typing import Any

from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

REALM = "psd2"
SERVICE = {"client_id": "enrol-provisioner", "client_secret": "the secret of the service account"}
TOKEN_LIFETIME = 60

MEMBERS: dict[str, type] = {
    **dict.fromkeys(("id", "clientId", "name", "description", "type", "protocol"), str),
    **dict.fromkeys(("rootUrl", "adminUrl", "baseUrl", "clientAuthenticatorType", "secret"), str),
    **dict.fromkeys(("registrationAccessToken", "origin"), str),
    **dict.fromkeys(("surrogateAuthRequired", "enabled", "alwaysDisplayInConsole"), bool),
    **dict.fromkeys(("bearerOnly", "consentRequired", "standardFlowEnabled"), bool),
    **dict.fromkeys(("implicitFlowEnabled", "directAccessGrantsEnabled"), bool),
    **dict.fromkeys(("serviceAccountsEnabled", "authorizationServicesEnabled"), bool),
    **dict.fromkeys(("publicClient", "frontchannelLogout", "fullScopeAllowed"), bool),
    **dict.fromkeys(("redirectUris", "webOrigins", "protocolMappers"), list),
    **dict.fromkeys(("defaultClientScopes", "optionalClientScopes"), list),
    **dict.fromkeys(("attributes", "authenticationFlowBindingOverrides", "access"), dict),
    **dict.fromkeys(("notBefore", "nodeReRegistrationTimeout"), int),
}
"""The members of ``ClientRepresentation`` and their types."""

AUTHENTICATORS = {"client-secret", "client-secret-jwt", "client-jwt", "client-x509"}


@dataclass
class FakeKeycloak:
    """A realm with clients; `down` answers 503, `refuses` answers 400 to this clientId.

    `refused` counts calls while it was down; `news` is of whatever changes.
    """

    clients: dict[str, dict[str, Any]] = field(default_factory=dict)
    calls: list[tuple[str, str]] = field(default_factory=list)
    violations: list[str] = field(default_factory=list)
    tokens: list[str] = field(default_factory=list)
    down: bool = False
    refused: int = 0
    news: threading.Condition = field(default_factory=threading.Condition)
    refuses: str = ""

    def app(self) -> Starlette:
        clients = f"/admin/realms/{REALM}/clients"
        token = f"/realms/{REALM}/protocol/openid-connect/token"
        return Starlette(
            routes=[
                Route(token, self._grant, methods=["POST"]),
                Route(clients, self._find, methods=["GET"]),
                Route(clients, self._create, methods=["POST"]),
                Route(clients + "/{id}", self._change, methods=["PUT", "DELETE"]),
            ]
        )

    def client(self, client_id: str) -> dict[str, Any] | None:
        """Return the client with a clientId."""
        return next((c for c in self.clients.values() if c["clientId"] == client_id), None)

    def revoke_tokens(self) -> None:
        """Let no token count that was granted so far."""
        self.tokens.clear()

    async def _grant(self, request: Request) -> Response:
        if self.down:
            return self._unavailable()
        form = dict([part.split("=") for part in (await request.body()).decode().split("&")])
        wanted = {"grant_type": "client_credentials"} | {
            name: value.replace(" ", "+") for name, value in SERVICE.items()
        }
        if form != wanted:
            return JSONResponse({"error": "unauthorized_client"}, 401)
        self.tokens.append(f"token-{len(self.calls)}-{len(self.tokens)}")
        return JSONResponse({"access_token": self.tokens[-1], "expires_in": TOKEN_LIFETIME})

    async def _find(self, request: Request) -> Response:
        refusal = self._check(request)
        if refusal is not None:
            return refusal
        name = request.query_params.get("clientId")
        found = [c for c in self.clients.values() if name in (None, c["clientId"])]
        return JSONResponse(found)

    async def _create(self, request: Request) -> Response:
        refusal = self._check(request)
        if refusal is not None:
            return refusal
        representation = await self._representation(request)
        if representation is None or representation["clientId"] == self.refuses:
            return JSONResponse({"errorMessage": "A redirect URI is not a valid URI"}, 400)
        if self.client(representation["clientId"]) is not None:
            return JSONResponse({"errorMessage": "Client already exists"}, 409)
        internal_id = f"0000-{len(self.clients) + len(self.calls)}"
        with self.news:
            self.clients[internal_id] = {"id": internal_id, **representation}
            self.news.notify_all()
        location = f"{request.url.path}/{internal_id}"
        return Response(status_code=201, headers={"Location": location})

    async def _change(self, request: Request) -> Response:
        refusal = self._check(request)
        if refusal is not None:
            return refusal
        internal_id = request.path_params["id"]
        if internal_id not in self.clients:
            return JSONResponse({"error": "Could not find client"}, 404)
        if request.method == "DELETE":
            with self.news:
                del self.clients[internal_id]
                self.news.notify_all()
            return Response(status_code=204)
        representation = await self._representation(request)
        if representation is None:
            return JSONResponse({"errorMessage": "not a ClientRepresentation"}, 400)
        standing = self.clients[internal_id]
        attributes = standing["attributes"] | representation.get("attributes", {})
        with self.news:
            self.clients[internal_id] = standing | representation | {"attributes": attributes}
            self.news.notify_all()
        return Response(status_code=204)

    def _unavailable(self) -> Response:
        with self.news:
            self.refused += 1
            self.news.notify_all()
        return Response(status_code=503)

    def _check(self, request: Request) -> Response | None:
        self.calls.append((request.method, request.url.path))
        if self.down:
            return self._unavailable()
        if request.headers.get("authorization") not in {f"Bearer {token}" for token in self.tokens}:
            return JSONResponse({"error": "HTTP 401 Unauthorized"}, 401)
        return None

    async def _representation(self, request: Request) -> dict[str, Any] | None:
        """Return the body where it is a ``ClientRepresentation``; what is not is noted."""
        body = await request.json()
        faults = [name for name in body if not isinstance(body[name], MEMBERS.get(name, ()))]
        attributes = body.get("attributes", {})
        faults += [name for name, value in attributes.items() if not isinstance(value, str)]
        if body.get("clientAuthenticatorType") not in AUTHENTICATORS:
            faults.append("clientAuthenticatorType")
        if request.headers.get("content-type") != "application/json":
            faults.append("content-type")
        self.violations += faults
        return None if faults else body
