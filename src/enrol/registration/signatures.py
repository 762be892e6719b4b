"""Which signatures are accepted of whom: the general policy, and those of some callers."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from types import MappingProxyType

from enrol.eidas.organization import OrganizationIdentifier
from enrol.httpsig.policy import SignaturePolicy
from enrol.oauth.types import ClientId
from enrol.registration.ports import ClientStore


@dataclass(frozen=True, slots=True)
class SignaturePolicies:
    """The policy for everyone, and those of callers, by client_id or organizationIdentifier."""

    general: SignaturePolicy
    of_callers: Mapping[str, SignaturePolicy] = field(default_factory=lambda: MappingProxyType({}))

    async def choose(
        self,
        organization_identifier: OrganizationIdentifier,
        client_id: ClientId | None,
        clients: ClientStore,
    ) -> SignaturePolicy:
        """Return the policy for a request, before anything of its signature is looked at.

        The first there is of: that of the addressed client, where it is the organisation's own;
        that of the organisation; the general one. Raises what the store raises.
        """
        if client_id is not None and client_id in self.of_callers:
            record = await clients.find(client_id)
            if record is not None and record.organization_identifier == organization_identifier:
                return self.of_callers[client_id]
        return self.of_callers.get(organization_identifier, self.general)
