"""Writes the parts of docs/reference that are made from code."""

import sys
from collections.abc import Iterator
from enum import Enum
from pathlib import Path
from typing import get_args, get_origin

import msgspec
import typer

from enrol.cli.main import app
from enrol.explanations import EXPLANATIONS
from enrol.settings import Settings

REFERENCE = Path(__file__).parent.parent / "docs" / "reference"
_MADE = "<!-- Made by `make docs`; change the code, not this file. -->"


def errors() -> str:
    """Return the page of all codes."""
    rows = [
        f"| `{code}` | {_cell(words.meaning)} | {_cell(words.remedy)} | {_cell(words.clause)} |"
        for code, words in sorted(EXPLANATIONS.items())
    ]
    return _page(
        "Error codes",
        "The last part of `error_uri` in an answer is one of these codes.",
        "A code never changes its meaning.",
        "| code | what it means | what to change | where it is written |",
        "|---|---|---|---|",
        *rows,
    )


def settings() -> str:
    """Return the page of all settings."""
    parts = []
    for section in msgspec.structs.fields(Settings):
        prose = " ".join((section.type.__doc__ or "").replace("``", "`").split())
        said = prose.partition(": ")[2]
        parts += [f"## `[{section.name}]`", "", said[:1].upper() + said[1:], ""]
        parts += ["| setting | type | default | variable |", "|---|---|---|---|"]
        parts += [
            f"| `{field.name}` | {_type_name(field.type)} | {_default(field)} "
            f"| `{f'ENROL_{section.name}_{field.name}'.upper()}` |"
            for field in msgspec.structs.fields(section.type)
        ]
        parts.append("")
    return _page(
        "Settings",
        "One TOML file, given with `--config`. Relative paths are those of the file's folder. "
        "An unknown name is an error.",
        "",
        *parts[:-1],
    )


def commands() -> str:
    """Return the page of all commands."""
    root = typer.main.get_command(app)
    return _page("Commands", *_describe(root, "enrol"))


PAGES = {"errors.md": errors, "settings.md": settings, "commands.md": commands}


def _page(title: str, *lines: str) -> str:
    return "\n".join([f"# {title}", "", _MADE, "", *lines, ""])


def _describe(command: object, path: str) -> Iterator[str]:
    children = getattr(command, "commands", None)
    if children is not None:
        for name, child in sorted(children.items()):
            yield from _describe(child, f"{path} {name}")
        return
    yield from (
        f"## `{path}`",
        "",
        " ".join((getattr(command, "help", None) or "").partition("\f")[0].split()),
        "",
    )
    yield from ("| parameter | what it is |", "|---|---|")
    for parameter in getattr(command, "params", ()):
        names = ", ".join(f"`{name}`" for name in parameter.opts if name.startswith("-"))
        metavar = (getattr(parameter, "metavar", None) or parameter.name or "").upper()
        text = " ".join((getattr(parameter, "help", None) or "").split())
        required = " Required." if parameter.required else ""
        yield f"| {names or f'`{metavar}`'} | {_cell(text)}{required} |"
    yield ""


def _type_name(kind: object) -> str:
    if get_origin(kind) is tuple:
        return f"list of {_type_name(get_args(kind)[0])}"
    if isinstance(kind, type) and issubclass(kind, Enum):
        return " or ".join(f"`{member.value}`" for member in kind)
    names = {"str": "text", "Path": "path", "bool": "true or false", "int": "integer"}
    names |= {"float": "number", "dict": "table"}
    if get_origin(kind) is dict:
        return names["dict"]
    options = [option for option in get_args(kind) if option is not type(None)]
    if options and all(isinstance(option, str) for option in options):
        return " or ".join(f"`{option}`" for option in options)
    if options:
        return _type_name(options[0])
    name = getattr(kind, "__name__", str(kind))
    return names.get(name, name)


def _default(field: msgspec.structs.FieldInfo) -> str:
    if field.default_factory is not msgspec.NODEFAULT:
        return f"`{field.default_factory()}`"
    if field.default is msgspec.NODEFAULT:
        return "required"
    value = field.default
    if value is None:
        return "none"
    if isinstance(value, tuple):
        return ", ".join(f"`{item}`" for item in value) or "empty"
    return f"`{str(value).lower() if isinstance(value, bool) else value}`"


def _cell(text: str) -> str:
    return text.replace("|", "\\|")


def main() -> None:
    """Write every page."""
    for name, page in PAGES.items():
        (REFERENCE / name).write_text(page(), "utf-8")
        sys.stdout.write(f"wrote docs/reference/{name}\n")


if __name__ == "__main__":
    main()
