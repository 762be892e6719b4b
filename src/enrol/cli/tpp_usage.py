"""What goes wrong before a command runs, as one JSON object where ``--json`` was asked for."""

import json
import re
from typing import Final

import typer
from typer.core import TyperGroup

_SENTENCE_END: Final = re.compile(r"(?<=[.)]) (?=[A-Z-])")
_AS_JSON: Final = "enrol.as_json"
_REMEDY: Final = "Correct this and run the command again."


def fault_document(code: str, detail: str) -> dict[str, object]:
    """Return what is wrong on this side: its code, what it means, and what to do about it.

    The first sentence of `detail` says what is wrong; where there are others, they say what to do.
    """
    meaning, *remedy = _SENTENCE_END.split(detail, maxsplit=1)
    return {"error": code, "meaning": meaning, "remedy": remedy[0] if remedy else _REMEDY}


class JsonGroup(TyperGroup):
    """Commands of which each has ``--json``."""

    def parse_args(self, ctx: typer.Context, args: list[str]) -> list[str]:  # type: ignore[override]  # typer names its own class
        """Note whether JSON is asked for, and parse."""
        ctx.meta[_AS_JSON] = "--json" in args
        return super().parse_args(ctx, args)

    def invoke(self, ctx: typer.Context) -> object:  # type: ignore[override]  # as above
        """Run a command; wrong arguments are told as JSON too where that was asked for."""
        try:
            return super().invoke(ctx)
        except typer.TyperException as exc:
            if ctx.meta[_AS_JSON]:
                words = getattr(exc, "format_message", exc.__str__)()
                remedy = f"Run {ctx.command_path} --help for the commands and their options."
                document = {"error": "usage", "meaning": words, "remedy": remedy}
                typer.echo(json.dumps(document, indent=2, ensure_ascii=False))
            raise
