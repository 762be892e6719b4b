"""Whom the bank tells of tokens and clients: gateways that ask, a receiver of events."""

from datetime import timedelta
from random import SystemRandom

from enrol.adapters.delivery import Delivery, RetryPolicy
from enrol.adapters.outbox_store import OutboxStore
from enrol.adapters.webhooks import Endpoint, WebhookSender, parse_signing_secret
from enrol.registration.audit import EventType
from enrol.registration.issued_tokens import Gateways
from enrol.registration.ports import Clock
from enrol.server.hop import fingerprints
from enrol.settings import Settings, read_secret


def gateways_of(settings: Settings) -> Gateways:
    """Return who may ask about tokens; raises `ConfigurationError` for a file that is wrong."""
    given = settings.introspection
    return Gateways(
        secrets=tuple([read_secret(path) for path in given.secrets]),
        certificates=fingerprints(given.certificates),
    )


def told_events(settings: Settings) -> frozenset[EventType]:
    """Return the types of events that go into the outbox: none where nobody is told."""
    given = settings.webhooks
    return frozenset(given.events) if given.url is not None else frozenset()


def sender_of(settings: Settings) -> WebhookSender | None:
    """Return what sends messages to the receiver of events, None without one.

    Raises `ConfigurationError` for a file that is wrong.
    """
    given = settings.webhooks
    if given.url is None:
        return None
    keys = [parse_signing_secret(read_secret(path), source=path) for path in given.secrets]
    return WebhookSender(Endpoint(given.url, tuple(keys), timeout=given.timeout, ca_file=given.ca))


async def deliver_events(
    settings: Settings, sender: WebhookSender | None, outbox: OutboxStore, clock: Clock
) -> None:
    """Tell the receiver, if there is one, of events for ever; to be cancelled."""
    if sender is None:
        return
    policy = RetryPolicy(longest=timedelta(hours=settings.webhooks.retry_hours))
    jitter = SystemRandom().random
    try:
        await Delivery(outbox, sender.send, clock=clock, jitter=jitter, policy=policy).run()
    finally:
        await sender.aclose()
