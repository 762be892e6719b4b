"""JSON Schema as the description of the API is made of it."""

from typing import Any

Schema = dict[str, Any]

COMPONENTS = "#/components/schemas/"
NULL: Schema = {"type": "null"}


def narrow(schema: Schema, member: str, **rules: Any) -> None:  # noqa: ANN401 - JSON Schema's words
    """Add rules to the value of a member, but not to its null."""
    without_null(schema["properties"][member]).update(rules)


def without_null(schema: Schema) -> Schema:
    """Return the alternative of an optional member that is a value."""
    alternatives: list[Schema] = schema.get("anyOf", [schema])
    return next(alternative for alternative in alternatives if alternative != NULL)
