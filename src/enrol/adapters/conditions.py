"""What else must be so for a change: a statement used rightly, agents within their TPP's scope.

Both are judged within the transaction, by what stands and by what its batch puts down.
"""

from collections.abc import Iterator
from datetime import datetime
from typing import Final

from enrol.adapters import rows, statements
from enrol.adapters.connection import Connection
from enrol.adapters.rows import Row
from enrol.eidas.organization import OrganizationIdentifier
from enrol.errors import ClientMetadataError, EntitlementError, Finding, RefusalError
from enrol.oauth.types import ClientId
from enrol.registration.agents import AgentScope, find_fault, is_agent
from enrol.registration.ports import Creation, Removal, Replacement
from enrol.registration.record import ClientRecord
from enrol.registration.stated import StatementUse

RegisterWrite = Creation | Replacement | Removal
_AT_ONCE: Final = 100


class Conditions:
    """Judges the writes of a batch one after the other; most have no such condition."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection
        self._put: dict[ClientId, ClientRecord | None] = {}
        self.statements: dict[bytes, Row] = {}
        """The rows of the statements that the batch is the first to use, by their name."""

    def judge(
        self, write: RegisterWrite, *, organization: OrganizationIdentifier, at: datetime
    ) -> RefusalError | None:
        """Return what refuses a write of an organisation, None where nothing does."""
        if not isinstance(write, Removal) and not self._may_use(write.statement, write.record):
            return ClientMetadataError(Finding("statement_reused", "software_statement"))
        if write.agents is AgentScope.CLIENTS:
            code = self._fault_of_agents(write, organization, at)
            return EntitlementError(code) if code is not None else None
        return None

    def put(self, write: RegisterWrite) -> None:
        """Remember a write that is going to be carried out."""
        if isinstance(write, Removal):
            self._put[write.client_id] = None
            return
        record, use = write.record, write.statement
        self._put[record.client_id] = record
        if use is not None and self._find_use(use) is None:
            self.statements[use.name] = _use_row(use, record)

    def _may_use(self, use: StatementUse | None, record: ClientRecord) -> bool:
        """Tell whether a client may rest on a statement, seen who rested on it first.

        One name is that of one text, and of one organisation (RFC 7519 §4.1.7).
        """
        first = self._find_use(use) if use is not None else None
        if use is None or first is None:
            return True
        _, digest, organization, client_id = first
        if (digest, organization) != (use.digest, record.organization_identifier):
            return False
        return client_id == record.client_id or not use.once

    def _fault_of_agents(
        self, write: RegisterWrite, organization: OrganizationIdentifier, at: datetime
    ) -> str | None:
        """Return the code of what a write would do to agents, None where it does no harm.

        Most writes are of organisations that have no agents, which is seen at once.
        """
        changed = None if isinstance(write, Removal) else write.record
        client_id = write.client_id if isinstance(write, Removal) else write.record.client_id
        if self._is_agent(client_id) if changed is None else is_agent(changed):
            if changed is None:
                return None
        elif isinstance(write, Creation) or not self._has_agents(organization):
            return None
        others = (each for each in self._family(organization) if each.client_id != client_id)
        return find_fault(changed, others, at=at)

    def _find_use(self, use: StatementUse) -> Row | None:
        put = self.statements.get(use.name)
        if put is not None:
            return put
        found: Row | None = self._connection.execute(
            statements.FIND_STATEMENT_USE, (use.name,)
        ).fetchone()
        return found

    def _has_agents(self, organization: OrganizationIdentifier) -> bool:
        found = self._connection.execute(statements.FIND_AGENTS, (organization,)).fetchone()
        return found is not None or any(
            record is not None
            and record.organization_identifier == organization
            and is_agent(record)
            for record in self._put.values()
        )

    def _is_agent(self, client_id: ClientId) -> bool:
        found = self._connection.execute(statements.FIND_AGENT, (client_id,)).fetchone()
        return found is not None

    def _family(self, organization: OrganizationIdentifier) -> Iterator[ClientRecord]:
        """Yield the living clients of an organisation as the batch leaves them so far."""
        for record in self._put.values():
            if record is not None and record.organization_identifier == organization:
                yield record
        after = ClientId("")
        while True:
            parameters = (organization, after, _AT_ONCE)
            page = rows.living_clients(
                self._connection.execute(statements.FIND_OWN_PAGE, parameters).fetchall()
            )
            yield from (record for record in page if record.client_id not in self._put)
            if len(page) < _AT_ONCE:
                return
            after = page[-1].client_id


def _use_row(use: StatementUse, record: ClientRecord) -> Row:
    """Return the row of `tables.software_statements`."""
    return (use.name, use.digest, record.organization_identifier, record.client_id)
