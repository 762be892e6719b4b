"""Horizontal bars as SVG, readable on a light and on a dark page."""

from collections.abc import Sequence
from dataclasses import dataclass
from xml.sax.saxutils import escape

_ROW, _TOP, _LABELS, _WIDTH, _END = 26, 34, 250, 720, 130
_OURS, _THEIRS, _INK = "#2f81f7", "#8b949e", "#8b949e"
_STYLE = (
    "text{font:13px system-ui,sans-serif;fill:#57606a}"
    "@media(prefers-color-scheme:dark){text{fill:#b1bac4}}"
    ".t{font-weight:600}"
)


@dataclass(frozen=True, slots=True)
class Bar:
    """One bar; `low` and `high` are the ends of its whisker, `ours` gives it Enrol's colour."""

    label: str
    value: float
    low: float
    high: float
    ours: bool = False
    shown: str = ""


def bars(title: str, drawn: Sequence[Bar]) -> str:
    """Return the picture of bars from zero on one scale, each with its value beside it."""
    height = _TOP + _ROW * len(drawn) + 8
    largest = max((bar.high for bar in drawn), default=0) or 1
    scale = (_WIDTH - _LABELS - _END) / largest
    parts = [
        (
            f'<svg xmlns="http://www.w3.org/2000/svg" width="{_WIDTH}" height="{height}" '
            f'viewBox="0 0 {_WIDTH} {height}" role="img" aria-label="{escape(title)}">'
        ),
        f"<style>{_STYLE}</style>",
        f'<text class="t" x="8" y="20">{escape(title)}</text>',
    ]
    for index, bar in enumerate(drawn):
        parts.extend(_bar(bar, _TOP + index * _ROW, scale))
    return "\n".join([*parts, "</svg>", ""])


def _bar(bar: Bar, top: int, scale: float) -> list[str]:
    middle, right = top + _ROW // 2, _LABELS + bar.high * scale
    low, high = (f"{_LABELS + value * scale:.1f}" for value in (bar.low, bar.high))
    colour = _OURS if bar.ours else _THEIRS
    return [
        f'<text x="{_LABELS - 8}" y="{middle + 4}" text-anchor="end">{escape(bar.label)}</text>',
        (
            f'<rect x="{_LABELS}" y="{top + 4}" width="{max(bar.value * scale, 1):.1f}" '
            f'height="{_ROW - 8}" rx="2" fill="{colour}"/>'
        ),
        (
            f'<path d="M{low} {middle}H{high}M{low} {middle - 4}v8M{high} {middle - 4}v8" '
            f'stroke="{_INK}" stroke-width="1.5" fill="none"/>'
        ),
        (
            f'<text x="{right + 8:.1f}" y="{middle + 4}">'
            f"{escape(bar.shown or f'{bar.value:,.0f}')}</text>"
        ),
    ]
