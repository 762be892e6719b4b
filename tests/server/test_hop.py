"""What is believed of a proxy, and what of a TPP that claims a certificate."""

import hashlib
import socket
import ssl
import stat
from base64 import b64encode
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.serialization import Encoding

from enrol.adapters.unix_socket import bind_unix_socket
from enrol.errors import ConfigurationError
from enrol.server.claims import claims_certificate
from enrol.server.hop import Hop, fingerprints
from enrol.server.peer import counted_as, peer_of
from listening import Pki, issue, lifespan, running

SECRET, NEXT = b"s" * 32, b"n" * 32
DER = b"0\x82certificate"
BELIEVED = (b"enrol-hop-secret", SECRET)
CLIENT_CERT = (b"client-cert", b":" + b64encode(DER) + b":")


class UnixTransport:
    """A connection without TLS."""

    def get_extra_info(self, name):
        return None


def introduce(*fields, hop=None):
    hop = hop or Hop(secrets=(SECRET, NEXT))
    extensions, rest = hop.know(UnixTransport())(list(fields))
    return {"extensions": extensions}, rest


def code_of(*fields, hop=None):
    scope, _ = introduce(*fields, hop=hop)
    with pytest.raises(Exception) as refusal:  # noqa: PT011 - any of the tree
        peer_of(scope)
    return refusal.value.code


def test_the_certificate_a_proxy_hands_on_is_the_peers():
    scope, _ = introduce(BELIEVED, CLIENT_CERT)
    assert peer_of(scope).certificate == DER


def test_a_request_without_certificate_has_a_peer_without_one():
    assert peer_of(introduce(BELIEVED)[0]).certificate is None


def test_what_a_proxy_says_is_not_part_of_the_request():
    own = (b"host", b"bank.test")
    chain = (b"client-cert-chain", b":AAAA:")
    assert introduce(own, BELIEVED, CLIENT_CERT, chain)[1] == [own]


def test_two_secrets_are_in_force_while_one_follows_the_other():
    scope, _ = introduce((b"enrol-hop-secret", NEXT), CLIENT_CERT)
    assert peer_of(scope).certificate == DER


@pytest.mark.parametrize(
    "fields",
    [
        pytest.param((), id="none"),
        pytest.param(((b"enrol-hop-secret", b"wrong"),), id="wrong"),
        pytest.param(((b"enrol-hop-secret", b""),), id="empty"),
        pytest.param((BELIEVED, BELIEVED), id="twice"),
        pytest.param(((b"enrol_hop_secret", SECRET),), id="underscores"),
    ],
)
def test_a_request_without_the_secret_is_nobodys(fields):
    assert code_of(*fields, CLIENT_CERT) == "hop_not_authenticated"


def test_a_secret_is_not_enough_where_certificates_are_pinned():
    hop = Hop(secrets=(SECRET,), certificates=frozenset({hashlib.sha256(b"proxy").digest()}))
    assert code_of(BELIEVED, CLIENT_CERT, hop=hop) == "hop_not_authenticated"


@pytest.mark.parametrize(
    "value",
    [
        b"",
        b"::",
        b":AAAA",
        b"AAAA",
        b":AA AA:",
        b":AAB=:",  # the unused bits of the last character are not zero
        b":AA==:;a=1",
        b":AA==:, :AA==:",
        b":AAAA:\x00",
        b":%41AAA:",
        b"(null)",
        b"-----BEGIN CERTIFICATE-----",
        b":too-long:",
    ],
)
def test_a_certificate_in_another_form_is_refused(value):
    assert code_of(BELIEVED, (b"client-cert", value)) == "client_cert_malformed"


def test_two_certificates_are_refused():
    assert code_of(BELIEVED, CLIENT_CERT, CLIENT_CERT) == "client_cert_malformed"


@pytest.mark.parametrize(
    "name",
    [
        *(b"client-cert", b"client_cert", b"client-cert-chain", b"x-ssl-client-cert"),
        *(b"x_ssl_client_cert", b"x-ssl_client-cert", b"x-arr-clientcert", b"ssl-client-s-dn"),
        *(b"x-forwarded-client-cert", b"x-forwarded-tls-client-cert", b"x-amzn-mtls-clientcert"),
        *(b"x.client.cert", b"x-client-certificate", b"x-tls-client-dn"),
    ],
)
def test_a_field_that_some_proxy_uses_claims_a_certificate(name):
    assert claims_certificate([(b"host", b"bank.test"), (name, b"")])


def test_the_fields_of_a_request_claim_none():
    names = (
        *(b"host", b"accept", b"content-type", b"digest", b"signature", b"x-request-id"),
        *(b"authorization", b"tpp-signature-certificate", b"forwarded", b"x-forwarded-for"),
    )
    assert not claims_certificate([(name, b"") for name in names])


def test_a_claim_beside_what_the_proxy_says_is_noticed():
    scope, rest = introduce(BELIEVED, CLIENT_CERT, (b"client_cert", b":AAAA:"))
    assert peer_of(scope).claims_certificate
    assert rest == [(b"client_cert", b":AAAA:")]


def test_failures_are_counted_by_certificate_where_no_address_is_stated():
    scope, rest = introduce(BELIEVED, CLIENT_CERT, (b"x-real-ip", b"192.0.2.1"))
    assert counted_as(scope) == hashlib.sha256(DER).digest()
    assert rest == [(b"x-real-ip", b"192.0.2.1")]


def test_failures_of_nobody_are_not_counted():
    assert counted_as(introduce(BELIEVED)[0]) is None


def test_failures_are_counted_by_the_address_a_proxy_states():
    hop = Hop(secrets=(SECRET,), states_address=True)
    scope, rest = introduce(BELIEVED, CLIENT_CERT, (b"x-real-ip", b"2001:DB8::1"), hop=hop)
    assert counted_as(scope) == "2001:db8::1"
    assert rest == []


@pytest.mark.parametrize("values", [(), (b"unknown",), (b"192.0.2.1, 192.0.2.2",), (b"::1",) * 2])
def test_a_proxy_that_is_to_state_one_address_states_one(values):
    hop = Hop(secrets=(SECRET,), states_address=True)
    fields = [(b"x-real-ip", value) for value in values]
    assert code_of(BELIEVED, CLIENT_CERT, *fields, hop=hop) == "client_address_malformed"


# On the wire


class Desk:
    """Keeps the scopes of its requests."""

    def __init__(self):
        self.scopes = []

    async def __call__(self, scope, receive, send):
        if scope["type"] == "lifespan":
            await lifespan(receive, send)
            return
        self.scopes.append(scope)
        await send({"type": "http.response.start", "status": 204, "headers": []})
        await send({"type": "http.response.body"})


@pytest.fixture(scope="module")
def pki(tmp_path_factory):
    return Pki(tmp_path_factory.mktemp("pki"))


def head(*fields):
    lines = [b"GET / HTTP/1.1", b"Host: bank.test", *(b"%s: %s" % field for field in fields)]
    return b"\r\n".join([*lines, b"", b""])


def test_a_proxy_with_a_pinned_certificate_is_believed(pki):
    proxy, desk = issue("proxy"), Desk()
    pinned, _ = proxy.write(pki.folder, "proxy")
    hop = Hop(secrets=(SECRET,), certificates=fingerprints((pinned,)))
    with running(desk, pki, tls=pki.settings(proxy), know=hop.know) as server:
        client = server.connect(proxy)
        client.send(head(BELIEVED, CLIENT_CERT))
        assert client.answer()[0] == 204
    assert peer_of(desk.scopes[0]).certificate == DER
    assert desk.scopes[0]["headers"] == [(b"host", b"bank.test")]


def test_a_peer_without_certificate_is_no_proxy(pki):
    proxy, desk = issue("proxy"), Desk()
    pinned, _ = proxy.write(pki.folder, "proxy")
    hop = Hop(secrets=(SECRET,), certificates=fingerprints((pinned,)))
    with running(desk, pki, tls=pki.settings(proxy), know=hop.know) as server:
        client = server.connect()
        client.send(head(BELIEVED, CLIENT_CERT))
        assert client.answer()[0] == 204
    assert desk.scopes[0]["extensions"]["enrol.peer"]["peer"].fault.code == "hop_not_authenticated"


def test_a_certificate_that_is_not_pinned_is_refused_in_the_handshake(pki):
    with running(Desk(), pki, tls=pki.settings(issue("proxy"))) as server:
        with pytest.raises(OSError, match=r"unknown ca|reset|EOF"):
            server.connect(pki.client, maximum_version=ssl.TLSVersion.TLSv1_2)


def test_a_file_that_holds_no_certificate_cannot_be_pinned(tmp_path: Path):
    (tmp_path / "proxy.pem").write_text("nothing")
    with pytest.raises(ConfigurationError, match=r"proxy\.pem"):
        fingerprints((tmp_path / "proxy.pem",))


def test_a_pin_is_the_fingerprint_of_the_certificate(pki):
    identity = issue("proxy")
    path, _ = identity.write(pki.folder, "pinned")
    der = identity.certificate.public_bytes(Encoding.DER)
    assert fingerprints((path,)) == {hashlib.sha256(der).digest()}


def test_a_unix_socket_speaks_plain_http(pki, tmp_path: Path):
    desk, path = Desk(), tmp_path / "hop.sock"
    hop = Hop(secrets=(SECRET,))
    with running(desk, pki, tls=None, know=hop.know, sockets=[bind_unix_socket(path)]):
        with socket.socket(socket.AF_UNIX) as client:
            client.settimeout(20)
            client.connect(str(path))
            client.sendall(head(BELIEVED, CLIENT_CERT))
            assert client.recv(4096).startswith(b"HTTP/1.1 204 ")
    assert peer_of(desk.scopes[0]).certificate == DER


def test_a_unix_socket_has_the_deadlines_of_a_connection(pki, tmp_path: Path):
    path = tmp_path / "hop.sock"
    hop = Hop(secrets=(SECRET,))
    sockets = [bind_unix_socket(path)]
    with running(Desk(), pki, tls=None, know=hop.know, sockets=sockets, headers=0.05):
        with socket.socket(socket.AF_UNIX) as client:
            client.settimeout(20)
            client.connect(str(path))
            client.sendall(b"GET / HT")
            assert client.recv(4096).startswith(b"HTTP/1.1 408 ")


def test_others_cannot_connect_to_the_socket(tmp_path: Path):
    path = tmp_path / "hop.sock"
    with bind_unix_socket(path):
        assert stat.S_IMODE(path.stat().st_mode) == 0o660


def test_a_socket_left_behind_is_replaced(tmp_path: Path):
    bind_unix_socket(tmp_path / "hop.sock").close()
    bind_unix_socket(tmp_path / "hop.sock").close()


def test_a_socket_in_use_and_a_file_are_not_replaced(tmp_path: Path):
    with bind_unix_socket(tmp_path / "hop.sock") as listening:
        listening.listen()
        with pytest.raises(ConfigurationError, match="Address already in use"):
            bind_unix_socket(tmp_path / "hop.sock")
    (tmp_path / "file").write_text("precious")
    with pytest.raises(ConfigurationError):
        bind_unix_socket(tmp_path / "file")


def test_a_folder_that_others_write_to_is_refused(tmp_path: Path):
    tmp_path.chmod(0o777)
    with pytest.raises(ConfigurationError, match="chmod o-w"):
        bind_unix_socket(tmp_path / "hop.sock")


def test_an_answer_before_the_end_of_a_body_is_not_lost(pki, tmp_path: Path):
    path = tmp_path / "hop.sock"
    hop = Hop(secrets=(SECRET,))
    with running(Desk(), pki, tls=None, know=hop.know, sockets=[bind_unix_socket(path)]):
        with socket.socket(socket.AF_UNIX) as client:
            client.settimeout(20)
            client.connect(str(path))
            client.sendall(b"GET / HTTP/1.1\r\nHost: b\r\nContent-Length: 9999999\r\n\r\n")
            assert client.recv(4096).startswith(b"HTTP/1.1 204 ")
            client.sendall(head(BELIEVED) * 100)  # nobody listens any more, least of all to this
            client.shutdown(socket.SHUT_WR)
            assert client.recv(4096) == b""
