"""Addresses: which networks a client's address lies in."""

from __future__ import annotations

from collections.abc import Iterable
from ipaddress import ip_address, ip_network

PRIVATE, ALL = "private", "all"


def is_known(rule: str) -> bool:
    """Whether `lies_in` understands this: an address, a network, `private` or `all`."""
    try:
        return rule in (PRIVATE, ALL) or bool(ip_network(rule, strict=False))
    except ValueError:
        return False


def lies_in(address: str | None, rules: Iterable[str]) -> bool:
    """Whether an address is allowed by one of the rules; `private` is loopback and private networks.

    >>> lies_in("127.0.0.1", ["private"]), lies_in("192.0.2.7", ["10.0.0.0/8"])
    (True, False)
    """
    rules = tuple(rules)
    try:
        parsed = ip_address((address or "").partition("%")[0])
    except ValueError:
        return ALL in rules
    parsed = getattr(parsed, "ipv4_mapped", None) or parsed
    return any(
        rule == ALL
        or (rule == PRIVATE and (parsed.is_private or parsed.is_loopback))
        or (rule not in (PRIVATE, ALL) and parsed in ip_network(rule, strict=False))
        for rule in rules
    )
