"""What becomes of a new client: whether there is room for it, and whether it stands already."""

from collections import Counter
from collections.abc import Sequence

from enrol.adapters import statements
from enrol.adapters.connection import Connection
from enrol.eidas.organization import OrganizationIdentifier
from enrol.errors import ClientMetadataError, EntitlementError, Finding, RefusalError
from enrol.oauth.types import ClientId
from enrol.registration.ports import Creation
from enrol.registration.record import ClientRecord
from enrol.registration.software import OnDuplicate, software_digest

Same = tuple[ClientId, int]
"""A client that stands, and its version."""


class Creations:
    """Judges the creations of a batch by what stands, and by what the batch puts down."""

    def __init__(self, connection: Connection, creations: Sequence[Creation]) -> None:
        self._connection = connection
        self._looks = any(each.on_duplicate is not OnDuplicate.NEW for each in creations)
        self._created: Counter[OrganizationIdentifier] = Counter()
        self._put: dict[bytes, ClientRecord] = {}
        self._changed: set[ClientId] = set()

    def judge(self, creation: Creation) -> Same | RefusalError | None:
        """Return the client to answer with instead, or the refusal; None lets a client be made."""
        record = creation.record
        if creation.on_duplicate is not OnDuplicate.NEW:
            standing = self._find_same(record)
            if standing is not None:
                if creation.on_duplicate is OnDuplicate.RETURN:
                    return standing
                return ClientMetadataError(Finding("already_registered"))
        organization, quota = record.organization_identifier, creation.quota
        if quota is not None and self._count(organization, quota) >= quota:
            return EntitlementError("quota_reached")
        return None

    def create(self, record: ClientRecord) -> None:
        """Remember a client that the batch makes."""
        self._created[record.organization_identifier] += 1
        self.change(record)

    def change(self, record: ClientRecord) -> None:
        """Remember a client as the batch makes it."""
        self.forget(record.client_id)
        if self._looks:
            self._put.setdefault(software_digest(record), record)

    def forget(self, client_id: ClientId) -> None:
        """Remember that a client is not what it was any more."""
        if self._looks:
            self._changed.add(client_id)
            self._put = {k: each for k, each in self._put.items() if each.client_id != client_id}

    def _find_same(self, record: ClientRecord) -> Same | None:
        """Return the client of the same software; of several that with the lowest client_id."""
        software = software_digest(record)
        found = self._connection.execute(statements.FIND_SAME, (software,)).fetchall()
        standing = ((ClientId(name), int(version)) for name, version in found)
        first = next((each for each in standing if each[0] not in self._changed), None)
        put = self._put.get(software)
        return first or ((put.client_id, put.version) if put is not None else None)

    def _count(self, organization: OrganizationIdentifier, quota: int) -> int:
        """Return how many clients an organisation has, counted no further than the quota."""
        (existing,) = self._connection.execute(
            statements.COUNT_CLIENTS, (organization, quota)
        ).fetchone()
        return int(existing) + self._created[organization]
