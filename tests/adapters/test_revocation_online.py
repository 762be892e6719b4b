"""What is asked online of issuers, how often, and what is made of their silence."""

import asyncio
from datetime import timedelta
from types import SimpleNamespace

import pytest
from cryptography import x509
from cryptography.x509.oid import AuthorityInformationAccessOID

from adapters.issuer_host import issuer_host, never, page, says
from eidas.minting import AT, DAY, mint, mint_authority, mint_crl, mint_ocsp, mint_responder
from enrol.adapters import outbound
from enrol.adapters.inquiry import InquiryPolicy
from enrol.adapters.outbound import Reach
from enrol.adapters.places import lists_of, responders_of, url_of
from enrol.adapters.revocation import OnlineRevocationSource
from enrol.eidas.certificate import parse_certificate
from enrol.eidas.revocation import RevocationEvidence
from enrol.eidas.validate import CertificateRules, CertificateUse, assess, conclude
from enrol.errors import RefusalError

SITE = "http://qtsp.test"
SECOND, HOUR = timedelta(seconds=1), timedelta(hours=1)
SERIAL = 4711
FOR_HOURS = {"next_update": AT + 5 * HOUR}


class Local:
    """A source at hand that holds these lists."""

    def __init__(self, *lists: bytes) -> None:
        self.evidence = RevocationEvidence.of_lists(lists)

    def basis(self) -> object:
        return self.evidence

    async def evidence_for(self, _assessed, *, at) -> RevocationEvidence:
        return self.evidence


@pytest.fixture
async def host():
    async with issuer_host() as running:
        yield running


@pytest.fixture
def qtsp():
    return mint_authority()


@pytest.fixture
def source_of(host):
    """Make a source that reaches the issuer's host."""

    def make(*local: bytes, **policy) -> OnlineRevocationSource:
        reach = Reach(allowed_hosts={"qtsp.test": host.address})
        return OnlineRevocationSource(
            Local(*local), InquiryPolicy(reach=reach, **policy), random=bytes
        )

    return make


def access(*urls: str):
    return x509.AuthorityInformationAccess(
        [
            x509.AccessDescription(
                AuthorityInformationAccessOID.OCSP, x509.UniformResourceIdentifier(url)
            )
            for url in urls
        ]
    ), False


def points(*urls: str):
    names = [x509.UniformResourceIdentifier(url) for url in urls]
    return x509.CRLDistributionPoints([x509.DistributionPoint(names, None, None, None)]), False


def leaf_of(authority, *, ocsp=(f"{SITE}/ocsp",), crl=(f"{SITE}/ca.crl",), **changes) -> bytes:
    extra = [access(*ocsp)] if ocsp else []
    extra += [points(*crl)] if crl else []
    return mint(authority, **({"serial_number": SERIAL} | changes), extra=extra)


def assessed(authority, der: bytes, *, intermediates=()):
    return assess(
        parse_certificate(der),
        use=CertificateUse.QWAC,
        at=AT,
        trust=authority.anchors,
        intermediates=intermediates,
    )


async def outcome(source, authority, der: bytes, *, at=AT, rules=None, intermediates=()):
    """Return the code of a refusal, or until when the verdict holds."""
    certificate = assessed(authority, der, intermediates=intermediates)
    evidence = await source.evidence_for(certificate, at=at)
    rules = rules or CertificateRules(verdict_lifetime=30 * DAY)
    try:
        return conclude(certificate, at=at, revocation=evidence, rules=rules).recheck_at
    except RefusalError as exc:
        return exc.code


# Who is asked


async def test_a_responder_is_asked_by_post_with_a_nonce(host, qtsp, source_of):
    leaf = leaf_of(qtsp)
    host.pages["/ocsp"] = says(mint_ocsp(qtsp, leaf))
    assert await outcome(source_of(), qtsp, leaf) == AT + HOUR
    assert host.asked == ["POST /ocsp"]
    assert {b"Host: qtsp.test", b"Accept-Encoding: identity"} <= set(host.heads[0].split(b"\r\n"))
    request = x509.ocsp.load_der_ocsp_request(host.bodies[0])
    assert request.serial_number == SERIAL
    assert [each.value.nonce for each in request.extensions] == [bytes(32)]


async def test_a_revoked_certificate_is_refused(host, qtsp, source_of):
    leaf = leaf_of(qtsp)
    host.pages["/ocsp"] = says(mint_ocsp(qtsp, leaf, "revoked", by=mint_responder(qtsp)))
    assert await outcome(source_of(), qtsp, leaf) == "cert_revoked"
    assert host.asked == ["POST /ocsp"]


@pytest.mark.parametrize(
    "answer",
    [
        pytest.param(page(b"", b"500 Oops"), id="status 500"),
        pytest.param(page(b"", b"302 Found", b"Location: http://qtsp.test/"), id="redirect"),
        pytest.param(page(b"<html>"), id="html"),
        pytest.param(page(b""), id="empty"),
        pytest.param(page(b"\x30\x03\x0a\x01\x03"), id="tryLater"),
        pytest.param(page(b"\0" * 65_537), id="too long"),
        pytest.param(b"SSH-2.0-OpenSSH_9.9\r\n\r\n", id="not HTTP"),
        pytest.param(b"", id="nothing"),
    ],
)
async def test_a_list_is_asked_for_where_no_responder_decides(host, qtsp, source_of, answer):
    leaf = leaf_of(qtsp)
    host.pages["/ocsp"] = lambda _: answer
    host.pages["/ca.crl"] = says(mint_crl(qtsp, 1))
    assert await outcome(source_of(), qtsp, leaf) == AT + DAY
    assert host.asked == ["POST /ocsp", "GET /ca.crl"]
    host.pages["/ca.crl"] = says(mint_crl(qtsp, SERIAL))
    assert await outcome(source_of(), qtsp, leaf) == "cert_revoked"


@pytest.mark.parametrize("kind", ["unknown", "stale", "of another", "of a stranger", "gzip"])
async def test_an_answer_that_decides_nothing_leaves_it_to_the_list(host, qtsp, source_of, kind):
    leaf = leaf_of(qtsp)
    good = mint_ocsp(qtsp, leaf)
    answer = {
        "unknown": page(mint_ocsp(qtsp, leaf, "unknown")),
        "stale": page(mint_ocsp(qtsp, leaf, next_update=AT - SECOND)),
        "of another": page(mint_ocsp(qtsp, leaf_of(qtsp, serial_number=1))),
        "of a stranger": page(mint_ocsp(qtsp, leaf, by=mint_responder(mint_authority("Other")))),
        "gzip": page(good, b"200 OK", b"Content-Encoding: gzip"),
    }[kind]
    host.pages["/ocsp"] = lambda _: answer
    assert await outcome(source_of(), qtsp, leaf) == "revocation_unknown"
    host.pages["/ca.crl"] = says(mint_crl(qtsp))
    assert await outcome(source_of(), qtsp, leaf) == AT + DAY


async def test_the_next_place_is_asked_where_one_says_nothing(host, qtsp, source_of):
    leaf = leaf_of(
        qtsp,
        ocsp=("ldap://qtsp.test/ocsp", f"{SITE}/1", f"{SITE}/2"),
        crl=("ldap://qtsp.test/cn=CA", f"{SITE}/1.crl", f"{SITE}/2.crl"),
    )
    host.pages["/2.crl"] = says(mint_crl(qtsp))
    assert await outcome(source_of(), qtsp, leaf) == AT + DAY
    assert host.asked == ["POST /1", "POST /2", "GET /1.crl", "GET /2.crl"]


async def test_every_ca_below_the_anchor_is_asked_about(host, source_of):
    root = mint_authority("Test Root")
    between = [access(f"{SITE}/root-ocsp"), points(f"{SITE}/root.crl")]
    issuing = mint_authority("Test Issuing", issuer=root, extra=between)
    leaf = leaf_of(issuing)
    host.pages["/ocsp"] = says(mint_ocsp(issuing, leaf))
    chain = (issuing.der,)
    assert await outcome(source_of(), root, leaf, intermediates=chain) == "revocation_unknown"
    host.pages["/root.crl"] = says(mint_crl(root))
    assert await outcome(source_of(), root, leaf, intermediates=chain) == AT + HOUR
    host.pages["/root-ocsp"] = says(mint_ocsp(root, issuing.der, "revoked"))
    assert await outcome(source_of(), root, leaf, intermediates=chain) == "cert_revoked"


async def test_without_a_place_to_ask_the_status_is_unknown(host, qtsp, source_of):
    leaf = leaf_of(qtsp, ocsp=(), crl=("ldap://qtsp.test/cn=CA",))
    assert await outcome(source_of(), qtsp, leaf) == "revocation_unknown"
    assert host.asked == []


# What is at hand


async def test_nobody_is_asked_about_a_certificate_that_a_list_at_hand_names(host, qtsp, source_of):
    leaf = leaf_of(qtsp)
    assert await outcome(source_of(mint_crl(qtsp, SERIAL)), qtsp, leaf) == "cert_revoked"
    assert host.asked == []


async def test_a_list_at_hand_is_enough_where_no_responder_answers(host, qtsp, source_of):
    leaf = leaf_of(qtsp)
    assert await outcome(source_of(mint_crl(qtsp)), qtsp, leaf) == AT + DAY
    assert host.asked == ["POST /ocsp"]


async def test_a_responder_says_revoked_although_the_list_at_hand_does_not(host, qtsp, source_of):
    leaf = leaf_of(qtsp)
    host.pages["/ocsp"] = says(mint_ocsp(qtsp, leaf, "revoked"))
    assert await outcome(source_of(mint_crl(qtsp)), qtsp, leaf) == "cert_revoked"


def test_the_basis_is_that_of_what_is_at_hand(source_of, qtsp):
    source = source_of(mint_crl(qtsp))
    assert source.basis() is source.basis()
    assert source.basis().lists.by_issuer


# How often


async def test_an_answer_is_kept_until_it_ends_or_for_an_hour(host, qtsp, source_of):
    leaf = leaf_of(qtsp)
    for end, kept in ((AT + 2 * HOUR, HOUR), (AT + 60 * SECOND, 60 * SECOND)):
        host.asked.clear()
        host.pages["/ocsp"] = says(mint_ocsp(qtsp, leaf, next_update=end))
        source = source_of()
        for moment in (timedelta(0), kept - SECOND):
            assert await outcome(source, qtsp, leaf, at=AT + moment) == AT + kept
        assert host.asked == ["POST /ocsp"]
        await outcome(source, qtsp, leaf, at=AT + kept)
        assert host.asked[:2] == ["POST /ocsp", "POST /ocsp"]


async def test_a_list_is_kept_until_it_ends_or_for_a_day(host, qtsp, source_of):
    leaf = leaf_of(qtsp, ocsp=())
    for end, kept in ((AT + 9 * DAY, DAY), (AT + HOUR, HOUR)):
        host.asked.clear()
        host.pages["/ca.crl"] = says(mint_crl(qtsp, next_update=end))
        source = source_of()
        for moment in (timedelta(0), kept - SECOND):
            assert await outcome(source, qtsp, leaf, at=AT + moment) == AT + kept
        assert host.asked == ["GET /ca.crl"]
        await outcome(source, qtsp, leaf, at=AT + kept)
        assert host.asked == ["GET /ca.crl"] * 2


async def test_one_list_serves_all_certificates_it_covers(host, qtsp, source_of):
    source = source_of()
    host.pages["/ca.crl"] = says(mint_crl(qtsp, 3))
    leaves = [leaf_of(qtsp, ocsp=(), serial_number=number) for number in (1, 2, 3)]
    found = [await outcome(source, qtsp, leaf) for leaf in leaves]
    assert found == [AT + DAY, AT + DAY, "cert_revoked"]
    assert host.asked == ["GET /ca.crl"]


async def test_a_list_that_does_not_cover_one_certificate_serves_others(host, qtsp, source_of):
    source = source_of()
    name = x509.UniformResourceIdentifier(f"{SITE}/ca.crl")
    scope = x509.IssuingDistributionPoint([name], None, False, False, None, False, False)
    host.pages["/ca.crl"] = says(mint_crl(qtsp, extra=[(scope, True)]))
    elsewhere = leaf_of(qtsp, ocsp=(), crl=(f"{SITE}:80/ca.crl",), serial_number=1)
    assert await outcome(source, qtsp, elsewhere) == "revocation_unknown"
    assert await outcome(source, qtsp, leaf_of(qtsp, ocsp=())) == AT + DAY
    assert host.asked == ["GET /ca.crl"]


async def test_silence_is_remembered_for_ten_seconds(host, qtsp, source_of):
    source = source_of()
    leaves = [leaf_of(qtsp, serial_number=number) for number in (1, 2)]
    for moment in (0, 9):
        for leaf in leaves:
            found = await outcome(source, qtsp, leaf, at=AT + moment * SECOND)
            assert found == "revocation_unknown"
    assert host.asked == ["POST /ocsp", "GET /ca.crl"]
    host.pages["/ocsp"] = says(mint_ocsp(qtsp, leaves[0], **FOR_HOURS))
    assert await outcome(source, qtsp, leaves[0], at=AT + 10 * SECOND) == AT + HOUR + 10 * SECOND


async def test_a_clock_that_is_set_back_trusts_no_answer_from_its_future(host, qtsp, source_of):
    leaf = leaf_of(qtsp)
    source = source_of()
    host.pages["/ocsp"] = says(mint_ocsp(qtsp, leaf, this_update=AT - 2 * DAY))
    for at in (AT, AT - DAY):
        assert await outcome(source, qtsp, leaf, at=at) == at + HOUR
    assert len(host.asked) == 2


async def test_those_who_ask_at_the_same_time_share_one_answer(host, qtsp, source_of):
    leaf = leaf_of(qtsp)
    reached, release = asyncio.Event(), asyncio.Event()

    async def hold() -> bytes:
        reached.set()
        await release.wait()
        return page(mint_ocsp(qtsp, leaf))

    host.pages["/ocsp"] = lambda _: hold()
    source = source_of()
    waiting = [asyncio.ensure_future(outcome(source, qtsp, leaf)) for _ in range(20)]
    await reached.wait()
    waiting[0].cancel()  # who began may leave
    release.set()
    found = await asyncio.gather(*waiting, return_exceptions=True)
    assert isinstance(found[0], asyncio.CancelledError)
    assert found[1:] == [AT + HOUR] * 19
    assert host.asked == ["POST /ocsp"]


async def test_no_more_than_so_many_ask_at_a_time(host, qtsp, source_of):
    waiting, release = asyncio.Queue(), asyncio.Event()
    leaves = [leaf_of(qtsp, crl=(), serial_number=number) for number in range(1, 7)]
    answers = {number: mint_ocsp(qtsp, leaf) for number, leaf in enumerate(leaves, 1)}

    async def hold(body: bytes) -> bytes:
        waiting.put_nowait(None)
        await release.wait()
        return page(answers[x509.ocsp.load_der_ocsp_request(body).serial_number])

    host.pages["/ocsp"] = hold
    source = source_of(parallel=2)
    found = asyncio.gather(*(outcome(source, qtsp, leaf) for leaf in leaves))
    for _ in range(2):
        await waiting.get()
    for _ in range(100):
        await asyncio.sleep(0)
    assert waiting.empty()
    release.set()
    assert await found == [AT + HOUR] * 6


async def test_a_place_that_failed_is_tried_by_one_and_nobody_waits_for_that(host, qtsp, source_of):
    source = source_of()
    leaves = [leaf_of(qtsp, crl=(), serial_number=number) for number in (1, 2, 3)]
    assert await outcome(source, qtsp, leaves[0]) == "revocation_unknown"
    reached, release = asyncio.Event(), asyncio.Event()

    async def hold() -> bytes:
        reached.set()
        await release.wait()
        return page(mint_ocsp(qtsp, leaves[1]))

    host.pages["/ocsp"] = lambda _: hold()
    later = AT + 11 * SECOND
    one = asyncio.ensure_future(outcome(source, qtsp, leaves[1], at=later))
    await reached.wait()
    assert await outcome(source, qtsp, leaves[2], at=later) == "revocation_unknown"
    release.set()
    assert await one == AT + HOUR
    host.pages["/ocsp"] = says(mint_ocsp(qtsp, leaves[0]))
    assert await outcome(source, qtsp, leaves[0], at=later) == AT + HOUR


async def test_a_slow_host_does_not_hold_up_another(host, qtsp, source_of):
    slow = [leaf_of(qtsp, crl=(), serial_number=number) for number in range(1, 5)]
    quick = leaf_of(qtsp, ocsp=("http://other.test/ocsp",), crl=())
    waiting = asyncio.Queue()

    async def answer(body: bytes) -> bytes:
        if x509.ocsp.load_der_ocsp_request(body).serial_number == SERIAL:
            return page(mint_ocsp(qtsp, quick))
        waiting.put_nowait(None)
        return await never()

    host.pages["/ocsp"] = answer
    reach = Reach(allowed_hosts={"qtsp.test": host.address, "other.test": host.address})
    policy = InquiryPolicy(reach=reach, parallel=3, parallel_of_host=2)
    source = OnlineRevocationSource(Local(), policy)
    tasks = [asyncio.ensure_future(outcome(source, qtsp, leaf)) for leaf in slow]
    for _ in range(2):
        await waiting.get()
    assert await asyncio.wait_for(outcome(source, qtsp, quick), 1) == AT + HOUR
    for task in tasks:
        task.cancel()
    await asyncio.gather(*tasks, return_exceptions=True)


# Slow and endless


async def test_a_responder_that_hangs_leaves_time_for_the_list(host, qtsp, source_of):
    leaf = leaf_of(qtsp)
    host.pages["/ocsp"] = lambda _: never()
    host.pages["/ca.crl"] = says(mint_crl(qtsp))
    assert await outcome(source_of(deadline=0.4), qtsp, leaf) == AT + DAY


async def test_silence_of_all_ends_at_the_deadline(host, qtsp, source_of):
    leaf = leaf_of(qtsp)
    host.pages["/ocsp"] = host.pages["/ca.crl"] = lambda _: never()
    source = source_of(deadline=0.2)
    assert await outcome(source, qtsp, leaf) == "revocation_unknown"
    evidence = await source.evidence_for(assessed(qtsp, leaf), at=AT)
    assert evidence.ask_again_at == AT + 10 * SECOND


async def test_nobody_waits_longer_than_the_deadline_for_what_goes_on(qtsp, source_of, monkeypatch):
    async def forever(*_arguments, **_options):
        await asyncio.Event().wait()

    monkeypatch.setattr("enrol.adapters.inquiry.Inquirer.ask", forever)
    asking = outcome(source_of(deadline=0.05), qtsp, leaf_of(qtsp))
    assert await asyncio.wait_for(asking, 2) == "revocation_unknown"


async def test_a_list_that_came_too_late_serves_the_next(host, qtsp, source_of):
    leaf = leaf_of(qtsp, ocsp=())
    reached, release = asyncio.Event(), asyncio.Event()

    async def late() -> bytes:
        reached.set()
        await release.wait()
        return page(mint_crl(qtsp))

    host.pages["/ca.crl"] = lambda _: late()
    source = source_of()
    begun = asyncio.ensure_future(outcome(source, qtsp, leaf))
    await reached.wait()
    begun.cancel()
    release.set()
    assert await outcome(source, qtsp, leaf) == AT + DAY
    assert host.asked == ["GET /ca.crl"]


async def test_a_list_beyond_the_limit_is_cut_off(host, qtsp, source_of):
    leaf = leaf_of(qtsp, ocsp=())
    crl = mint_crl(qtsp, *range(1, 2000))
    host.pages["/ca.crl"] = says(crl)
    assert await outcome(source_of(largest_list=len(crl) - 1), qtsp, leaf) == "revocation_unknown"
    assert await outcome(source_of(largest_list=len(crl)), qtsp, leaf) == AT + DAY


# Where


def places(authority, **urls) -> list[str]:
    certificate = parse_certificate(leaf_of(authority, **urls))
    return [url_of(each) for each in (*responders_of(certificate), *lists_of(certificate))]


@pytest.mark.parametrize(
    ("url", "expected"),
    [
        ("http://QTSP.test", "http://qtsp.test/"),
        ("HTTP://qtsp.test/OCSP", "http://qtsp.test/OCSP"),
        ("http://qtsp.test:80/a", "http://qtsp.test/a"),
        ("http://qtsp.test:8080/a", "http://qtsp.test:8080/a"),
        ("https://qtsp.test/a/../b?c=d/e", "https://qtsp.test/a/../b?c=d/e"),
        ("http://qtsp.test?c=d", "http://qtsp.test/?c=d"),
        ("http://qtsp.test:0/a", None),
        ("http://qtsp.test:65536/a", None),
        ("http://user@qtsp.test/a", None),
        ("http://qtsp.test\\@127.0.0.1/a", None),
        ("http://[::1]/a", None),
        ("http://qtsp.test/a b", None),
        ("http://qtsp.test/a\r\nX: y", None),
        ("http://qtsp.test/a#b", None),
        ("file:///etc/passwd", None),
        ("ldap://qtsp.test/cn=CA", None),
        ("gopher://qtsp.test/1", None),
        ("", None),
        (f"http://qtsp.test/{'a' * 2048}", None),
    ],
)
def test_only_plain_urls_of_the_web_are_places(qtsp, url, expected):
    found = places(qtsp, ocsp=(url,), crl=())
    assert found == ([] if expected is None else [expected])


async def unreachable(qtsp, url: str, *, resolve=None) -> str:
    """Say what comes of a certificate that sends the bank somewhere."""
    source = OnlineRevocationSource(Local(), resolve=resolve)
    return await outcome(source, qtsp, leaf_of(qtsp, ocsp=(url,), crl=(url,)))


@pytest.fixture
def no_connection(monkeypatch):
    """Every connection fails the test."""

    def fail(*_arguments, **_options):
        pytest.fail("a connection was made")

    monkeypatch.setattr(outbound.httpx, "AsyncHTTPTransport", fail)


@pytest.mark.parametrize(
    "url",
    [
        "http://127.0.0.1/ocsp",
        "http://2130706433/ocsp",
        "http://0x7f.1/ocsp",
        "http://0177.0.0.1/ocsp",
        "http://169.254.169.254/latest/meta-data",
        "http://localhost/ocsp",
        "http://intranet/ocsp",
    ],
)
async def test_an_address_or_a_short_name_is_not_looked_up(qtsp, no_connection, url):
    async def resolve(_host):
        pytest.fail("it was looked up")

    assert await unreachable(qtsp, url, resolve=resolve) == "revocation_unknown"


@pytest.mark.parametrize(
    "addresses",
    [
        *(["127.0.0.1"], ["10.0.0.1"], ["169.254.169.254"], ["::1"], ["fd00::1"]),
        *(["::ffff:10.0.0.1"], ["::ffff:93.184.216.34"], ["64:ff9b::7f00:1"]),
        ["93.184.216.34", "10.0.0.1"],
    ],
    ids=", ".join,
)
async def test_a_name_with_an_address_that_is_not_public_is_not_reached(
    qtsp, no_connection, addresses
):
    async def resolve(_host):
        return addresses

    assert await unreachable(qtsp, SITE, resolve=resolve) == "revocation_unknown"


async def test_the_connection_goes_to_the_address_that_was_checked(qtsp, monkeypatch):
    reached = []

    class Transport:
        def __init__(self, **_options) -> None:
            pass

        async def __aenter__(self):
            return self

        async def __aexit__(self, *_exception):
            return None

        async def handle_async_request(self, request):
            reached.append((request.url.host, request.url.port, request.headers["Host"]))
            stream = SimpleNamespace(get_extra_info=lambda _name: ("127.0.0.1", 80))
            body = outbound.httpx.ByteStream(mint_crl(qtsp))
            return outbound.httpx.Response(200, stream=body, extensions={"network_stream": stream})

    monkeypatch.setattr(outbound.httpx, "AsyncHTTPTransport", Transport)
    answers = iter([["93.184.216.34"], ["127.0.0.1"]])

    async def resolve(_host):
        return next(answers)

    source = OnlineRevocationSource(Local(), resolve=resolve)
    leaf = leaf_of(qtsp, ocsp=(), crl=(f"{SITE}/ca.crl",))
    assert await outcome(source, qtsp, leaf) == "revocation_unknown"  # the peer is another
    assert reached == [("93.184.216.34", None, "qtsp.test")]


# Where the bank lets it pass


async def test_an_unknown_status_that_passes_is_marked_and_judged_again_soon(host, qtsp, source_of):
    source = source_of()
    certificate = assessed(qtsp, leaf_of(qtsp))
    evidence = await source.evidence_for(certificate, at=AT)
    lenient = CertificateRules(revocation_required=False)
    verdict = conclude(certificate, at=AT, revocation=evidence, rules=lenient)
    assert verdict.deviations == ("revocation_unchecked",)
    assert verdict.revocation_answers == ()
    assert verdict.recheck_at == AT + 10 * SECOND
    host.pages["/ocsp"] = says(mint_ocsp(qtsp, leaf_of(qtsp), "revoked", **FOR_HOURS))
    later = await source.evidence_for(certificate, at=AT + 10 * SECOND)
    with pytest.raises(RefusalError, match="cert_revoked"):
        conclude(certificate, at=AT + 10 * SECOND, revocation=later, rules=lenient)
