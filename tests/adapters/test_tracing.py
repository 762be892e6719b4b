"""Spans around what a part does."""

import pytest

pytest.importorskip("opentelemetry.sdk")

from opentelemetry.sdk.trace.export import SimpleSpanProcessor
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter

from enrol.adapters.tracing import provider_of, traced
from enrol.errors import UnavailableError


class Part:
    """Something with methods."""

    name = "part"

    async def work(self, number: int) -> int:
        if number < 0:
            raise UnavailableError("storage_unavailable") from ValueError("a secret")
        return number + 1

    async def rest(self) -> str:
        return "rested"


@pytest.fixture
def spans() -> InMemorySpanExporter:
    return InMemorySpanExporter()


def wrapped(spans: InMemorySpanExporter, share: float = 1.0) -> Part:
    provider = provider_of(share)
    provider.add_span_processor(SimpleSpanProcessor(spans))
    return traced(Part(), {"work": "decide"}, provider.get_tracer("test"))


async def test_a_part_does_as_before_and_what_is_named_is_a_span(spans: InMemorySpanExporter):
    part = wrapped(spans)
    assert (await part.work(1), await part.rest(), part.name) == (2, "rested", "part")
    assert [span.name for span in spans.get_finished_spans()] == ["decide"]


async def test_a_refusal_passes_and_leaves_its_code_only(spans: InMemorySpanExporter):
    with pytest.raises(UnavailableError):
        await wrapped(spans).work(-1)
    (span,) = spans.get_finished_spans()
    assert dict(span.attributes or {}) == {"enrol.code": "storage_unavailable"}
    assert (span.events, span.status.description) == ((), None)


async def test_without_a_share_there_are_no_spans(spans: InMemorySpanExporter):
    assert await wrapped(spans, share=0.0).work(1) == 2
    assert spans.get_finished_spans() == ()
