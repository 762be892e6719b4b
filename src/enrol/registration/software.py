"""Whether two registrations are of the same software."""

import hashlib
from enum import StrEnum

from enrol.registration.record import ClientRecord


class OnDuplicate(StrEnum):
    """What becomes of a registration of software that is registered already."""

    RETURN = "return"
    REFUSE = "refuse"
    NEW = "new"


def software_digest(record: ClientRecord) -> bytes:
    """Return 32 bytes that two clients share where they are the same software.

    It is the same organisation, agent, software (``software_id``, else ``client_name``) and
    certificates, in whichever order.
    """
    metadata = record.metadata
    named = ("id", metadata.software_id) if metadata.software_id else ("name", metadata.client_name)
    certificates = sorted(key.x5t_s256 for key in record.keys)
    parts = (
        record.organization_identifier,
        metadata.client_legal_id or "",
        *(part or "" for part in named),
        *certificates,
    )
    encoded = [part.encode() for part in parts]
    return hashlib.sha256(
        b"".join([len(part).to_bytes(4, "big") + part for part in encoded])
    ).digest()
