"""Words for the codes of the channel between a command and the server beside it."""

from collections.abc import Mapping
from typing import Final

from enrol.explanations.explanation import Explanation

CONTROL: Final[Mapping[str, Explanation]] = {
    "control_not_entitled": Explanation(
        "Your account may not have this done by the server.",
        "Run it as the server's account, as root, or as a member of the group server.operators.",
        "docs/how-to/approve-clients.md",
    ),
    "control_busy": Explanation(
        "The server is carrying out as many commands as it does at once.",
        "Try again in a moment.",
        "docs/how-to/approve-clients.md",
    ),
    "control_malformed": Explanation(
        "The server could not read what it was asked, or not in time.",
        "Use the enrol of the version the server is of.",
        "docs/how-to/approve-clients.md",
    ),
    "actor_not_believed": Explanation(
        "Your account may not act in the name of somebody else.",
        "Leave --actor out: the account you work as is written down.",
        "docs/how-to/approve-clients.md",
    ),
    "actor_malformed": Explanation(
        "The name in --actor is not one that can be written down.",
        "Use up to 64 letters, digits and . _ @ + - such as jane.doe or jane@bank.example.",
        "docs/how-to/approve-clients.md",
    ),
}
