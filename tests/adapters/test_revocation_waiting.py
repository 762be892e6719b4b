"""How often issuers are asked, how long they are waited for, and what their silence means."""

import asyncio
from datetime import timedelta

from cryptography import x509

from adapters.inquiries import (
    FOR_HOURS,
    HOUR,
    SECOND,
    SERIAL,
    SITE,
    Local,
    assessed,
    leaf_of,
    outcome,
)
from adapters.issuer_host import never, page, says
from eidas.minting import AT, DAY, mint_crl, mint_ocsp
from enrol.adapters.inquiry import InquiryPolicy
from enrol.adapters.outbound import Reach
from enrol.adapters.revocation import OnlineRevocationSource

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
