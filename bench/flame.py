"""Stacks that were sampled: what each function took, and a flame graph of them as SVG."""

import re
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import groupby
from xml.sax.saxutils import escape

Stack = tuple[str, ...]
"""Names of frames, outermost first."""

_WIDTH, _ROW, _TOP = 1200, 17, 40
_SMALLEST = 0.003
"""The part of all samples below which a frame is not drawn."""

_CHARACTER = 6.6
_LINE = re.compile(r":\d+$")
_PYTHON = re.compile(r"\.py\)$|^<|^event loop$|^other threads$")
_WAITING = re.compile(
    r"(pthread_cond_\w*wait|epoll_\w*wait|sem_\w*wait|\w*futex\w*|f?(data)?sync|take_gil"
    r"|_queue_SimpleQueue_get\w*)( |$)"
)
_BEGINNINGS = {
    "uv_run (core.c)": "event loop",
    "Runner.run (asyncio/runners.py)": "event loop",
    "Thread.run (threading.py)": "other threads",
}
"""Where the work of a thread begins, and what that is called."""

_COLOURS = {"enrol": "#4f9cf0", "cryptography": "#d4a72c", "other": "#8b949e"}


@dataclass(slots=True)
class Node:
    """A frame with those it called; `count` is of samples in it or below."""

    name: str
    count: int = 0
    calls: dict[str, "Node"] = field(default_factory=dict)

    def add(self, stack: Iterable[str], count: int) -> None:
        """Count a stack, outermost frame first."""
        node = self
        node.count += count
        for name in stack:
            node = node.calls.setdefault(name, Node(name))
            node.count += count


def parse_stacks(collapsed: str) -> Counter[Stack]:
    """Read lines of ``frame;frame;frame count``, outermost first; those that wait are left out."""
    stacks: Counter[Stack] = Counter()
    for line in collapsed.splitlines():
        frames, _, count = line.rpartition(" ")
        names = [tidied(frame) for frame in frames.split(";")]
        if frames and count.isdecimal() and not any(map(_WAITING.match, names)):
            stacks[shortened(names)] += int(count)
    return stacks


def tidied(frame: str) -> str:
    """Return ``function (module)`` of a frame, without what depends on the machine."""
    name, _, place = frame.partition(" (")
    path = _LINE.sub("", place.rstrip(")"))
    _, _, path = f"/{path}".rpartition("/site-packages/")
    name = "?" if name.startswith("0x") else name
    return f"{name} ({path.lstrip('/')})" if path.strip("/") else name


def shortened(frames: Sequence[str]) -> Stack:
    """Return a stack from where a thread's work begins, what is repeated or inlined left out."""
    last = max((index for index, name in enumerate(frames) if name in _BEGINNINGS), default=-1)
    begin = [_BEGINNINGS[frames[last]]] if last >= 0 else []
    kept = (name for name in [*begin, *frames[last + 1 :]] if not name.endswith(" (object.h)"))
    return tuple(name for name, _ in groupby(kept))


def of_python(stacks: Mapping[Stack, int]) -> Counter[Stack]:
    """Return the stacks without C functions, whose time is then of the Python that called them."""
    merged: Counter[Stack] = Counter()
    for stack, count in stacks.items():
        merged[tuple(name for name in stack if _PYTHON.search(name))] += count
    return merged


def own_shares(stacks: Mapping[Stack, int]) -> dict[str, float]:
    """Return the part of all samples that each function itself took, what it called left out."""
    total = sum(stacks.values())
    own: Counter[str] = Counter()
    for stack, count in stacks.items():
        if stack:
            own[stack[-1]] += count
    return {name: count / total for name, count in own.most_common()} if total else {}


def is_ours(frame: str) -> bool:
    """Whether a function is Enrol's."""
    return "(enrol/" in frame


def flame_svg(title: str, stacks: Mapping[Stack, int]) -> str:
    """Return the flame graph: outermost frames on top, a frame as wide as its share of samples."""
    root = Node("all")
    for stack, count in stacks.items():
        root.add(stack, count)
    drawn: list[str] = []
    deepest = _draw(root, drawn, left=0.0, depth=0, total=max(root.count, 1))
    height = _TOP + (deepest + 1) * _ROW + 8
    return "\n".join(
        [
            (
                f'<svg xmlns="http://www.w3.org/2000/svg" width="{_WIDTH}" height="{height}" '
                f'viewBox="0 0 {_WIDTH} {height}" role="img" aria-label="{escape(title)}">'
            ),
            (
                "<style>text{font:11px ui-monospace,monospace;fill:#000}"
                ".t{font:600 14px system-ui,sans-serif;fill:#57606a}"
                "@media(prefers-color-scheme:dark){.t{fill:#b1bac4}}</style>"
            ),
            f'<text class="t" x="8" y="22">{escape(title)}</text>',
            *drawn,
            "</svg>",
            "",
        ]
    )


def _draw(node: Node, drawn: list[str], *, left: float, depth: int, total: int) -> int:
    """Draw a frame and what it called, and return the deepest row drawn."""
    width = node.count / total * _WIDTH
    top, share = _TOP + depth * _ROW, node.count / total
    room = int((width - 6) / _CHARACTER)
    text = node.name if len(node.name) <= room else f"{node.name[: room - 1]}…"
    label = f'<text x="{left + 3:.1f}" y="{top + 12}">{escape(text)}</text>' if room > 3 else ""
    drawn.append(
        f"<g><title>{escape(node.name)}: {share:.1%}</title>"
        f'<rect x="{left:.1f}" y="{top}" width="{max(width - 0.5, 0.5):.1f}" height="{_ROW - 1}" '
        f'rx="1" fill="{_COLOURS[_kind(node.name)]}"/>{label}</g>'
    )
    deepest = depth
    for call in sorted(node.calls.values(), key=lambda each: each.name):
        if call.count / total >= _SMALLEST:
            below = _draw(call, drawn, left=left, depth=depth + 1, total=total)
            deepest = max(deepest, below)
        left += call.count / total * _WIDTH
    return deepest


def _kind(name: str) -> str:
    if is_ours(name):
        return "enrol"
    return "cryptography" if "cryptography" in name else "other"
