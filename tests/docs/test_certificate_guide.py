"""The guide to examined certificates works as it stands."""

import os
import re
import subprocess
import sys
from pathlib import Path

from ports import free_port

ROOT = Path(__file__).parents[2]
GUIDE = (ROOT / "docs/how-to/check-a-certificate.md").read_text("utf-8")
BLOCK = re.compile(r"```sh\n(.*?)```", re.DOTALL)
SAID = re.compile(r"(?:^    .*\n)+", re.MULTILINE)
READY = "curl -s -f --cacert bank/server-ca.pem https://127.0.0.1:8443/health"
WAIT = f"until {READY}; do kill -0 %1 || exit; done\n"


def lines(text: str) -> list[str]:
    return [" ".join(line.split()) for line in text.splitlines()]


def test_the_guide_finds_what_it_says(tmp_path: Path) -> None:
    port = str(free_port())
    failing, passing, start, check, curl = BLOCK.findall(GUIDE)
    check = check.replace("\n", " --bank-url https://127.0.0.1:8443\n")
    script = "".join([failing, passing, start, WAIT, check, curl, "echo\nkill %1; wait\n"])
    done = subprocess.run(
        ["bash", "-m"],
        input=script.replace("8443", port),
        cwd=tmp_path,
        env=os.environ
        | {
            "PATH": f"{Path(sys.executable).parent}:{os.environ['PATH']}",
            "ENROL_SERVER_PORT": port,
        },
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        timeout=120,
        check=False,
    )
    said = lines(done.stdout)
    for line in lines("".join(SAID.findall(GUIDE))):
        beginning = line.partition("…")[0]
        assert any(each.startswith(beginning) for each in said), (line, done.stdout)
    assert '"refused_by":"psd2_nca_id_malformed"' in done.stdout
