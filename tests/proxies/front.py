"""A proxy with the configuration of deploy/ before a bank, on ports and files of its own."""

import os
import secrets
import shutil
import signal
import socket
import subprocess
import time
from dataclasses import dataclass, field
from pathlib import Path
from types import TracebackType
from typing import Any, Self

from listening import issue
from live.desk import Desk
from live.party import Reply
from ports import free_port

DEPLOY = Path(__file__).parents[2] / "deploy"
PEERS = Path(__file__).parents[2] / ".peers" / "bin"
_OWN_WORDS = (b"https://psd2.bank.example/errors/", b"<html><body><h1>400 Bad request</h1>")
"""What stands in answers of proxies: the error_uri of deploy/, which is not that of the bank under
test, and what HAProxy says, whatever it is told, about bytes that it cannot parse."""

KINDS = ("nginx", "haproxy", "envoy")
PATIENCE = 20.0


def command_of(kind: str) -> str | None:
    """Return the path of a proxy's program, None where the machine has none."""
    return shutil.which(kind, path=f"{os.environ['PATH']}:/usr/sbin:{PEERS}")


def is_of_proxy(reply: Reply) -> bool:
    """Tell whether a proxy itself answered."""
    return any(words in reply.body for words in _OWN_WORDS)


@dataclass
class Front:
    """A proxy of a kind, for the bank in `sandbox`; `settings` are what the bank needs of it."""

    kind: str
    folder: Path
    sandbox: Path
    port: int = field(default_factory=free_port)
    hop_port: int = field(default_factory=free_port)
    other_ports: tuple[int, ...] = ()
    """Of the other nodes behind nginx."""

    def __post_init__(self) -> None:
        self.folder.mkdir(mode=0o700)
        self.secret = secrets.token_hex(32)
        self._keep("hop.secret", self.secret)
        self._keep("hop-secret.conf", f'proxy_set_header Enrol-Hop-Secret "{self.secret}";\n')
        certificate, key = (self.sandbox / f"server.{end}" for end in ("pem", "key"))
        self._keep("server.pem", certificate.read_text())
        self._keep("server.key", key.read_text())
        self._keep("both.pem", certificate.read_text() + key.read_text())
        self._keep("authorities.pem", (self.sandbox / "ca.pem").read_text())
        self._keep("hop-ca.pem", (self.sandbox / "server-ca.pem").read_text())
        issue("proxy").write(self.folder, "proxy")
        for page in (DEPLOY / "haproxy").glob("*.http"):
            shutil.copy(page, self.folder)

    def _keep(self, name: str, text: str) -> None:
        path = self.folder / name
        path.touch(mode=0o600)
        path.write_text(text)

    @property
    def settings(self) -> dict[str, Any]:
        """The settings of the bank: nginx comes over TLS, the others over a Unix socket."""
        common = {
            "server.public_url": f"https://127.0.0.1:{self.port}",
            "proxy.secrets": str(self.folder / "hop.secret"),
        }
        if self.kind == "nginx":
            pinned = str(self.folder / "proxy.pem")
            return common | {"proxy.hop": "tls", "proxy.certificates": pinned}
        return common | {"proxy.hop": "socket", "proxy.socket": str(self.folder / "hop.sock")}

    def before(self, desk: Desk) -> Desk:
        """Let a bank that is not started yet be reached through this proxy."""
        desk.settings |= self.settings
        desk.port = self.hop_port
        return desk

    def __enter__(self) -> Self:
        self.log = (self.folder / "log").open("ab")
        self.process = subprocess.Popen(
            self._command(),
            env=os.environ | {"ENROL_HOP_SECRET": self.secret},
            stdout=self.log,
            stderr=self.log,
        )
        self._wait()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.process.send_signal(signal.SIGQUIT if self.kind == "nginx" else signal.SIGTERM)
        try:
            self.process.wait(PATIENCE)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()
        self.log.close()

    def _wait(self) -> None:
        end = time.monotonic() + PATIENCE
        while time.monotonic() < end and self.process.poll() is None:
            with socket.socket() as probe:
                if probe.connect_ex(("127.0.0.1", self.port)) == 0:
                    return
            time.sleep(0.02)
        raise AssertionError(f"{self.kind} did not start; see {self.log.name}")

    def _command(self) -> list[str]:
        program = command_of(self.kind)
        assert program is not None
        match self.kind:
            case "nginx":
                return [program, "-p", str(self.folder), "-c", str(self._nginx())]
            case "haproxy":
                return [program, "-W", "-f", str(self._haproxy())]
            case _:
                options = ["--use-dynamic-base-id", "--concurrency", "1", "-l", "warning"]
                return [program, *options, "-c", str(self._envoy())]

    # Configurations: those of deploy/, with other ports and paths

    def _adapt(self, source: str, *replaced: tuple[str, str]) -> Path:
        text = (DEPLOY / self.kind / source).read_text()
        for old, new in replaced:
            assert old in text, f"{source} has no {old!r} any more"
            text = text.replace(old, new)
        path = self.folder / source
        path.write_text(text)
        return path

    def _nginx(self) -> Path:
        ours = ("/etc/nginx/enrol", str(self.folder))
        hop = self._adapt("hop-tls.conf", ours, ("enrol.bank.internal", "localhost"))
        self._adapt("client-cert.conf")
        self._adapt(
            "enrol.conf",
            ours,
            ("listen 443", f"listen 127.0.0.1:{self.port}"),
            ("server unix:/run/enrol/proxy.sock max_fails=0;", self._upstream()),
            ("proxy_pass http://enrol", "proxy_pass https://enrol"),
            ("proxy_http_version", f"include {hop};\n    proxy_http_version"),
        )
        places = ("client_body", "proxy", "fastcgi", "uwsgi", "scgi")
        temporary = " ".join(f"{place}_temp_path {self.folder}/{place};" for place in places)
        path = self.folder / "nginx.conf"
        path.write_text(
            f"daemon off; worker_processes 1; pid {self.folder}/pid; error_log stderr;\n"
            f"{'user root;' if os.geteuid() == 0 else ''}\n"
            "events {}\n"
            f"http {{ access_log off; {temporary}\n"
            "include client-cert.conf; include enrol.conf; }\n"
        )
        return path

    def _upstream(self) -> str:
        """Return the nodes behind nginx."""
        ports = (self.hop_port, *self.other_ports)
        return " ".join(f"server 127.0.0.1:{port} max_fails=0;" for port in ports)

    def _haproxy(self) -> Path:
        return self._adapt(
            "enrol.cfg",
            ("/etc/haproxy/enrol/server.pem", str(self.folder / "both.pem")),
            ("/etc/haproxy/enrol", str(self.folder)),
            ("bind :443", f"bind 127.0.0.1:{self.port}"),
            ("/run/enrol/proxy.sock", str(self.folder / "hop.sock")),
        )

    def _envoy(self) -> Path:
        return self._adapt(
            "enrol.yaml",
            ("/etc/envoy/enrol", str(self.folder)),
            ("address: 0.0.0.0, port_value: 443", f"address: 127.0.0.1, port_value: {self.port}"),
            ("/run/enrol/proxy.sock", str(self.folder / "hop.sock")),
        )
