"""``enrol explain``: says what is wrong with a signature, and what a code means."""

import sys
from dataclasses import replace
from difflib import get_close_matches
from pathlib import Path
from typing import Annotated, Final

import typer

from enrol.cli.explain_certificate import certificate as explain_certificate
from enrol.cli.explain_options import (
    AlgorithmOption,
    AsJson,
    AtOption,
    BodyFile,
    CaptureFile,
    CertificateFile,
    ClientStringFile,
    HeaderOptions,
    KeyFile,
    KidOption,
    MethodOption,
    ProfileOption,
    RequestNumber,
    SignatureProfile,
    TargetOption,
    moment,
)
from enrol.cli.explain_report import print_refusal, print_signature
from enrol.client.capture import Capture, choose_capture, make_capture, read_captures
from enrol.client.given_key import key_in_body, key_of_certificate, key_of_public_key, read_octets
from enrol.errors import ConfigurationError
from enrol.explanations import EXPLANATIONS
from enrol.httpsig import STET, STRICT, Mode, Primitive, SignaturePolicy
from enrol.httpsig.explain import GivenKey, Verdict, explain_signature

app = typer.Typer(no_args_is_help=True, help="Say what is wrong, rule by rule.")
app.command("certificate")(explain_certificate)

DOES_NOT_VERIFY: Final = 1
_MODERN: Final = (
    "Signature-Input makes it RFC 9421, which the bank has to have switched on for you."
)
_KEY_OF_BODY: Final = "The key is that of the first certificate in the body's jwks."


@app.command("signature")
def signature(
    file: CaptureFile = None,
    *,
    certificate: CertificateFile = None,
    key: KeyFile = None,
    algorithm: AlgorithmOption = None,
    kid: KidOption = None,
    body_file: BodyFile = None,
    method: MethodOption = None,
    target: TargetOption = None,
    header: HeaderOptions = None,
    request: RequestNumber = None,
    client_signing_string: ClientStringFile = None,
    profile: ProfileOption = SignatureProfile.STET,
    at: AtOption = None,
    as_json: AsJson = False,
) -> None:
    """Say rule by rule whether the signature of a captured request holds, and why not.

    Exit code 0 when it verifies, 1 when it does not, 2 when the input cannot be read.
    """
    parts = method, target, header
    capture = _capture(file, parts, request, body_file)
    given = _given_key(capture, certificate, key, primitive=algorithm, keyid=kid)
    if certificate is None and key is None:
        capture = replace(capture, notes=(*capture.notes, _KEY_OF_BODY))
    claimed = None
    if client_signing_string is not None:
        claimed = read_octets(client_signing_string, "--client-signing-string")
    judged_at = moment(at)
    report = explain_signature(
        capture.message,
        given,
        at=judged_at,
        policy=_policy(profile),
        has_body=capture.has_body,
        claimed=claimed,
    )
    notes = capture.notes if report.mode is Mode.CAVAGE else (*capture.notes, _MODERN)
    print_signature(report, at=judged_at, notes=notes, as_json=as_json)
    raise typer.Exit(0 if report.verdict is Verdict.HOLDS else DOES_NOT_VERIFY)


@app.command("refusal")
def refusal(
    code: Annotated[
        str, typer.Argument(metavar="CODE", help="The code, or the error_uri that ends with it.")
    ],
    *,
    as_json: AsJson = False,
) -> None:
    """Say what a code of a refusal means, what to change, and where the rule is written."""
    name = code.rstrip("/").rpartition("/")[2]
    by_name = {known.lower(): known for known in EXPLANATIONS}
    known = by_name.get(name.lower())
    if known is None:
        near = [by_name[each] for each in get_close_matches(name.lower(), by_name, n=3)]
        meant = (
            f" Did you mean {', '.join(near)}?" if near else " docs/reference/errors.md lists all."
        )
        raise ConfigurationError("code_unknown", f"No refusal has the code {name!a}.{meant}")
    print_refusal(known, EXPLANATIONS[known], as_json=as_json)


def _capture(
    file: str | None,
    parts: tuple[str | None, str | None, list[str] | None],
    request: int | None,
    body_file: Path | None,
) -> Capture:
    """Return the request in a file, on stdin, or given in parts."""
    method, target, header = parts
    if (file is None) == (target is None) or (file is not None and (method or header)):
        raise ConfigurationError(
            "capture_missing",
            "Give either the FILE of a captured request (- for stdin), or --target with --method "
            "and --header.",
        )
    body = read_octets(body_file, "--body-file") if body_file is not None else None
    if target is not None:
        return make_capture(method or "POST", target, header or (), body)
    data = sys.stdin.buffer.read() if file == "-" else read_octets(Path(file or ""), "FILE")
    capture = choose_capture(read_captures(data), request)
    return capture if body is None else capture.with_body(body)


def _given_key(
    capture: Capture,
    certificate: Path | None,
    key: Path | None,
    *,
    primitive: Primitive | None,
    keyid: str | None,
) -> GivenKey:
    """Return the key to hold the signature against; a registration may bring its own."""
    if certificate is not None and key is not None:
        raise ConfigurationError("key_doubled", "Give --certificate or --key, not both.")
    if certificate is not None:
        return key_of_certificate(certificate, primitive=primitive, keyid=keyid)
    if key is not None:
        return key_of_public_key(key, primitive=primitive, keyid=keyid)
    given = key_in_body(capture.message.body, primitive=primitive, keyid=keyid)
    if given is None:
        raise ConfigurationError(
            "key_missing",
            "The body brings no certificate in jwks: give the QSealC with --certificate, or its "
            "public key with --key.",
        )
    return given


def _policy(profile: SignatureProfile) -> SignaturePolicy:
    """Return the policy of a profile, both modes on."""
    policy = STRICT if profile is SignatureProfile.STRICT else STET
    return replace(policy, modes=tuple(Mode))
