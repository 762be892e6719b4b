"""How long the import of a register of the EBA's size takes, and how much memory.

    python bench/register.py [MEGABYTES]

The file has the shape of the real one: 217 MB of JSON, 323 000 agents around 6 400 institutions,
of which 1 570 are kept.
"""

import hashlib
import json
import random
import resource
import subprocess
import sys
import tempfile
import time
import zipfile
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

_COUNTRIES = ("AT", "BE", "DE", "ES", "FR", "IE", "IT", "LT", "NL", "PL", "PT", "SE")
_SERVICES = ("PS_03A", "PS_03B", "PS_03C", "PS_05A", "PS_05B", "PS_060", "PS_070", "PS_080")
_KINDS = ("PSD_PI", "PSD_EMI", "PSD_AISP", "PSD_EXC", "PSD_EPI", "PSD_EPI", "PSD_ENL", "PSD_EPI")


def main() -> None:
    """Write the file, import it in a process of its own, and print what it took."""
    megabytes = int(sys.argv[1]) if len(sys.argv) > 1 else 217
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder, "register.zip")
        size = _write(path, megabytes * 1_000_000)
        print(f"JSON {size / 1e6:.0f} MB, ZIP {path.stat().st_size / 1e6:.1f} MB")
        command = [
            sys.executable,
            __file__,
            "--import",
            str(path),
            str(Path(folder, "register.db")),
        ]
        subprocess.run(command, check=True)


def _import(file: Path, into: Path) -> None:
    from enrol.adapters.register.importing import import_register  # noqa: PLC0415 - measured

    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    began = time.perf_counter()
    report = import_register(file, into, at=datetime.now(UTC))
    took = time.perf_counter() - began
    usage = resource.getrusage(resource.RUSAGE_SELF)
    print(
        f"import {took:.1f} s, CPU {usage.ru_utime + usage.ru_stime:.1f} s, "
        f"memory {before / 1024:.0f} MB before, {usage.ru_maxrss / 1024:.0f} MB at most; "
        f"{report.kept} kept of {report.entities}, {into.stat().st_size / 1e6:.1f} MB on disk"
    )


def _write(path: Path, size: int) -> int:
    digest, written = hashlib.sha256(), 0
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        with archive.open("download-PSDMD-register.json", "w", force_zip64=True) as file:
            for chunk in _chunks(size):
                digest.update(chunk)
                written += file.write(chunk)
        archive.writestr("download-PSDMD-register.sha256", digest.hexdigest())
    return written


def _chunks(size: int) -> Iterator[bytes]:
    source, number, done = random.Random(1), 0, 0
    yield b'[[{"__EBA_Disclaimer":"no legal significance"}],['
    while done < size:
        entity = _institution(number, source) if number % 52 == 0 else _agent(number, source)
        chunk = (b"," if number else b"") + json.dumps(entity).encode()
        number, done = number + 1, done + len(chunk)
        yield chunk
    yield b"]]"


def _institution(number: int, source: random.Random) -> dict[str, object]:
    owner = f"{source.choice(_COUNTRIES)}_NCA"
    return {
        "CA_OwnerID": owner,
        "EntityCode": f"{owner}!{number}",
        "EntityType": source.choice(_KINDS),
        "Properties": [
            *({"ENT_COD_TYP": "NON_LEI"}, {"ENT_NAT_REF_COD": f"{source.randrange(10**9):09}"}),
            *({"ENT_NAM": f"Institution {number}"}, {"ENT_ADD": f"{number} rue de la Paix"}),
            *({"ENT_COU_RES": owner[:2]}, {"ENT_AUT": ["2019-01-07"]}),
        ],
        "Services": [
            {country: source.sample(_SERVICES, source.randrange(1, 8))} for country in _COUNTRIES
        ],
        "__EBA_EntityVersion": "20260814223344848",
    }


def _agent(number: int, source: random.Random) -> dict[str, object]:
    parent = f"PL_NCA!{source.randrange(9000)}"
    names = (f"Agent {source.randrange(10**8)}", f"{source.randrange(300)} ulica Długa")
    return {
        "CA_OwnerID": "PL_NCA",
        "EntityCode": f"PSD_PI!{parent}!{number}",
        "EntityType": "PSD_AG",
        "Properties": [
            *({"ENT_COD_TYP": "NON_LEI"}, {"ENT_NAT_REF_COD": f"{source.randrange(10**10)}"}),
            *({"ENT_NAM": names[0]}, {"ENT_ADD": names[1]}, {"ENT_TOW_CIT_RES": "Warszawa"}),
            *({"ENT_POS_COD": f"{source.randrange(99999):05}"}, {"ENT_COU_RES": "PL"}),
            *({"ENT_TYP_PAR_ENT": "PSD_PI"}, {"ENT_COD_PAR_ENT": parent}),
            {"DER_CHI_ENT_AUT": "Active"},
        ],
        "Services": [],
        "__EBA_EntityVersion": f"202608142233{source.randrange(10**5):05}",
    }


if __name__ == "__main__":
    if sys.argv[1:2] == ["--import"]:
        _import(Path(sys.argv[2]), Path(sys.argv[3]))
    else:
        main()
