"""Where the cases about forwarded certificates are run."""

from proxies.front import KINDS

HOP = "hop"
PLACES = (HOP, *KINDS)
"""Banks that believe a proxy: the test is the proxy of the first, the others have one."""


def places_of(case: dict[str, str]) -> tuple[str, ...]:
    """Return the banks of a case; the empty text is whichever it has by its name."""
    if case["group"] != "fwdcert":
        return ("",)
    if case["id"] == "AC-041":  # the way past a proxy is the same whichever it is
        return (HOP,)
    return ("", *KINDS) if case["harness"] == "http" else PLACES
