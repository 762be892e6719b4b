"""Whose software statements the settings believe."""

from enrol.adapters.issuer_keys import LoadedKeys, from_file, from_url
from enrol.adapters.outbound import WayOut
from enrol.errors import ConfigurationError
from enrol.registration.software_statements import Issuer, StatementDesk
from enrol.settings import Settings


def statements_of(settings: Settings) -> StatementDesk | None:
    """Return who judges software statements, None where the dialect takes none.

    Raises `ConfigurationError` for keys that are none, and for a dialect that wants statements of
    nobody.
    """
    rules, given = settings.dialect.metadata, settings.software_statements
    if not rules.takes_statements:
        return None
    if rules.software_statement == "required" and not given.issuers:
        raise ConfigurationError(
            "statement_issuers_missing",
            "the dialect requires software statements: software_statements.issuers must name one",
        )
    way_out = WayOut(settings.statement_reach)
    issuers = {}
    for each in given.issuers.values():
        load = from_file(each.jwks) if each.jwks else from_url(each.jwks_url or "", way_out)
        issuers[each.issuer] = Issuer(
            given.rules_of(each, public_url=settings.public_url),
            LoadedKeys(each.issuer, load),
            once=each.use == "once",
        )
    return StatementDesk(issuers)
