"""The mistakes clients make when they build a signing string, each as a way to bend it."""

import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from hashlib import sha256
from itertools import permutations
from typing import Final
from urllib.parse import unquote_to_bytes

from enrol.httpsig.explain.drafts import Draft, Line
from enrol.httpsig.message import HttpMessage

_PERMUTED: Final = 5
"""Lines up to which every order is tried."""

_MANY: Final = 16
"""Lines up to which leaving each one out is tried."""

_BLANKS: Final = re.compile(rb"[ \t]+")


@dataclass(frozen=True, slots=True)
class Bent:
    """A draft with one mistake; `detail` may have octets of the message in it."""

    name: str
    draft: Draft
    detail: str | None = None


def bent_lines(draft: Draft, message: HttpMessage) -> Iterator[Bent]:
    """Yield the draft with every mistake that keeps the lines and their order."""
    for bend in (_bent_ends, _bent_names, _bent_values, _bent_method, _bent_target, _bent_whole):
        for bent in bend(draft, message):
            if bent.draft.octets() != draft.octets():
                yield bent


def bent_orders(draft: Draft) -> Iterator[Bent]:
    """Yield the draft with its lines in other orders, and with one line left out."""
    lines = draft.lines
    last = lines[-1:] if lines and lines[-1].name == b'"@signature-params"' else ()
    own = lines[: len(lines) - len(last)]
    if len(own) <= _PERMUTED:
        orders = list(permutations(own))[1:]
    else:
        orders = [own[::-1], tuple(sorted(own, key=lambda line: line.name))]
        orders += [(*own[:n], own[n + 1], own[n], *own[n + 2 :]) for n in range(len(own) - 1)]
        orders += [(line, *own[:n], *own[n + 1 :]) for n, line in enumerate(own)]
    for order in orders:
        names = " ".join([line.name.decode() for line in order])
        yield Bent("order", replace(draft, lines=order + last), names)
    for n, line in enumerate(lines[:_MANY] if len(lines) > 1 else ()):
        left = replace(draft, lines=lines[:n] + lines[n + 1 :])
        yield Bent("line-left-out", left, line.name.decode())


def bent_absences(draft: Draft) -> Iterator[Bent]:
    """Yield what a client signs in the place of values that are not in the message."""
    absent = " ".join([line.name.decode() for line in draft.lines if line.absent])
    if absent:
        yield Bent("missing-signed-empty", draft, absent)
        undefined = draft.mapped(lambda x: replace(x, value=b"undefined") if x.absent else x)
        yield Bent("missing-signed-undefined", undefined, absent)


def bent_defaults(draft: Draft, message: HttpMessage, created: int | None) -> Iterator[Bent]:
    """Yield what a client signs that names nothing: the default of its draft, or nothing."""
    if draft.lines:
        return
    date = message.combined(b"date")
    if date is not None:
        yield Bent("headers-default-date", Draft((Line(b"date", date),)))
    if created is not None:
        yield Bent("headers-default-created", Draft((Line(b"(created)", b"%d" % created),)))
    yield Bent("headers-empty", draft)


def _bent_ends(draft: Draft, message: HttpMessage) -> Iterator[Bent]:  # noqa: ARG001 - alike
    yield Bent("crlf", replace(draft, end=b"\r\n"))
    yield Bent("line-end-at-end", replace(draft, tail=b"\n"), "LF")
    yield Bent("line-end-at-end", replace(draft, end=b"\r\n", tail=b"\r\n"), "CRLF")
    yield Bent("lines-run-together", replace(draft, end=b""))


def _bent_names(draft: Draft, message: HttpMessage) -> Iterator[Bent]:  # noqa: ARG001 - alike
    for change in (_title, _title_with_id, bytes.upper):
        yield Bent("name-case", draft.mapped(_renaming(change)))
    yield Bent("colon-without-blank", draft.mapped(lambda line: replace(line, separator=b":")))
    yield Bent("names-missing", draft.mapped(lambda line: Line(b"", line.value, b"")))
    yield Bent("request-target-unnamed", draft.mapped(_unnamed_target))
    yield Bent("empty-value-without-blank", draft.mapped(_closed_if_empty))
    yield Bent("quotes-missing", draft.mapped(_renaming(lambda name: name.replace(b'"', b""))))


def _bent_values(draft: Draft, message: HttpMessage) -> Iterator[Bent]:
    yield Bent("blanks-kept", draft.mapped(lambda line: _kept_blanks(line, message)))
    yield Bent("blanks-collapsed", draft.mapped(_collapsed))
    yield Bent("lines-joined-otherwise", draft.mapped(lambda line: _joined(line, message, b",")))
    yield Bent("lines-joined-otherwise", draft.mapped(lambda line: _joined(line, message, b"")))
    for name in (b"host", b'"@authority"'):
        host = draft.value(name)
        if host is not None:
            without = host.rpartition(b":")[0] if b":" in host else host + b":443"
            yield Bent("host-port", draft.with_value(name, without), without.decode("latin-1"))


def _bent_method(draft: Draft, message: HttpMessage) -> Iterator[Bent]:
    method = message.method.encode()
    if (signed := draft.value(b'"@method"')) is not None:
        yield Bent("method-lower-case", draft.with_value(b'"@method"', signed.lower()))
    others = [m for m in (b"post", b"put", b"get", b"delete") if m != method.lower()]
    for name, case in ((b"(request-target)", bytes.lower), (b'"@method"', bytes.upper)):
        value = draft.value(name)
        if value is None:
            continue
        _, blank, target = value.partition(b" ")
        for other in others:
            put_as_post = (message.method, other) == ("PUT", b"post")
            mistake = "put-signed-as-post" if put_as_post else "other-method"
            bent = draft.with_value(name, case(other) + blank + target)
            yield Bent(mistake, bent, other.decode())
    value = draft.value(b"(request-target)")
    if value is not None:
        _, _, target = value.partition(b" ")
        for upper in dict.fromkeys((method.upper(), method, method.title())):
            bent = draft.with_value(b"(request-target)", upper + b" " + target)
            yield Bent("method-upper-case", bent)
        yield Bent("method-missing", draft.with_value(b"(request-target)", target))


def _bent_target(draft: Draft, message: HttpMessage) -> Iterator[Bent]:
    """Yield the draft with other targets, in whatever line the target stands."""
    for name in (b"(request-target)", b'"@path"', b'"@request-target"', b'"@query"'):
        value = draft.value(name)
        if value is None:
            continue
        method, blank, target = b"", b"", value
        if name == b"(request-target)":
            method, blank, target = value.partition(b" ")
        for mistake, other, detail in _targets(target, message):
            yield Bent(mistake, draft.with_value(name, method + blank + other), detail)


def _targets(target: bytes, message: HttpMessage) -> Iterator[tuple[str, bytes, str | None]]:
    """Yield names of mistakes, the target each makes of a target, and details."""
    path, mark, query = target.partition(b"?")
    yield "query-missing", path, None
    yield "query-missing", message.target, None  # where it is covered apart from the path
    yield "query-mark", path + b"?" if not mark else query, None
    yield "target-decoded", unquote_to_bytes(target), None
    yield "target-lower-case", target.lower(), None
    slashed = path.rstrip(b"/") if path.endswith(b"/") else path + b"/"
    yield "trailing-slash", slashed + mark + query, None
    host = message.combined(b"host") or b""
    yield "target-absolute", b"https://" + host + target, None
    yield "target-absolute", host + target, None
    for n in range(1, min(path.count(b"/"), 8)):
        prefix = b"/".join(path.split(b"/")[: n + 1])
        stripped = target[len(prefix) :]
        yield "prefix-stripped", stripped, prefix.decode("latin-1")
        yield "prefix-stripped", stripped.lstrip(b"/"), prefix.decode("latin-1") + "/"


def _bent_whole(draft: Draft, message: HttpMessage) -> Iterator[Bent]:  # noqa: ARG001 - alike
    hashes: tuple[tuple[str, Callable[[bytes], bytes]], ...] = (
        ("SHA-256", lambda text: sha256(text).digest()),
        ("SHA-256 in hexadecimal", lambda text: sha256(text).hexdigest().encode()),
    )
    for detail, wrap in hashes:
        yield Bent("hashed-first", replace(draft, wrap=wrap), detail)


def _renaming(change: Callable[[bytes], bytes]) -> Callable[[Line], Line]:
    def rename(line: Line) -> Line:
        return line if line.name.startswith(b"(") else replace(line, name=change(line.name))

    return rename


def _title(name: bytes) -> bytes:
    return b"-".join([part.capitalize() for part in name.split(b"-")])


def _title_with_id(name: bytes) -> bytes:
    return _title(name).replace(b"-Id", b"-ID")


def _unnamed_target(line: Line) -> Line:
    return Line(b"", line.value, b"") if line.name == b"(request-target)" else line


def _closed_if_empty(line: Line) -> Line:
    return line if line.value else replace(line, separator=b":")


def _collapsed(line: Line) -> Line:
    return replace(line, value=_BLANKS.sub(b" ", line.value))


def _kept_blanks(line: Line, message: HttpMessage) -> Line:
    values = message.values(line.name.strip(b'"'))
    return replace(line, value=b", ".join(values)) if values else line


def _joined(line: Line, message: HttpMessage, joint: bytes) -> Line:
    """Return a line with the values of several lines joined otherwise, or the last one alone."""
    values = [value.strip(b" \t") for value in message.values(line.name.strip(b'"'))]
    if len(values) < 2:
        return line
    return replace(line, value=joint.join(values) if joint else values[-1])
