"""The calls of Keycloak's Admin REST API that are needed, with a token of a service account."""

import time
from collections.abc import Callable
from typing import Any

import httpx


class AdminError(Exception):
    """Keycloak did not do what it was asked; `is_temporary` says whether it may later."""

    def __init__(self, what: str, *, is_temporary: bool) -> None:
        super().__init__(what)
        self.is_temporary = is_temporary


class Realm:
    """The clients of one realm.

    `client_id` and `secret` are those of a client of the realm whose service account has the role
    ``manage-clients`` of ``realm-management``.
    """

    def __init__(
        self,
        http: httpx.AsyncClient,
        name: str,
        *,
        client_id: str,
        secret: str,
        monotonic: Callable[[], float] = time.monotonic,
    ) -> None:
        self._http = http
        self._clients = f"/admin/realms/{name}/clients"
        self._token_path = f"/realms/{name}/protocol/openid-connect/token"
        self._credentials = {"client_id": client_id, "client_secret": secret}
        self._monotonic = monotonic
        self._token = ""
        self._token_until = 0.0

    async def find(self, client_id: str) -> dict[str, Any] | None:
        """Return the client with a clientId, None where there is none."""
        response = await self._call("GET", self._clients, params={"clientId": client_id})
        found = [client for client in response.json() if client["clientId"] == client_id]
        return found[0] if found else None

    async def create(self, representation: dict[str, Any]) -> None:
        """Create a client."""
        await self._call("POST", self._clients, json=representation)

    async def update(self, internal_id: str, representation: dict[str, Any]) -> None:
        """Replace a client; `internal_id` is the ``id`` Keycloak gave it."""
        path = f"{self._clients}/{internal_id}"
        await self._call("PUT", path, json={"id": internal_id, **representation})

    async def delete(self, internal_id: str) -> None:
        """Delete a client; one that is gone already is no fault."""
        await self._call("DELETE", f"{self._clients}/{internal_id}", accepted=(404,))

    async def _call(
        self,
        method: str,
        path: str,
        *,
        params: dict[str, str] | None = None,
        json: dict[str, Any] | None = None,
        accepted: tuple[int, ...] = (),
    ) -> httpx.Response:
        response = await self._send(method, path, params=params, json=json)
        if response.status_code == 401:  # the token was revoked, or its key rotated
            self._token_until = 0.0
            response = await self._send(method, path, params=params, json=json)
        if response.is_success or response.status_code in accepted:
            return response
        is_temporary = response.status_code >= 500 or response.status_code in (401, 403, 429)
        raise AdminError(f"{method}: status {response.status_code}", is_temporary=is_temporary)

    async def _send(
        self,
        method: str,
        path: str,
        *,
        params: dict[str, str] | None,
        json: dict[str, Any] | None,
    ) -> httpx.Response:
        fields = {"Authorization": f"Bearer {await self._current_token()}"}
        try:
            return await self._http.request(method, path, params=params, json=json, headers=fields)
        except httpx.HTTPError as exc:
            raise AdminError(f"{method}: {type(exc).__name__}", is_temporary=True) from exc

    async def _current_token(self) -> str:
        if self._monotonic() < self._token_until:
            return self._token
        form = {"grant_type": "client_credentials", **self._credentials}
        try:
            response = await self._http.post(self._token_path, data=form)
        except httpx.HTTPError as exc:
            raise AdminError(f"token: {type(exc).__name__}", is_temporary=True) from exc
        if not response.is_success:
            raise AdminError(f"token: status {response.status_code}", is_temporary=True)
        granted = response.json()
        self._token = granted["access_token"]
        self._token_until = self._monotonic() + granted["expires_in"] * 0.9
        return self._token
