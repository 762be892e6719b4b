"""The events that the code writes into the log, found in its source."""

import ast
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

SOURCE = Path(__file__).parents[2] / "src" / "enrol"
LEVELS = {
    "debug": "debug",
    "info": "info",
    "warning": "warning",
    "error": "error",
    "exception": "error",
    "critical": "critical",
}


@dataclass
class Event:
    """One event with the levels and fields of every place that writes it."""

    levels: set[str] = field(default_factory=set)
    fields: set[str] = field(default_factory=set)


def find_events() -> dict[str, Event]:
    """Return every event of the source by its name; what is not a constant name is ``?``."""
    found: dict[str, Event] = {}
    for path in sorted(SOURCE.rglob("*.py")):
        for name, level, fields in _calls(ast.parse(path.read_text("utf-8"))):
            event = found.setdefault(name, Event())
            event.levels.add(level)
            event.fields |= fields
    return found


def _calls(tree: ast.AST) -> Iterator[tuple[str, str, set[str]]]:
    """Return name, level and fields of each call of a logger, or of a function that passes one on.

    A function with a parameter `event` that hands it to the logger stands for its callers.
    """
    passing: dict[str, set[str]] = {}
    for node in ast.walk(tree):
        if isinstance(node, ast.FunctionDef) and "event" in {a.arg for a in node.args.args}:
            logged = {LEVELS[c.func.attr] for c in _logger_calls(node)}  # type: ignore[attr-defined]
            if logged:
                passing[node.name] = logged
                fields = {k.arg for c in _logger_calls(node) for k in c.keywords if k.arg}
                for caller in ast.walk(tree):
                    if _is_call_of(caller, node.name):
                        own = {k.arg for k in caller.keywords if k.arg}  # type: ignore[attr-defined]
                        for level in logged:
                            yield _name(caller), level, fields | own  # type: ignore[arg-type]
    for call in _logger_calls(tree):
        if isinstance(call.args[0], ast.Name) and call.args[0].id == "event" and passing:
            continue
        fields = {keyword.arg for keyword in call.keywords if keyword.arg is not None}
        yield _name(call), LEVELS[call.func.attr], fields  # type: ignore[attr-defined]


def _logger_calls(tree: ast.AST) -> Iterator[ast.Call]:
    for node in ast.walk(tree):
        if not isinstance(node, ast.Call) or not isinstance(node.func, ast.Attribute):
            continue
        if node.func.attr not in LEVELS or not node.args:
            continue
        owner = node.func.value
        name = owner.id if isinstance(owner, ast.Name) else getattr(owner, "attr", "")
        if name == "_log":
            yield node


def _is_call_of(node: ast.AST, name: str) -> bool:
    return isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id == name


def _name(call: ast.Call) -> str:
    first = call.args[0]
    return first.value if isinstance(first, ast.Constant) and isinstance(first.value, str) else "?"
