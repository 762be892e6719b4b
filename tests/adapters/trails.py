"""Reviews of a trail whose evidence is not looked at."""

from pathlib import Path

from enrol.adapters.trail import open_trail
from enrol.registration.chain import ChainedEvent
from enrol.registration.review import Fault, Finding, Review, Trail, review_trail


def believe(_event: ChainedEvent) -> tuple[Finding, tuple[Fault, ...]]:
    return Finding.UNSIGNED, ()


def review_chain(trail: Trail, *, expected_head: bytes | None = None) -> Review:
    return review_trail(trail, believe, expected_head=expected_head)


def review(path: Path, *, expected_head: bytes | None = None) -> Review:
    with open_trail(path) as trail:
        return review_chain(trail, expected_head=expected_head)
