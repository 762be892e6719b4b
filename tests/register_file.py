"""Files like those of the EBA's register of payment institutions, written for a test."""

import hashlib
import json
import zipfile
from collections.abc import Iterable
from pathlib import Path
from typing import Any

DISCLAIMER = {"__EBA_Disclaimer": "It has no legal significance and confers no rights in law."}
NAME = "download-PSDMD-202611231600.json"


def entity(
    code: str = "FR_ACPR!12345",
    *,
    kind: str = "PSD_PI",
    name: str = "Acme Paiements SAS",
    reference: str | None = "898 123 456",
    changes: Any = ("2019-01-07",),
    services: Any = None,
) -> dict[str, Any]:
    """Return one entity; `services` maps a country to codes."""
    properties: list[dict[str, Any]] = [{"ENT_NAM": name}, {"ENT_COU_RES": code[:2]}]
    if reference is not None:
        properties.append({"ENT_NAT_REF_COD": reference})
    if changes:
        listed = list(changes) if isinstance(changes, tuple) else changes
        properties.append({"ENT_AUT": listed})
    offered = {"FR": ["PS_070", "PS_080"], "DE": "PS_080"} if services is None else services
    return {
        "CA_OwnerID": code.split("!")[-2],
        "EntityCode": code,
        "EntityType": kind,
        "Properties": properties,
        "Services": [{host: codes} for host, codes in offered.items()],
        "__EBA_EntityVersion": "20261123160000000",
    }


def agent(number: int) -> dict[str, Any]:
    """Return an agent, of which there are hundreds for each institution."""
    return {
        "CA_OwnerID": "FR_ACPR",
        "EntityCode": f"PSD_PI!FR_ACPR!12345!{number}",
        "EntityType": "PSD_AG",
        "Properties": [
            {"ENT_NAM": f"Tabac de la Gare {number}"},
            {"ENT_ADD": "12 place de la Gare, bâtiment {C} [nord]"},
            {"DER_CHI_ENT_AUT": "Active"},
        ],
    }


def document(entities: Iterable[Any]) -> bytes:
    return json.dumps([[DISCLAIMER], list(entities)], ensure_ascii=False).encode()


def write(
    path: Path, content: bytes, *, name: str = NAME, digest: str | None = "", packed: bool = True
) -> Path:
    """Write the ZIP; `digest` is that of the content where empty, and left out where None."""
    packing = zipfile.ZIP_DEFLATED if packed else zipfile.ZIP_STORED
    with zipfile.ZipFile(path, "w", packing) as archive:
        archive.writestr(name, content)
        if digest is not None:
            text = digest or hashlib.sha256(content).hexdigest()
            archive.writestr(name.replace(".json", ".sha256"), f"{text}  {name}\n")
    return path
