"""The part of a proxy, played by the test."""

import ssl

from attacks.signatures import b64
from live.party import Draft, Pair, Party, Reply
from proxies.front import Front


class ForwardedParty(Party):
    """A TPP whose requests are handed on by a proxy that is this test."""

    def __init__(self, party: Party, front: Front) -> None:
        super().__init__(party.port, party.ca, party.organization, party.qwac, party.qsealc)
        self._front = front

    def context(self) -> ssl.SSLContext:
        """The proxy's TLS."""
        context = ssl.create_default_context(cafile=str(self.ca))
        proxy = proxy_of(self._front)
        context.load_cert_chain(proxy.certificate_file, proxy.key_file)
        return context

    def send(self, draft: Draft) -> Reply:
        """Send a request with what a proxy adds."""
        return super().send(handed_on(draft, self.qwac, self._front))


def proxy_of(front: Front) -> Pair:
    """Return the certificate that is pinned."""
    return Pair(front.folder / "proxy.pem", front.folder / "proxy.key")


def handed_on(draft: Draft, qwac: Pair | None, front: Front) -> Draft:
    """Return a request as a proxy hands it on, that of a TPP with this certificate."""
    added = [("Enrol-Hop-Secret", front.secret)]
    if qwac is not None:
        added.append(("Client-Cert", binary(qwac.der)))
    return Draft(draft.method, draft.target, [*draft.fields, *added], draft.body)


def binary(octets: bytes) -> str:
    """Return octets as RFC 8941 writes them."""
    return f":{b64(octets)}:"
