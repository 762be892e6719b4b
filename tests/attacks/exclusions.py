"""The cases that cannot be run against this server as it is, and why; everything else runs."""

NOT_APPLICABLE = {
    "AC-026": "there is no operator console yet, so no second host behind SNI",
    "AC-028": "there is no mirror of the national registers yet that could withdraw a TPP",
    "AC-086": "the server issues its own tokens and asks no authorization server about them;"
    " what it does without its storage is tested in tests/live",
    "AC-125": "the server asks the resolver of the system, which a test cannot change;"
    " tests/adapters/test_fetch.py gives the fetcher such answers",
    "AC-126": "the server asks the resolver of the system, which a test cannot change;"
    " tests/adapters/test_fetch.py gives the fetcher such answers",
    "AC-170": "there is no list of redirection hosts that could be looked like",
    "AC-171": "the register does not know whose a redirection host is, nor the bank's own hosts",
    "AC-275": "timing tells nothing on a shared machine; tokens are found by their SHA-256,"
    " and those that are computed are compared in constant time",
    "AC-226": "no token is for one use; tests/live/test_software_statements.py sends one statement"
    " many times at once, which is refused with 400",
}
"""Case id to reason."""
