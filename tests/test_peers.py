"""Each rule that conflicts among peers, and each fault seen in them, has a test named after it."""

import re
from pathlib import Path

import pytest

from vectors import shared

TESTS = Path(__file__).parent
DEFINED = re.compile(r"^(?:async )?def (test_\w+)", re.MULTILINE)

CONFLICTS = {
    "success status": ("test_success_status",),
    "rotate RAT on PUT": ("test_rotate_rat_on_put",),
    "signature algorithm token": ("test_signature_algorithm_token",),
    "cavage-11 suite wants": ("test_signature_algorithm_token",),
    "`jwks` by value": ("test_jwks_by_value", "test_jwks_by_value_is_switched_off"),
    "`jwks_uri`": ("test_jwks_uri",),
    "scope separator": ("test_scope_separator_of_the_standards", "test_scope_separator_as_seen"),
    "duplicate registration": (
        "test_the_standing_client_is_returned_as_it_stands",
        "test_the_same_software_is_refused_with_its_code",
        "test_without_the_setting_every_registration_is_a_client",
    ),
    "unsupported field": ("test_unsupported_field", "test_unsupported_field_is_null_as_seen"),
    "required fields": ("test_required_fields", "test_required_fields_as_seen"),
}
"""Rows of peers.md §2.6, by their first cell."""

FAULTS = {
    "Only the **first** redirect URI is checked": (
        "test_every_redirect_uri_is_one_of_the_statement_wherever_it_stands",
        "test_every_redirect_uri_is_judged_not_only_the_first",
    ),
    "Server fetches any `jwks_uri`": (
        "test_server_fetches_any_uri",
        "test_no_dialect_takes_a_uri_that_would_have_to_be_fetched",
    ),
    "Fetch guarded for address but not for **size**": (
        "test_largest_body_is_64_kilobytes",
        "test_endless_body_is_cut_off",
    ),
    "Software statement accepted without exp, iss, aud": (
        "test_a_statement_is_not_taken_without_a_claim",
        "test_a_statement_without_one_of_its_claims_is_refused",
    ),
    "Secret issued to clients": ("test_secret_issued_to_clients_whose_method_uses_none",),
    "`client_secret` without `client_secret_expires_at`": (
        "test_client_secret_without_client_secret_expires_at",
    ),
    "Redirect errors reported": (
        "test_a_bad_redirect_uri_has_an_error_of_its_own",
        "test_a_fault_of_a_redirect_uri_is_told_as_one",
    ),
    "RAT survives client deletion; revoked IAT still registers; PATCH wipes RAT": (
        "test_rat_survives_client_deletion",
        "test_revoked_iat_still_registers",
        "test_patch_wipes_rat",
    ),
    "Rotated RAT lost with the response": (
        "test_rotated_rat_lost_with_the_response_client_locked_out",
    ),
    "Expired secret with no way back": ("test_expired_secret_with_no_way_back",),
    "Per-IP rate limit punishes shared egress": ("test_per_ip_rate_limit_punishes_shared_egress",),
    "Client silently loses defaults": (
        "test_a_client_that_sends_its_scope_keeps_the_other_defaults",
    ),
    "DN compared as text": ("test_dn_compared_as_text_in_the_wrong_string_form",),
    "NullPointer, 500 instead of 400": ("test_500_instead_of_400_on_odd_metadata",),
    "Whole configuration rewritten": ("test_whole_configuration_rewritten_at_each_registration",),
    "Certificate from a header": ("test_certificate_from_a_header_trusted_without_further_proof",),
    "Relative `registration_client_uri`": (
        "test_relative_registration_client_uri",
        "test_a_registration_client_uri_is_absolute_unless_a_bank_is_known_for_another",
    ),
}
"""Rows of peers.md §2.7, by the beginning of their first cell."""


def rows(section: str) -> list[str]:
    """Return the first cells of the table under a heading of the sheet."""
    sheet = shared("spec", "peers.md").read_text("utf-8")
    table = re.split(r"^##", sheet.partition(f"### {section} ")[2], maxsplit=1, flags=re.MULTILINE)
    lines = [line for line in table[0].splitlines() if line.startswith("|")]
    return [line.strip("|").split(" | ")[0].strip() for line in lines[2:]]


@pytest.mark.parametrize(("section", "known"), [("2.6", CONFLICTS), ("2.7", FAULTS)])
def test_every_row_of_the_sheet_is_known(section: str, known: dict[str, tuple[str, ...]]) -> None:
    unknown = [row for row in rows(section) if not row.startswith(tuple(known))]
    assert unknown == []
    assert len(rows(section)) == len(known)


def test_every_test_named_is_there() -> None:
    sources = [path for path in TESTS.rglob("test_*.py") if "node_modules" not in path.parts]
    tests = {name for path in sources for name in DEFINED.findall(path.read_text("utf-8"))}
    named = {test for rows in (CONFLICTS, FAULTS) for each in rows.values() for test in each}
    assert named <= tests
