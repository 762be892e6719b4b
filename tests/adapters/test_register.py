"""The file of the EBA's register read, kept small, and swapped."""

import hashlib
import json
import subprocess
import sys
import zipfile
from contextlib import closing
from datetime import UTC, datetime, timedelta

import pytest

from enrol.adapters.register.importing import import_register
from enrol.adapters.register.kept import KeptRegister
from enrol.adapters.register.licences import SqliteLicenceRegister
from enrol.errors import ConfigurationError, UnavailableError
from register_file import DISCLAIMER, NAME, agent, document, entity, write

AT = datetime(2026, 11, 24, 12, tzinfo=UTC)
GOOD = document([agent(1), entity(), agent(2), entity("ES_BE!6950", kind="PSD_EMI"), agent(3)])


@pytest.fixture
def into(tmp_path):
    return tmp_path / "kept" / "register.db"


def load(into, content=GOOD, *, at=AT, **how):
    file = write(into.parent.parent / "file.zip", content, **how)
    return import_register(file, into, at=at)


def test_the_institutions_are_kept_and_nothing_else(into):
    report = load(into)
    assert (report.entities, report.kept, report.unreadable) == (5, 2, 0)
    assert report.digest_checked
    with closing(KeptRegister(into)) as register:
        overview = register.overview()
        assert overview.kept == {"PSD_PI": 1, "PSD_EMI": 1}
        assert overview.made_at == datetime(2026, 11, 23, 16, tzinfo=UTC)


def test_an_entry_comes_back_as_it_was_read(into):
    load(into)
    with closing(KeptRegister(into)) as register:
        (entry,) = register.numbered("12345")
        assert register.coded("FR_ACPR!12345") == register.numbered("898123456")[:1] == (entry,)
        assert entry.is_authorised(AT.date())
        assert entry.services_in("FR") == {"PS_070", "PS_080"}
        assert register.search("acme paiem") == register.search("898 123")


def test_a_running_server_takes_up_what_is_imported(into):
    register = SqliteLicenceRegister(into)
    with pytest.raises(UnavailableError, match="register_unavailable"):
        register.numbered("12345")
    load(into)
    assert register.numbered("777").entries == ()
    load(into, document([entity("FR_ACPR!777")]), name="x-202611240000.json")
    assert [entry.code for entry in register.numbered("777").entries] == ["FR_ACPR!777"]
    assert register.numbered("777").made_at == datetime(2026, 11, 24, tzinfo=UTC)


def test_a_file_that_is_damaged_changes_nothing_for_the_server(into):
    load(into)
    register = SqliteLicenceRegister(into)
    assert register.numbered("12345").entries
    into.write_bytes(b"not a register")
    assert register.numbered("12345").entries


def refusal(into, *args, **how) -> str:
    with pytest.raises(ConfigurationError) as refused:
        load(into, *args, **how)
    assert refused.value.code == "register_file_refused"
    return refused.value.detail


def test_a_refused_file_leaves_what_there_was(into):
    load(into)
    before = into.read_bytes()
    refusal(into, GOOD[:-5])
    assert into.read_bytes() == before
    assert [path.name for path in into.parent.iterdir()] == ["register.db"]


def test_an_older_file_is_refused(into):
    load(into)
    assert "older" in refusal(into, name="download-PSDMD-202611220000.json")


def test_a_file_without_a_date_is_of_now_and_one_from_the_future_too(into):
    load(into, name="register.json")
    load(into, name="download-PSDMD-209901010000.json", at=AT + timedelta(days=1))
    with closing(KeptRegister(into)) as register:
        assert register.overview().made_at == AT + timedelta(days=1)


@pytest.mark.parametrize(
    "content",
    [
        pytest.param(GOOD[:-5], id="cut off"),
        pytest.param(GOOD + b"x", id="goes on"),
        pytest.param(b"", id="empty"),
        pytest.param(b"<html>maintenance</html>", id="a page"),
        pytest.param(b"[]", id="nothing in it"),
        pytest.param(document([]), id="no entity"),
        pytest.param(document([agent(1)]), id="agents only"),
        pytest.param(json.dumps([entity()]).encode(), id="one list less"),
        pytest.param(json.dumps({"entities": [entity()]}).encode(), id="an object"),
        pytest.param(document([entity() | {"Services": "PS_070"}]), id="unreadable"),
        pytest.param(GOOD.replace(b"Acme", b"\xff\xfe\xfd\xfc"), id="not UTF-8"),
        pytest.param(b"[[" + b"[" * 400_000, id="nested too deep"),
        pytest.param(b'[["' + bytes(range(97, 123)) * 40_000, id="one endless text"),
        pytest.param(b"[[1" + b"0" * 100_000 + b"]]", id="one endless number"),
    ],
)
def test_a_document_that_is_not_the_registers_is_refused(into, content):
    refusal(into, content, packed=False)


def test_the_digest_beside_the_document_counts(into):
    assert "digest" in refusal(into, digest="0" * 64)
    assert "digest" in refusal(into, digest="none")


def test_a_file_without_a_digest_is_taken_and_said_to_be(into):
    assert not load(into, digest=None).digest_checked


def test_the_digest_beside_the_file_counts(into, tmp_path):
    beside = tmp_path / "file.zip.sha256"
    file = write(tmp_path / "file.zip", GOOD, digest=None)
    beside.write_text(f"{hashlib.sha256(file.read_bytes()).hexdigest()}  file.zip\n")
    assert import_register(file, into, at=AT).digest_checked
    beside.write_text("0" * 64)
    with pytest.raises(ConfigurationError, match="digest"):
        import_register(file, into, at=AT)


def test_a_bomb_is_not_unpacked(into):
    assert "too much" in refusal(into, b"[[" + b" " * 50_000_000)


def test_one_document_is_wanted(into, tmp_path):
    for names in ((), (NAME, "other.json"), [f"{index}.txt" for index in range(20)]):
        with zipfile.ZipFile(tmp_path / "file.zip", "w") as archive:
            for name in names:
                archive.writestr(name, GOOD)
        with pytest.raises(ConfigurationError, match=r"JSON documents|too many"):
            import_register(tmp_path / "file.zip", into, at=AT)


@pytest.mark.parametrize("flag", [6, 8], ids=["version", "encrypted"])
def test_a_zip_of_another_kind_is_refused(into, tmp_path, flag):
    file = write(tmp_path / "file.zip", GOOD)
    data = bytearray(file.read_bytes())
    central = data.index(b"PK\x01\x02")
    data[central + flag : central + flag + 2] = b"\xff\x00" if flag == 6 else b"\x01\x00"
    file.write_bytes(data)
    with pytest.raises(ConfigurationError, match="not a file of"):
        import_register(file, into, at=AT)


def test_no_zip_is_refused(into, tmp_path):
    (tmp_path / "file.zip").write_bytes(b"PK\x03\x04 and so on")
    with pytest.raises(ConfigurationError, match="not a file of"):
        import_register(tmp_path / "file.zip", into, at=AT)
    with pytest.raises(ConfigurationError, match="not a file of"):
        import_register(tmp_path / "missing.zip", into, at=AT)


def test_progress_is_told_up_to_the_end(into, tmp_path):
    told = []
    file = write(tmp_path / "file.zip", GOOD)
    import_register(file, into, at=AT, progress=lambda *done: told.append(done))
    assert told[-1] == (len(GOOD), len(GOOD))


def test_a_large_file_needs_little_memory(into, tmp_path):
    """20 MB of agents take no more memory than a few of them; a tenth of a real file."""
    agents = json.dumps(agent(123456)).encode()
    content = b"[[%b],[%b]]" % (
        json.dumps(DISCLAIMER).encode(),
        b",".join([agents] * (20_000_000 // len(agents)) + [json.dumps(entity()).encode()]),
    )
    large = write(tmp_path / "large.zip", content, packed=False)
    small = write(tmp_path / "small.zip", GOOD)
    script = (
        "import resource, sys; from pathlib import Path; from datetime import datetime, UTC\n"
        "from enrol.adapters.register.importing import import_register\n"
        "peak = lambda: resource.getrusage(resource.RUSAGE_SELF).ru_maxrss\n"
        "small, large, into = map(Path, sys.argv[1:])\n"
        "at = datetime(2026, 11, 24, tzinfo=UTC)\n"
        "import_register(small, into, at=at); before = peak()\n"
        "import_register(large, into, at=at); print(peak() - before)\n"
    )
    command = [sys.executable, "-c", script, str(small), str(large), str(into)]
    grown = int(subprocess.run(command, check=True, capture_output=True, text=True).stdout)
    assert grown < 8 * 1024, "KiB"
