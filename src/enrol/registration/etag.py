"""Entity tags: which version of a registration an update or a deletion builds on (RFC 9110 §13)."""

from enrol.errors import PreconditionError
from enrol.httpsig.message import HttpMessage
from enrol.registration.record import ClientRecord


def entity_tag(record: ClientRecord) -> str:
    """Return the strong entity tag of a client as it is: its version, quoted."""
    return f'"{record.version}"'


def check_if_match(message: HttpMessage, record: ClientRecord) -> None:
    """Refuse a request whose If-Match names none but other versions; without one all pass.

    A weak tag names no version (RFC 9110 §13.1.1). Raises `PreconditionError` ``etag_stale``.
    """
    lines = message.values(b"if-match")
    if not lines:
        return
    tags = {tag.strip(b" \t") for tag in b",".join(lines).split(b",")}
    if b"*" not in tags and entity_tag(record).encode("ascii") not in tags:
        raise PreconditionError("etag_stale")
