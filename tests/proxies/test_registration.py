"""The life of a registration through a proxy, and what a TPP reads when it is refused."""

import pytest

from live.operations import check_fields
from live.party import Pair, Party, Reply, issue
from proxies.conftest import ACME, ROLES, Place

pytestmark = pytest.mark.live

ISSUED = {"registration_client_uri", "registration_access_token", "client_id_issued_at"}


def test_a_client_lives_from_registration_to_deletion(place: Place, acme: Party) -> None:
    created = acme.register()
    assert created.status == 201, created
    client_id = created.json["client_id"]
    read = acme.get(client_id)
    assert (read.status, read.json) == (200, created.json)
    changed = {k: v for k, v in created.json.items() if k not in ISSUED} | {"client_name": "Two"}
    assert acme.put(client_id, changed).json["client_name"] == "Two"
    assert acme.delete(client_id).status == 204
    assert acme.get(client_id).status in (401, 403)
