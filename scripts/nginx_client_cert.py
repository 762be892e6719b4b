"""Writes deploy/nginx/client-cert.conf: nginx has no loop, so a line of PEM is a group."""

import sys
from pathlib import Path

PLACE = Path(__file__).parent.parent / "deploy" / "nginx" / "client-cert.conf"
_LINES = 170
"""Lines of 64 characters in the longest certificate that is handed on: 8 kB of DER."""


def client_cert_map() -> str:
    """Return the map from the PEM that nginx has of a certificate to RFC 9440."""
    names = [f"l{number}" for number in range(_LINES)]
    lines = "".join(f"(?:(?<{name}>\\S+)\\n)?+" for name in names)  # nothing to go back to
    joined = "".join(f"${name}" for name in names)
    return f"""\
# The certificate of a TPP as RFC 9440 writes it, DER in base64 between colons.
# Made by `python scripts/nginx_client_cert.py`: a group for each line of PEM. Longer certificates
# come out as `:too-long:`, which Enrol refuses.
map $ssl_client_raw_cert $enrol_client_cert {{
    volatile;
    "" "";
    default ":too-long:";
    "~^-----BEGIN CERTIFICATE-----\\n{lines}-----END CERTIFICATE-----\\n?$" ":{joined}:";
}}
"""


if __name__ == "__main__":
    PLACE.write_text(client_cert_map(), "ascii")
    sys.stdout.write(f"{PLACE}\n")
