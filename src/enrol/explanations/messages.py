"""Explanations of what operators cannot do to messages that wait."""

from enrol.explanations.explanation import Explanation

MESSAGES: dict[str, Explanation] = {
    "message_unknown": Explanation(
        "No message of that number waits.",
        "Look with enrol webhooks list; what was told has gone from there.",
        "docs/how-to/follow-events.md",
    ),
    "message_waits": Explanation(
        "That message waits behind another one of its client.",
        "Retry or drop the one that stands first; enrol webhooks list --client-id shows it.",
        "docs/how-to/follow-events.md",
    ),
}
