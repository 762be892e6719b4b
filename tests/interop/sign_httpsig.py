"""One request signed by PyPI httpsig and sent by http.client, run where httpsig is installed.

Reads its parameters as JSON on stdin, prints {status, body}.
"""

import base64
import hashlib
import http.client
import json
import ssl
import sys
import types
from pathlib import Path
from urllib.parse import urlsplit

# httpsig asks for its own version at import, of a module that setuptools no longer brings.
stand_in = types.ModuleType("pkg_resources")
stand_in.get_distribution = lambda _name: types.SimpleNamespace(version="1.3.0")
stand_in.DistributionNotFound = LookupError
sys.modules.setdefault("pkg_resources", stand_in)

from httpsig import HeaderSigner  # noqa: E402 - after the stand-in

given = json.load(sys.stdin)
url = urlsplit(given["url"])

headers = {
    "Authorization": f"Bearer {given['token']}",
    "X-Request-ID": given["request_id"],
}
covered = ["(request-target)", "x-request-id"]
if given["body"] is not None:
    digest = hashlib.sha256(given["body"].encode()).digest()
    headers["Content-Type"] = "application/json"
    headers["Digest"] = f"SHA-256={base64.b64encode(digest).decode()}"
    covered.append("digest")
signer = HeaderSigner(
    given["keyid"],
    Path(given["qsealc_key"]).read_text(),
    algorithm="rsa-sha256",
    headers=covered,
    sign_header="Signature",
)
headers = dict(signer.sign(headers, method=given["method"], path=url.path))

# What somebody on the way would change after the signature was made.
if given["changed_digest"] is not None:
    headers["digest"] = given["changed_digest"]
body = given["body"] if given["changed_body"] is None else given["changed_body"]

context = ssl.create_default_context(cafile=given["ca"])
context.load_cert_chain(given["qwac"], given["qwac_key"])
connection = http.client.HTTPSConnection(url.hostname, url.port, context=context, timeout=20)
connection.request(given["method"], url.path, body and body.encode(), headers)
response = connection.getresponse()
json.dump({"status": response.status, "body": response.read().decode()}, sys.stdout)
connection.close()
