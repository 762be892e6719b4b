"""The guide to explained signatures works as it stands."""

import os
import re
import subprocess
import sys
from pathlib import Path

from ports import free_port

ROOT = Path(__file__).parents[2]
GUIDE = (ROOT / "docs/how-to/explain-a-signature.md").read_text("utf-8")
BLOCK = re.compile(r"```sh\n(.*?)```", re.DOTALL)
SAID = re.compile(r"(?:^    .*\n)+", re.MULTILINE)


def test_the_guide_finds_the_mistake_it_makes(tmp_path: Path) -> None:
    port = str(free_port())
    prepare, call, *explain = BLOCK.findall(GUIDE)
    ready = "curl -s -f --cacert bank/server-ca.pem https://127.0.0.1:8443/health"
    wait = f"until {ready}; do kill -0 %1; done\n"
    script = "".join([f"set -e\n{prepare}", wait, call, "set +e\n", *explain, "kill %1; wait\n"])
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
    lines = {line.strip() for line in done.stdout.splitlines()}
    promised = {line.strip() for block in SAID.findall(GUIDE) for line in block.splitlines()}
    assert promised - {"…", ""} - lines == set(), done.stdout
