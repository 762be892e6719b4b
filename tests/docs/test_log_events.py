"""The reference of the log has every event that the code writes, as it writes it."""

import re
from pathlib import Path

from docs.log_events import find_events

PAGE = Path(__file__).parents[2] / "docs" / "reference" / "log-events.md"
ROW = re.compile(r"^\| `(\w+)` \| ([\w, ]+) \| ([^|]*)\| (\S[^|]*) \|$", re.MULTILINE)
WITH_REPORT = {"clients_rechecked"}
"""Events whose fields are those of a report."""


def test_an_event_is_a_constant_name_in_snake_case() -> None:
    events = find_events()
    assert len(events) > 20
    assert [name for name in events if not re.fullmatch(r"[a-z]+(_[a-z]+)*", name)] == []


def test_the_page_has_the_events_of_the_code() -> None:
    rows = ROW.findall(PAGE.read_text("utf-8"))
    said = {
        name: (set(levels.split(", ")), set(re.findall(r"`(\w+)`", fields)))
        for name, levels, fields, _ in rows
    }
    written = {name: (event.levels, event.fields) for name, event in find_events().items()}
    assert said.keys() == written.keys()
    for name in written.keys() - WITH_REPORT:
        assert said[name] == written[name], name
    assert [name for name, *_ in rows] == sorted(said)
