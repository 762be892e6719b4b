"""A TPP's own clients and those of its agents, as a tree."""

from collections.abc import Sequence
from dataclasses import dataclass

from rich.text import Text
from rich.tree import Tree

from enrol.client.printable import printable


@dataclass(frozen=True, slots=True)
class Member:
    """A client on one line; `agent` is the ``client_legal_id`` of whose it is, None for own."""

    line: str
    agent: str | None = None


def family_tree(root: str, members: Sequence[Member]) -> Tree | None:
    """Return the own clients and, under each agent, its clients; None where there is no agent."""
    agents = dict.fromkeys(member.agent for member in members if member.agent is not None)
    if not agents:
        return None
    tree = Tree(_label(root))
    for member in members:
        if member.agent is None:
            tree.add(_label(member.line))
    for agent in agents:
        branch = tree.add(_label(f"agent {agent}"))
        for member in members:
            if member.agent == agent:
                branch.add(_label(member.line))
    return tree


def _label(text: str) -> Text:
    return Text(printable(text).replace("\n", " "))
