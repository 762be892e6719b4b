"""Signs and verifies requests with PyPI httpsig, without sending them; run where it is installed.

Reads a list of jobs as JSON on stdin, prints {version, answers}.
"""

import importlib.metadata
import json
import sys
import types

# httpsig asks for its own version at import, of a module that setuptools no longer brings.
stand_in = types.ModuleType("pkg_resources")
stand_in.get_distribution = lambda _name: types.SimpleNamespace(version="1.3.0")
stand_in.DistributionNotFound = LookupError
sys.modules.setdefault("pkg_resources", stand_in)

from httpsig import HeaderSigner, HeaderVerifier  # noqa: E402 - after the stand-in


def sign(job):
    signer = HeaderSigner(
        job["keyid"],
        job["private_key"],
        algorithm=job["label"],
        headers=job["covered"],
        sign_header="Signature",
    )
    return {"fields": dict(signer.sign(job["fields"], method=job["method"], path=job["target"]))}


def verify(job):
    verifier = HeaderVerifier(
        job["fields"],
        job["public_key"],
        required_headers=job["covered"],
        method=job["method"],
        path=job["target"],
        sign_header="Signature",
    )
    return {"holds": bool(verifier.verify())}


def answer(job):
    try:
        return sign(job) if job["action"] == "sign" else verify(job)
    except Exception as error:
        return {"error": f"{error}"}


answers = [answer(job) for job in json.load(sys.stdin)]
json.dump({"version": importlib.metadata.version("httpsig"), "answers": answers}, sys.stdout)
