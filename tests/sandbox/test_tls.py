import ipaddress
import ssl
from datetime import datetime
from pathlib import Path

import pytest
from cryptography import x509

from enrol.errors import ConfigurationError
from enrol.sandbox.folder import create_sandbox
from enrol.sandbox.host import url_of
from enrol.sandbox.seed import RandomKeys, SeededKeys
from enrol.sandbox.tls import create_server


def names(host: str, at: datetime) -> tuple[list[str], list[str]]:
    _, server = create_server(SeededKeys(1), host=host, at=at)
    found = server.certificate.extensions.get_extension_for_class(x509.SubjectAlternativeName)
    addresses = found.value.get_values_for_type(x509.IPAddress)
    return found.value.get_values_for_type(x509.DNSName), [str(one) for one in addresses]


def test_the_server_is_named_as_loopback(at: datetime) -> None:
    assert names("127.0.0.1", at) == (["localhost"], ["127.0.0.1", "::1"])


def test_the_server_is_named_as_its_host_too(at: datetime) -> None:
    assert names("Bank.example", at) == (["localhost", "bank.example"], ["127.0.0.1", "::1"])
    assert names("192.0.2.7", at) == (["localhost"], ["127.0.0.1", "::1", "192.0.2.7"])


def test_every_address_is_no_name(at: datetime) -> None:
    assert names("0.0.0.0", at) == names("::", at) == names("localhost", at)


@pytest.mark.parametrize("host", ["", 'a"b', "-a", "a..b", "bänk", "a b", "a" * 64, "x\n"])
def test_a_host_that_is_neither_name_nor_address_is_refused(host: str, at: datetime) -> None:
    with pytest.raises(ConfigurationError) as caught:
        create_server(SeededKeys(1), host=host, at=at)
    assert caught.value.code == "sandbox_host"


@pytest.mark.parametrize(
    ("host", "url"),
    [
        ("127.0.0.1", "https://127.0.0.1:8443"),
        ("0.0.0.0", "https://127.0.0.1:8443"),
        ("::", "https://127.0.0.1:8443"),
        ("::1", "https://[::1]:8443"),
        ("localhost", "https://localhost:8443"),
    ],
)
def test_a_client_on_this_machine_gets_a_url(host: str, url: str) -> None:
    assert url_of(host, 8443) == url


def test_bank_and_tpp_shake_hands(tmp_path: Path, at: datetime) -> None:
    folder = tmp_path / "sandbox"
    now = datetime.now(at.tzinfo)  # the TLS library reads the clock itself
    create_sandbox(folder, keys=RandomKeys(), at=now)
    bank = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    bank.load_cert_chain(folder / "server.pem", folder / "server.key")
    bank.load_verify_locations(folder / "ca.pem")
    bank.verify_mode = ssl.CERT_REQUIRED
    tpp = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    tpp.verify_flags |= ssl.VERIFY_X509_STRICT
    tpp.load_verify_locations(folder / "server-ca.pem")
    tpp.load_cert_chain(folder / "tpp" / "qwac.pem", folder / "tpp" / "qwac.key")

    to_bank, to_tpp = ssl.MemoryBIO(), ssl.MemoryBIO()
    server = bank.wrap_bio(to_bank, to_tpp, server_side=True)
    client = tpp.wrap_bio(to_tpp, to_bank, server_hostname=str(ipaddress.ip_address("127.0.0.1")))
    for end in (client, server, client, server):
        try:
            end.do_handshake()
        except ssl.SSLWantReadError:
            continue
    subject = dict(pair for (pair,) in server.getpeercert()["subject"])
    assert subject["organizationIdentifier"] == "PSDFR-ACPR-12345"
