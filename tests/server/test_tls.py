"""Whom the handshake lets in, and what the application is told of the peer."""

import ssl
from datetime import timedelta
from socket import create_connection

import pytest
from cryptography import x509
from cryptography.hazmat.primitives.serialization import (
    BestAvailableEncryption,
    Encoding,
    PrivateFormat,
)
from cryptography.x509.oid import ExtendedKeyUsageOID

from enrol.errors import ConfigurationError
from enrol.server.tls import TlsSettings, server_context
from listening import NOW, PATIENCE, Pki, answer, client_context, issue, lifespan, running

DAY = timedelta(days=1)
REQUEST = b"GET / HTTP/1.1\r\nHost: bank.test\r\n\r\n"
SEAL_ONLY = x509.KeyUsage(
    digital_signature=False,
    content_commitment=True,
    key_encipherment=False,
    data_encipherment=False,
    key_agreement=False,
    key_cert_sign=False,
    crl_sign=False,
    encipher_only=False,
    decipher_only=False,
)


class Witness:
    """Keeps what it is told of the peer."""

    def __init__(self):
        self.tls = []

    async def __call__(self, scope, receive, send):
        if scope["type"] == "lifespan":
            await lifespan(receive, send)
            return
        self.tls.append(scope["extensions"]["tls"])
        await answer(send)


@pytest.fixture(scope="module")
def pki(tmp_path_factory):
    return Pki(tmp_path_factory.mktemp("pki"))


@pytest.fixture(scope="module")
def app():
    return Witness()


@pytest.fixture(scope="module")
def server(app, pki):
    with running(app, pki) as server:
        yield server


@pytest.fixture
def seen(app):
    app.tls.clear()
    return app.tls


def ask(client) -> int:
    client.send(REQUEST)
    return client.answer()[0]


def pem(identity) -> str:
    return identity.certificate.public_bytes(Encoding.PEM).decode()


def test_application_sees_the_chain_version_and_suite(server, pki, seen):
    assert ask(server.connect(pki.client)) == 200
    (tls,) = seen
    assert tls["client_cert_chain"] == [pem(pki.client), pem(pki.issuing)]
    assert tls["tls_version"] == 0x0304
    assert tls["cipher_suite"] in (0x1301, 0x1302, 0x1303)


def test_client_without_certificate_reaches_the_application(server, seen):
    assert ask(server.connect()) == 200
    assert seen[0]["client_cert_chain"] == []


@pytest.mark.parametrize(
    "validity",
    [
        {"not_before": NOW - 9 * DAY, "not_after": NOW - DAY},
        {"not_before": NOW + DAY},
    ],
    ids=["expired", "not valid yet"],
)
@pytest.mark.parametrize("version", [ssl.TLSVersion.TLSv1_2, ssl.TLSVersion.TLSv1_3])
def test_validity_is_left_to_the_application(server, pki, seen, validity, version):
    client = issue("TPP", pki.issuing, **validity)
    assert ask(server.connect(client, maximum_version=version)) == 200
    assert seen[0]["client_cert_chain"][0] == pem(client)


def of_a_namesake(pki, *, send_issuer: bool):
    namesake = issue("Issuing", authority=True)
    return issue("TPP", namesake, chain=(namesake.certificate,) if send_issuer else ())


REFUSED = {
    "self-signed": lambda _: issue("TPP"),
    "self-signed in the name of the authority": lambda _: issue("Issuing"),
    "of another authority of that name": lambda pki: of_a_namesake(pki, send_issuer=False),
    "of another authority that is sent along": lambda pki: of_a_namesake(pki, send_issuer=True),
    "of the root, which is no anchor": lambda pki: issue("TPP", pki.root),
    "issued by a leaf": lambda pki: issue("TPP", pki.client, chain=(pki.client.certificate,)),
    "for servers only": lambda pki: issue(
        "TPP", pki.issuing, extended_key_usage=(ExtendedKeyUsageOID.SERVER_AUTH,)
    ),
    "for seals only": lambda pki: issue("TPP", pki.issuing, key_usage=SEAL_ONLY),
}


@pytest.mark.parametrize("certificate", REFUSED.values(), ids=REFUSED.keys())
def test_untrusted_certificate_gets_an_alert(server, pki, seen, certificate):
    with pytest.raises(ssl.SSLError, match="alert"):
        ask(server.connect(certificate(pki)))
    assert seen == []


def test_root_as_anchor_needs_the_issuing_authority_sent_along(app, pki, seen):
    with running(app, pki, tls=pki.settings(pki.root)) as server:
        chain = (pki.issuing.certificate,)
        assert ask(server.connect(issue("TPP", pki.issuing, chain=chain))) == 200
        assert len(seen[0]["client_cert_chain"]) == 3
        with pytest.raises(ssl.SSLError, match="unknown ca"):
            ask(server.connect(issue("TPP", pki.issuing)))


@pytest.mark.parametrize("ciphers", ["AES128-GCM-SHA256", "ECDHE-ECDSA-AES128-SHA256"])
def test_suite_without_forward_secrecy_or_aead_is_refused(server, pki, ciphers):
    context = client_context(pki, None)
    context.maximum_version = ssl.TLSVersion.TLSv1_2
    context.set_ciphers(ciphers)
    with pytest.raises(ssl.SSLError, match="handshake failure"):
        server.handshake(context)


def test_old_versions_renegotiation_and_tickets_are_off(pki):
    context = server_context(pki.settings())
    assert context.minimum_version == ssl.TLSVersion.TLSv1_2
    assert context.options & ssl.OP_NO_RENEGOTIATION
    assert context.options & ssl.OP_NO_COMPRESSION
    assert context.options & ssl.OP_NO_TICKET
    assert context.num_tickets == 0


def test_tls_1_3_session_cannot_be_resumed(server, pki):
    context = client_context(pki, pki.client)
    client = server.handshake(context)
    ask(client)
    assert not client.sock.session.has_ticket
    again = server.handshake(context, client.sock.session)
    assert not again.sock.session_reused


def test_resumed_tls_1_2_session_still_shows_the_certificate(server, pki, seen):
    context = client_context(pki, pki.client)
    context.maximum_version = ssl.TLSVersion.TLSv1_2
    first = server.handshake(context)
    ask(first)
    again = server.handshake(context, first.sock.session)
    ask(again)
    assert again.sock.session_reused
    assert seen[1]["client_cert_chain"] == [pem(pki.client)]


def test_http_without_tls_is_not_answered(server, seen):
    with create_connection(server.address, timeout=PATIENCE) as plain:
        plain.sendall(REQUEST)
        assert not plain.recv(65536).startswith(b"HTTP")
    assert seen == []


def test_handshake_that_does_not_come_is_given_up(app, pki):
    with (
        running(app, pki, handshake=0.1) as server,
        create_connection(server.address, timeout=PATIENCE) as silent,
    ):
        assert silent.recv(1) == b""


def test_new_context_serves_new_connections(app, pki):
    other = issue("Other", authority=True)
    newcomer = issue("TPP", other)
    with running(app, pki) as server:
        before = server.connect(pki.client)
        server.listener.use(server_context(pki.settings(other)))
        assert ask(server.connect(newcomer)) == 200
        with pytest.raises(ssl.SSLError, match="unknown ca"):
            ask(server.connect(pki.client))
        assert ask(before) == 200


def test_server_without_client_authorities_is_refused(pki):
    certificate, key = pki.server.write(pki.folder, "server")
    with pytest.raises(ConfigurationError, match="no issuer"):
        server_context(TlsSettings(certificate, key, ()))


def test_while_nobody_is_trusted_nobody_is_asked_for_a_certificate(pki):
    certificate, key = pki.settings().certificate, pki.settings().key
    context = server_context(TlsSettings(certificate, key, None))
    assert context.verify_mode is ssl.CERT_NONE


@pytest.mark.parametrize("authority", [b"", b"\xff", b"no certificate"])
def test_unreadable_authority_is_refused(pki, authority):
    certificate, key = pki.server.write(pki.folder, "server")
    with pytest.raises(ConfigurationError, match="not a PEM certificate"):
        server_context(TlsSettings(certificate, key, (authority,)))


def test_key_of_another_certificate_is_refused(pki):
    certificate, _ = pki.server.write(pki.folder, "server")
    _, key = pki.client.write(pki.folder, "client")
    with pytest.raises(ConfigurationError, match="not a PEM certificate and its"):
        server_context(TlsSettings(certificate, key, (pki.issuing.pem,)))


def test_encrypted_key_is_refused_without_asking(pki):
    certificate, key = pki.server.write(pki.folder, "server")
    locked = key.with_name("locked.key")
    locked.write_bytes(
        pki.server.key.private_bytes(
            Encoding.PEM, PrivateFormat.PKCS8, BestAvailableEncryption(b"secret")
        )
    )
    with pytest.raises(ConfigurationError, match="unencrypted"):
        server_context(TlsSettings(certificate, locked, (pki.issuing.pem,)))
