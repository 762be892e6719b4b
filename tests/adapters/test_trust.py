"""Trust files are read again when they change, and a bad one changes nothing."""

import pytest
from cryptography.hazmat.primitives.serialization import Encoding
from structlog.testing import capture_logs

from eidas.minting import Authority, mint_authority, mint_crl
from enrol.adapters.trust import CHECK_EVERY, PATIENCE, FileTrustSource
from enrol.errors import ConfigurationError, UnavailableError

ONE, OTHER = mint_authority("One"), mint_authority("Other")


class Hand:
    """A clock that a test moves by hand."""

    def __init__(self) -> None:
        self.now = 1000.0

    def __call__(self) -> float:
        return self.now

    def tick(self, seconds: float = CHECK_EVERY) -> None:
        self.now += seconds


def pem(*authorities: Authority) -> bytes:
    return b"".join(one.certificate.public_bytes(Encoding.PEM) for one in authorities)


@pytest.fixture
def clock():
    return Hand()


@pytest.fixture
def anchors(tmp_path):
    path = tmp_path / "ca.pem"
    path.write_bytes(pem(ONE))
    return path


@pytest.fixture
def crl(tmp_path):
    path = tmp_path / "ca.crl"
    path.write_bytes(mint_crl(ONE))
    return path


@pytest.fixture
def source(anchors, crl, clock):
    return FileTrustSource((anchors,), (crl,), monotonic=clock)


def replace(path, content: bytes) -> None:
    """Put another file in the place of `path`, as an operator's script would."""
    new = path.with_suffix(".new")
    new.write_bytes(content)
    new.rename(path)


def believed(source) -> set[str]:
    certificates = source.anchors().certificates
    return {certificate.subject.rfc4514_string() for certificate in certificates}


NAMES = {authority: authority.certificate.subject.rfc4514_string() for authority in (ONE, OTHER)}


def test_files_are_read_at_the_start(source):
    assert believed(source) == {NAMES[ONE]}
    assert len(source.basis().by_issuer) == 1


def test_several_files_are_read_together(anchors, tmp_path):
    more = tmp_path / "more.pem"
    more.write_bytes(pem(OTHER))
    assert believed(FileTrustSource((anchors, more))) == set(NAMES.values())


def test_no_revocation_list_is_an_answer(anchors):
    assert FileTrustSource((anchors,)).basis().by_issuer == {}


def test_changed_file_is_read_again_within_a_second(source, anchors, clock):
    replace(anchors, pem(ONE, OTHER))
    assert believed(source) == {NAMES[ONE]}
    clock.tick()
    assert believed(source) == set(NAMES.values())


def test_file_that_did_not_change_is_not_read_again(source, clock):
    before = source.anchors()
    clock.tick()
    assert source.anchors() is before


def test_changed_revocation_list_is_read_again(source, crl, clock):
    before = source.basis()
    replace(crl, mint_crl(ONE, 4711))
    clock.tick()
    assert source.basis() is not before


@pytest.mark.parametrize(
    "content", [b"", b"no PEM", pem(OTHER)[:-80]], ids=["empty", "no PEM", "cut short"]
)
def test_bad_file_leaves_what_was_read_and_is_reported_once(source, anchors, clock, content):
    replace(anchors, content)
    with capture_logs() as logs:
        for _ in range(3):
            clock.tick()
            assert believed(source) == {NAMES[ONE]}
    assert [log["event"] for log in logs] == ["trust_files_unreadable"]
    assert str(anchors) in logs[0]["cause"]


def test_bad_revocation_list_leaves_what_was_read(source, crl, clock):
    before = source.basis()
    replace(crl, b"no CRL")
    clock.tick()
    assert source.basis() is before


def test_missing_file_leaves_what_was_read_until_it_is_back(source, anchors, clock):
    anchors.unlink()
    clock.tick()
    assert believed(source) == {NAMES[ONE]}
    anchors.write_bytes(pem(OTHER))
    clock.tick()
    assert believed(source) == {NAMES[OTHER]}


def test_anchors_nobody_could_read_for_two_days_are_no_longer_believed(source, anchors, clock):
    anchors.unlink()
    clock.tick(PATIENCE)
    assert believed(source) == {NAMES[ONE]}
    clock.tick()
    with pytest.raises(UnavailableError, match="trust_list_unavailable"):
        source.anchors()
    anchors.write_bytes(pem(ONE))
    clock.tick()
    assert believed(source) == {NAMES[ONE]}


def test_good_anchors_are_believed_however_old(source, clock):
    clock.tick(10 * PATIENCE)
    assert believed(source) == {NAMES[ONE]}


@pytest.mark.parametrize("content", [None, b"", b"no PEM"], ids=["missing", "empty", "text"])
def test_start_with_bad_anchors_is_refused(anchors, content):
    anchors.unlink() if content is None else anchors.write_bytes(content)
    with pytest.raises(ConfigurationError, match=r"ca\.pem"):
        FileTrustSource((anchors,))


@pytest.mark.parametrize("content", [None, b"", b"no CRL"], ids=["missing", "empty", "text"])
def test_start_with_a_bad_revocation_list_is_refused(anchors, crl, content):
    crl.unlink() if content is None else crl.write_bytes(content)
    with pytest.raises(ConfigurationError, match=r"ca\.crl"):
        FileTrustSource((anchors,), (crl,))


def test_start_without_anchors_is_refused():
    with pytest.raises(ConfigurationError):
        FileTrustSource(())
