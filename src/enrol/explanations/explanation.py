"""What an explanation of a rule is."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Explanation:
    """The words that go with one code.

    `meaning` is one sentence of at most 100 characters, said to the TPP as it is; `remedy` says
    what to change; `clause` names the source of the rule.
    """

    meaning: str
    remedy: str
    clause: str
