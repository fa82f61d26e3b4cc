"""Publishing over HTTP: what a key's scopes allow. What is answered is in `test_api`."""

from __future__ import annotations

import pytest
from clients import producer as producers

from notiway.gateway.envelope import parse
from notiway.store.credentials.api_keys import Producer
from notiway.values.clock import now_ms
from notiway.web.publishing import may, may_be_called, publisher_of


def key(*scopes: str) -> Producer:
    return Producer("k1", "billing", scopes, 0, None, None)


@pytest.mark.parametrize(
    ("scopes", "audience", "allowed"),
    [
        (("publish",), "user:me", True),
        (("publish",), "global", True),
        (("publish:user:*",), "user:me", True),
        (("publish:user:*",), "global", False),
        (("publish:group:acme:*", "publish:global"), "group:acme:ops", True),
        (("publish:group:acme:*", "publish:global"), "group:other:ops", False),
        (("token",), "user:me", False),
        (("token", "publish:user:a"), "user:b", False),
        ((), "user:me", False),
    ],
)
def test_a_key_may_publish_to_what_one_of_its_patterns_names(
    scopes: tuple[str, ...], audience: str, allowed: bool
) -> None:
    assert may(key(*scopes), "publish", audience) is allowed


@pytest.mark.parametrize(
    ("scopes", "label", "allowed"),
    [
        (("publish",), "orders", True),
        (("publish", "producer:orders"), "orders", True),
        (("publish", "producer:orders"), "billing", True),  # the key's own name
        (("publish", "producer:orders"), "crm", False),
        (("publish", "producer:orders-*"), "orders-eu", True),
        (("producer:orders",), "orders", False),
    ],
)
def test_a_key_may_use_its_own_name_and_those_that_it_is_bounded_to(
    scopes: tuple[str, ...], label: str, allowed: bool
) -> None:
    raw = producers.envelope("user:me", "order-shipped", persisted=True, producer=label)
    parsed, asked = parse(raw, "billing", now_ms()), key(*scopes)
    assert (may(asked, "publish", parsed.audience.key) and may_be_called(asked, parsed.draft.producer)) is allowed


def test_ids_belong_to_the_key() -> None:
    assert publisher_of(key()) == "key:k1"
