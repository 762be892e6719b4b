"""The schemas of answers whose form a dialect changes."""

from enrol.oauth.jwk import JWK_MEMBERS
from enrol.registration.dialect import AnswerRules, Dialect, IssuedAt, Operation, OperationAnswer
from enrol.server.openapi_schema import NULL, Schema

_STANDARD = "RegistrationResponse"
_ANSWERED = (Operation.REGISTER, Operation.READ, Operation.UPDATE)
_TEXTS: Schema = {"type": "array", "items": {"type": "string"}}


def answer_schema(operation: Operation, dialect: Dialect) -> str:
    """Return the name of the schema of an operation's answer."""
    own = dialect.answer.of(operation)
    if own.members is None and not own.constants:
        return _STANDARD
    return f"{operation.value.capitalize()}Response"


def answer_schemas(standard: Schema, dialect: Dialect) -> dict[str, Schema]:
    """Return the schemas of a dialect's answers by name; `standard` is that of RFC 7591 §3.2.1."""
    rules = dialect.answer
    if rules.is_plain:
        return {}
    schemas = {_STANDARD: _shaped(standard, rules, OperationAnswer(status=200))}
    for operation in _ANSWERED:
        name = answer_schema(operation, dialect)
        if name not in schemas and operation in dialect.operations:
            schemas[name] = _shaped(standard, rules, rules.of(operation))
            schemas[name]["description"] = f"The answer to: {operation.value}."
    return schemas


def _shaped(standard: Schema, rules: AnswerRules, own: OperationAnswer) -> Schema:
    members = rules.members if own.members is None else own.members
    constants = {**(rules.constants if own.members is None else {}), **own.constants}
    forms: Schema = standard["properties"] | _forms(rules)
    for member in rules.withheld:
        forms.pop(member, None)
    properties = {
        name: _property(forms.get(name), rules)
        for name in (forms if members is None else members)
        if name in forms or rules.nulls
    }
    properties |= {name: {"const": value} for name, value in constants.items()}
    required = sorted({"client_id", *constants} & properties.keys())
    return {"type": "object", "properties": properties, "required": required}


def _property(form: Schema | None, rules: AnswerRules) -> Schema:
    """Return the schema of a member; one without a form is always null."""
    if form is None:
        return dict(NULL)
    return {"anyOf": [form, NULL]} if rules.nulls else dict(form)


def _forms(rules: AnswerRules) -> Schema:
    """Return the schemas of members that have another form than that of the standard."""
    forms: Schema = dict.fromkeys(rules.capitals, _TEXTS)
    if rules.issued_at is not IssuedAt.SECONDS:
        zone = "Z" if rules.issued_at is IssuedAt.UTC else ""
        pattern = rf"^[0-9]{{4}}-[0-9]{{2}}-[0-9]{{2}}T[0-9:]{{8}}\.[0-9]{{3}}{zone}$"
        forms["client_id_issued_at"] = {"type": "string", "pattern": pattern}
    if rules.jwk_members or rules.jwks_array or rules.x5c_text:
        members: Schema = {name: {} for name in rules.jwk_members or JWK_MEMBERS}
        keys: Schema = {"type": "array", "items": {"type": "object", "properties": members}}
        as_set: Schema = {"type": "object", "required": ["keys"], "properties": {"keys": keys}}
        forms["jwks"] = keys if rules.jwks_array else as_set
    return forms
