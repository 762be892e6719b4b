"""Writes the parts of docs/reference that are made from code."""

import sys
from collections.abc import Iterator
from datetime import UTC, datetime
from enum import Enum
from pathlib import Path
from typing import Any, get_args, get_origin

import msgspec
import typer

from enrol.cli.main import app
from enrol.explanations import EXPLANATIONS
from enrol.oauth.metadata import ClientMetadata
from enrol.registration.audit import EventType
from enrol.registration.client_events import CLIENT_EVENTS, ClientEvent, ClientEventData
from enrol.registration.states import State
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


def events() -> str:
    """Return the page of all events that a receiver is told of."""
    schema = msgspec.json.schema(ClientEvent)
    members = schema["$defs"]["ClientEventData"]["properties"]
    required = schema["$defs"]["ClientEventData"]["required"]
    prose = " ".join((ClientEventData.__doc__ or "").replace("``", "`").split())
    presence = {name: "always" if name in required else "where it has one" for name in members}
    rows = [
        f"| `{name}` | {_json_type(member)} | {presence[name]} |"
        for name, member in members.items()
    ]
    return _page(
        "Events",
        "What the receiver in `[webhooks]` is told, in the envelope of Standard Webhooks:"
        " `type`, `timestamp` (when it happened), `data`.",
        "[How to follow them](../how-to/follow-events.md).",
        "",
        "## Types",
        "",
        "Each is written in the audit trail under the same name; more may come, so ignore what"
        " you do not know, or carry out what `data` says.",
        "",
        *(f"- `{each.value}`" for each in CLIENT_EVENTS),
        "",
        "## Fields",
        "",
        "| field | what it is |",
        "|---|---|",
        "| `webhook-id` | the id of the event, the same at each attempt |",
        "| `webhook-timestamp` | the time of the attempt, in seconds since 1970 |",
        "| `webhook-signature` | `v1,` and base64 of HMAC-SHA256 over"
        " `webhook-id.webhook-timestamp.body`; one for each secret, separated by a blank |",
        "",
        "## `data`",
        "",
        prose,
        "",
        "| member | type | present |",
        "|---|---|---|",
        *rows,
        "",
        "`metadata` has the members of a registration as they were granted, as in `/openapi.json`.",
        "",
        "```json",
        msgspec.json.format(_EVENT, indent=2).decode(),
        "```",
    )


_EVENT = msgspec.json.encode(
    ClientEvent(
        EventType.CLIENT_SUSPENDED.value,
        datetime(2026, 11, 24, 12, 30, 15, tzinfo=UTC),
        ClientEventData(
            client_id="01a20dda5041f8dde25837e9126012d3",
            organization_identifier="PSDFR-ACPR-12345",
            sequence=4711,
            version=2,
            state=State.SUSPENDED,
            code="cert_revoked",
            client_id_issued_at=1795520000,
            metadata=ClientMetadata(
                redirect_uris=("https://tpp.example/callback",),
                token_endpoint_auth_method="tls_client_auth",  # noqa: S106 - a method
                grant_types=("authorization_code", "refresh_token"),
                client_name="Acme Co.",
                scope="aisp pisp",
                provider_legal_id="PSDFR-ACPR-12345",
            ),
        ),
    )
)


def _json_type(schema: dict[str, Any]) -> str:
    """Return the type of a value that is there."""
    options = [each for each in schema.get("anyOf", [schema]) if each.get("type") != "null"]
    option = options[0]
    if "$ref" in option:
        name = option["$ref"].rpartition("/")[2]
        return " or ".join(f"`{each.value}`" for each in State) if name == "State" else "object"
    if option.get("format") == "date-time":
        return "text, RFC 3339"
    return {"string": "text", "integer": "integer", "object": "object"}[option["type"]]


PAGES = {"events.md": events, "errors.md": errors, "settings.md": settings, "commands.md": commands}


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
