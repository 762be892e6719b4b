"""Signs and verifies requests with PyPI http-message-signatures, without sending them.

Reads a list of jobs as JSON on stdin, prints {version, answers}.
"""

import importlib.metadata
import json
import sys
from dataclasses import dataclass

import http_message_signatures as library
from cryptography.hazmat.primitives.serialization import load_pem_private_key, load_pem_public_key


@dataclass
class Request:
    method: str
    url: str
    headers: dict[str, str]
    body: bytes


@dataclass
class Keys:
    job: dict

    def resolve_private_key(self, _key_id):
        return load_pem_private_key(self.job["private_key"].encode(), None)

    def resolve_public_key(self, _key_id):
        return load_pem_public_key(self.job["public_key"].encode())


def request_of(job):
    url = f"https://{job['fields']['Host']}{job['target']}"
    return Request(job["method"], url, dict(job["fields"]), job["body"].encode())


def options(job):
    name = job["label"].replace("-", "_").upper()
    return {
        "signature_algorithm": getattr(library.algorithms, name),
        "key_resolver": Keys(job),
    }


def sign(job):
    request = request_of(job)
    signer = library.HTTPMessageSigner(**options(job))
    signer.sign(
        request,
        key_id=job["keyid"],
        covered_component_ids=job["covered"],
        use_existing_digest=True,
    )
    return {"fields": request.headers}


def verify(job):
    results = library.HTTPMessageVerifier(**options(job)).verify(request_of(job))
    return {"holds": len(results) == 1}


def answer(job):
    try:
        return sign(job) if job["action"] == "sign" else verify(job)
    except Exception as error:
        return {"error": f"{type(error).__name__} {error}"}


answers = [answer(job) for job in json.load(sys.stdin)]
version = importlib.metadata.version("http-message-signatures")
json.dump({"version": version, "answers": answers}, sys.stdout)
