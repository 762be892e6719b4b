"""Trusted lists as XML, and their signature (TS 119 612 §5, annex B; XAdES baseline B)."""

import base64
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, Final
from xml.sax.saxutils import escape

from cryptography import x509
from cryptography.hazmat.primitives.serialization import Encoding
from cryptography.x509.oid import NameOID

from enrol.sandbox.pki import Issued

_BASE: Final = "http://uri.etsi.org/TrstSvc"
_OPERATOR: Final = "Enrol Sandbox Scheme Operator (not qualified)"
_SITE: Final = "https://scheme.example/"


@dataclass(frozen=True, slots=True)
class ListedState:
    """A status, such as ``granted``, and since when (aware UTC)."""

    status: str
    since: datetime


@dataclass(frozen=True, slots=True)
class ListedCa:
    """A CA as the list has it: what its certificates are for, and its states, the newest first."""

    certificate: x509.Certificate
    uses: tuple[str, ...]
    states: tuple[ListedState, ...]

    @property
    def name(self) -> str:
        """The common name of the CA."""
        return str(self.certificate.subject.get_attributes_for_oid(NameOID.COMMON_NAME)[0].value)


def list_of_lists(
    operator: x509.Certificate,
    *,
    territories: Sequence[str],
    number: int,
    at: datetime,
    until: datetime,
) -> str:
    """Return the list that points to itself and to the lists of the territories."""
    pointers = "".join(
        f"<OtherTSLPointer><ServiceDigitalIdentities><ServiceDigitalIdentity>"
        f"<DigitalId><X509Certificate>{_base64(operator)}</X509Certificate></DigitalId>"
        f"</ServiceDigitalIdentity></ServiceDigitalIdentities>"
        f"<TSLLocation>{_SITE}{location}</TSLLocation><AdditionalInformation>"
        f"<OtherInformation><TSLType>{_type(kind)}</TSLType></OtherInformation>"
        f"<OtherInformation><SchemeTerritory>{where}</SchemeTerritory></OtherInformation>"
        f"<OtherInformation><ns3:MimeType>application/vnd.etsi.tsl+xml</ns3:MimeType>"
        f"</OtherInformation></AdditionalInformation></OtherTSLPointer>"
        for location, kind, where in (
            ("lotl.xml", "EUlistofthelists", "EU"),
            *((f"{territory}.xml", "EUgeneric", territory) for territory in territories),
        )
    )
    scheme = _scheme(
        "EUlistofthelists",
        territory="EU",
        number=number,
        at=at,
        until=until,
        pointers=f"<PointersToOtherTSL>{pointers}</PointersToOtherTSL>",
    )
    return _document(scheme)


def national_list(
    listed: Sequence[ListedCa], *, territory: str, number: int, at: datetime, until: datetime
) -> str:
    """Return the list of the territory, with one provider and a service for each CA."""
    scheme = _scheme("EUgeneric", territory=territory, number=number, at=at, until=until)
    services = "".join(_service(ca) for ca in listed)
    return _document(
        f"{scheme}<TrustServiceProviderList><TrustServiceProvider><TSPInformation>"
        f"<TSPName>{_name('Enrol Sandbox QTSP (not qualified)')}</TSPName></TSPInformation>"
        f"<TSPServices>{services}</TSPServices>"
        f"</TrustServiceProvider></TrustServiceProviderList>"
    )


def signed(document: str, signer: Issued, *, at: datetime) -> bytes:
    """Sign a list as of `at` (aware UTC); the same keys and moment give the same bytes."""
    from lxml import etree  # noqa: PLC0415 - slow, and only makers of lists need it
    from signxml.algorithms import DigestAlgorithm, SignatureMethod  # noqa: PLC0415
    from signxml.xades.xades import XAdESSigner  # noqa: PLC0415

    class Signer(XAdESSigner):
        """Signs without chance, and without a clock of its own."""

        tokens = 0

        def _get_token(self, length: int = 4) -> str:
            self.tokens += 1
            return f"{self.tokens:0{length}d}"

        def add_signing_time(
            self,
            signed_signature_properties: Any,  # noqa: ANN401 - lxml has no types
            sig_root: object,  # noqa: ARG002 - its base has it
            signing_settings: object,  # noqa: ARG002 - same
        ) -> None:
            tag = f"{{{self.namespaces['xades']}}}SigningTime"
            time = etree.SubElement(signed_signature_properties, tag, nsmap=self.namespaces)
            time.text = _time(at)

    xades = Signer(
        signature_algorithm=SignatureMethod.RSA_SHA256,
        digest_algorithm=DigestAlgorithm.SHA256,
    )
    root = xades.sign(
        etree.fromstring(document),
        key=signer.private_key,
        cert=[signer.certificate],
        always_add_key_value=False,
    )
    data: bytes = etree.tostring(root)
    return b'<?xml version="1.0" encoding="UTF-8"?>\n' + data + b"\n"


def _document(content: str) -> str:
    return (
        '<TrustServiceStatusList xmlns="http://uri.etsi.org/02231/v2#"'
        ' xmlns:ns3="http://uri.etsi.org/02231/v2/additionaltypes#"'
        f' TSLTag="http://uri.etsi.org/19612/TSLTag" Id="list">{content}</TrustServiceStatusList>'
    )


def _scheme(
    kind: str,
    *,
    territory: str,
    number: int,
    at: datetime,
    until: datetime,
    pointers: str = "",
) -> str:
    rules = f"{_BASE}/TrustedList/schemerules/{'EUlistofthelists' if pointers else territory}"
    return (
        f"<SchemeInformation><TSLVersionIdentifier>6</TSLVersionIdentifier>"
        f"<TSLSequenceNumber>{number}</TSLSequenceNumber><TSLType>{_type(kind)}</TSLType>"
        f"<SchemeOperatorName>{_name(_OPERATOR)}</SchemeOperatorName>"
        f'<SchemeInformationURI><URI xml:lang="en">{_SITE}</URI></SchemeInformationURI>'
        f'<SchemeTypeCommunityRules><URI xml:lang="en">{rules}</URI></SchemeTypeCommunityRules>'
        f"<SchemeTerritory>{territory}</SchemeTerritory>"
        f"<HistoricalInformationPeriod>65535</HistoricalInformationPeriod>{pointers}"
        f"<ListIssueDateTime>{_time(at)}</ListIssueDateTime>"
        f"<NextUpdate><dateTime>{_time(until)}</dateTime></NextUpdate></SchemeInformation>"
    )


def _service(ca: ListedCa) -> str:
    now, *former = ca.states
    history = "".join(
        f"<ServiceHistoryInstance>{_state(ca, each, _identity(ca))}</ServiceHistoryInstance>"
        for each in former
    )
    certificate = (
        f"<DigitalId><X509Certificate>{_base64(ca.certificate)}</X509Certificate></DigitalId>"
    )
    return (
        f"<TSPService><ServiceInformation>{_state(ca, now, certificate)}</ServiceInformation>"
        f"<ServiceHistory>{history}</ServiceHistory></TSPService>"
    )


def _identity(ca: ListedCa) -> str:
    """Return the identity as histories have it: by key identifier, without certificate."""
    key = x509.SubjectKeyIdentifier.from_public_key(ca.certificate.public_key())
    return f"<DigitalId><X509SKI>{base64.b64encode(key.digest).decode()}</X509SKI></DigitalId>"


def _state(ca: ListedCa, state: ListedState, identity: str) -> str:
    uses = "".join(
        f'<Extension Critical="true"><AdditionalServiceInformation><URI xml:lang="en">'
        f"{_BASE}/TrustedList/SvcInfoExt/{use}</URI></AdditionalServiceInformation></Extension>"
        for use in ca.uses
    )
    return (
        f"<ServiceTypeIdentifier>{_BASE}/Svctype/CA/QC</ServiceTypeIdentifier>"
        f"<ServiceName>{_name(ca.name)}</ServiceName>"
        f"<ServiceDigitalIdentity>{identity}</ServiceDigitalIdentity>"
        f"<ServiceStatus>{_BASE}/TrustedList/Svcstatus/{state.status}</ServiceStatus>"
        f"<StatusStartingTime>{_time(state.since)}</StatusStartingTime>"
        f"<ServiceInformationExtensions>{uses}</ServiceInformationExtensions>"
    )


def _type(kind: str) -> str:
    return f"{_BASE}/TrustedList/TSLType/{kind}"


def _name(text: str) -> str:
    return f'<Name xml:lang="en">{escape(text)}</Name>'


def _time(at: datetime) -> str:
    return at.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def _base64(certificate: x509.Certificate) -> str:
    return base64.b64encode(certificate.public_bytes(Encoding.DER)).decode()
