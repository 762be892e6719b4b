"""A refresh believes what is signed, current and not older than before, and keeps the rest."""

import asyncio
from datetime import timedelta

import msgspec
import pytest

from adapters.lists import AT, DAY, Shelf, lists, rules, shelf
from enrol.adapters.trustlists.errors import ListRefusedError
from enrol.adapters.trustlists.refreshing import refresh
from enrol.adapters.trustlists.snapshots import find_snapshot, read_snapshot, write_snapshot
from enrol.adapters.trustlists.sources import DirectorySource
from enrol.errors import ConfigurationError


def run(source, previous=None, **values):
    return asyncio.run(refresh(source, rules(**values), previous))


@pytest.fixture(scope="module")
def first():
    return run(shelf(lists(5)))


def test_a_refresh_learns_the_services_of_every_territory(first):
    (france,) = first.lists
    assert (first.lotl.sequence_number, first.missing) == (5, ())
    assert france.head.territory == "FR"
    assert france.head.operator == "Enrol Sandbox Scheme Operator (not qualified)"
    assert [one.name for one in france.services][:1] == ["Enrol Sandbox Issuing CA"]


def test_the_history_of_a_service_is_learnt_although_it_names_a_key_only(first):
    withdrawn = next(one for one in first.lists[0].services if "Withdrawn" in one.name)
    assert [period.status for period in withdrawn.periods] == ["withdrawn", "granted"]


def test_every_territory_that_is_done_is_told():
    told = []
    asyncio.run(refresh(shelf(lists()), rules(), None, progress=lambda *done: told.append(done)))
    assert told == [("FR", 1, 1)]


def refusal(source, previous=None, **values) -> str:
    with pytest.raises(ListRefusedError) as refused:
        run(source, previous, **values)
    return refused.value.code


def test_a_list_of_the_lists_by_another_operator_is_refused():
    assert refusal(shelf(lists(by=4))) == "list_signature_invalid"


def test_an_older_list_of_the_lists_is_refused(first):
    assert refusal(shelf(lists(4)), first) == "list_rolled_back"


def test_the_same_number_dated_back_is_refused(first):
    assert refusal(shelf(lists(5, at=AT - DAY)), first) == "list_rolled_back"


def test_a_list_of_the_lists_that_ended_is_refused_after_its_grace():
    late = AT + timedelta(days=366)
    assert refusal(shelf(lists()), at=late) == "list_ended"
    assert run(shelf(lists()), at=late, grace=timedelta(days=7)).lotl.sequence_number == 1


def test_a_list_of_the_lists_from_the_future_is_refused():
    assert refusal(shelf(lists()), at=AT - DAY) == "list_from_future"


def test_a_national_list_in_the_place_of_the_list_of_the_lists_is_refused():
    published = lists()
    assert refusal(Shelf(published.national, published.national)) == "list_malformed"


def test_without_a_list_of_the_lists_there_is_nothing_to_go_by():
    assert refusal(Shelf(None, lists().national)) == "list_unreachable"


BAD_LISTS = {
    "missing": (lambda: None, "list_unreachable"),
    "of another operator": (lambda: lists(6, by=4).national, "list_signature_invalid"),
    "older": (lambda: lists(4).national, "list_rolled_back"),
    "from the future": (lambda: lists(7, at=AT + 2 * DAY).national, "list_from_future"),
    "the list of the lists": (lambda: lists(6).lotl, "list_malformed"),
    "no XML": (lambda: b"gone", "list_malformed"),
}


@pytest.mark.parametrize(("make", "code"), BAD_LISTS.values(), ids=BAD_LISTS)
def test_a_bad_list_keeps_the_last_good_one(first, make, code):
    made = run(Shelf(lists(6).lotl, make()), first)
    (kept,) = made.lists
    assert kept.trouble.startswith(f"{code}:")
    assert msgspec.structs.replace(kept, trouble=None) == first.lists[0]
    assert made.lotl.sequence_number == 6


@pytest.mark.parametrize(("make", "code"), [BAD_LISTS["missing"], BAD_LISTS["no XML"]])
def test_a_bad_list_without_a_good_one_before_is_missing(make, code):
    made = run(Shelf(lists().lotl, make()))
    (missing,) = made.missing
    assert made.lists == ()
    assert (missing.territory, missing.trouble.partition(":")[0]) == ("FR", code)


def test_a_good_list_ends_the_trouble(first):
    troubled = run(Shelf(lists(6).lotl, None), first)
    assert run(shelf(lists(7)), troubled).lists[0].trouble is None


def test_lists_under_other_anchors_are_other_lists(first):
    made = run(Shelf(lists(1, by=4).lotl, None), first, by=4)
    assert (made.lists, len(made.missing)) == ((), 1)


# The folder


@pytest.fixture
def folder(tmp_path):
    published = lists(2)
    (tmp_path / "whatever.xml").write_bytes(published.lotl)
    (tmp_path / "it-is-called.XML").write_bytes(published.national)
    (tmp_path / "readme.txt").write_text("lists of ours")
    (tmp_path / "broken.xml").write_text("<")
    return tmp_path


def test_lists_in_a_folder_are_known_by_their_content(folder):
    made = run(DirectorySource(folder, at=AT))
    assert (made.lotl.sequence_number, made.lists[0].head.sequence_number) == (2, 2)


def test_the_latest_list_in_a_folder_that_is_believed_counts(folder):
    (folder / "newer.xml").write_bytes(lists(3).lotl)
    (folder / "newest-forged.xml").write_bytes(lists(9, by=4).lotl)
    (folder / "newer-national.xml").write_bytes(lists(3).national[:-9])
    (folder / "of-tomorrow.xml").write_bytes(lists(8, at=AT + DAY).lotl)
    made = run(DirectorySource(folder, at=AT))
    assert (made.lotl.sequence_number, made.lists[0].head.sequence_number) == (3, 2)


def test_a_file_that_is_too_long_is_no_list(folder):
    with (folder / "endless.xml").open("wb") as file:
        file.truncate(50_000_000)
    assert run(DirectorySource(folder, at=AT)).lotl.sequence_number == 2


def test_a_folder_that_is_not_there_is_unreachable(tmp_path):
    assert refusal(DirectorySource(tmp_path / "nowhere", at=AT)) == "list_unreachable"


# The snapshot file


def test_a_snapshot_is_written_whole_or_not_at_all(first, tmp_path, monkeypatch):
    path = tmp_path / "trust.snapshot"
    write_snapshot(path, first)
    assert read_snapshot(path) == first

    def full_disk(_: int) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("os.fsync", full_disk)
    with pytest.raises(OSError, match="No space left"):
        write_snapshot(path, msgspec.structs.replace(first, lists=()))
    assert read_snapshot(path) == first
    assert list(tmp_path.iterdir()) == [path]


@pytest.mark.parametrize(
    "bend",
    [
        lambda data: data[:-1],
        lambda data: data.replace(b"granted", b"Granted", 1),
        lambda data: b"",
        lambda data: data.partition(b"\n")[2],
    ],
    ids=["cut", "changed", "empty", "without its digest"],
)
def test_a_snapshot_that_is_not_whole_is_refused(first, tmp_path, bend):
    path = tmp_path / "trust.snapshot"
    write_snapshot(path, first)
    path.write_bytes(bend(path.read_bytes()))
    with pytest.raises(ConfigurationError) as refused:
        read_snapshot(path)
    assert refused.value.code == "trust_snapshot_unreadable"
    assert find_snapshot(path) is None
