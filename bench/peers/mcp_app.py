"""The registration handler of PyPI mcp as a server: `python mcp_app.py PORT`.

Its provider keeps clients in a dictionary, and no more is asked of it here.
"""

import sys

import uvicorn
from mcp.server.auth.handlers.register import RegistrationHandler
from mcp.server.auth.settings import ClientRegistrationOptions
from starlette.applications import Starlette
from starlette.routing import Route


class _Provider:
    def __init__(self) -> None:
        self.clients = {}

    async def register_client(self, client_info):
        self.clients[client_info.client_id] = client_info


handler = RegistrationHandler(_Provider(), ClientRegistrationOptions(enabled=True))
app = Starlette(routes=[Route("/register", handler.handle, methods=["POST"])])

if __name__ == "__main__":
    uvicorn.run(
        app,
        host="127.0.0.1",
        port=int(sys.argv[1]),
        loop="uvloop",
        http="httptools",
        access_log=False,
        log_level="warning",
    )
