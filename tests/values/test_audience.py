"""Audience: who is addressed, and its key."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from notiway.values.audience import MAX_PART_LENGTH, Audience, AudienceType

KEYS = [
    (Audience.everyone(), "global", 1),
    (Audience.tenant("acme"), "tenant:acme", 2),
    (Audience.group("admins"), "group:admins", 3),
    (Audience.group("admins", "acme"), "group:acme:admins", 3),
    (Audience.user(42), "user:42", 4),
    (Audience.user("oidc:42"), "user:oidc:42", 4),
    (Audience.connection("c1"), "connection:c1", 5),
]
PARTS = st.text(st.characters(categories=["L", "N"], include_characters=" -_."), min_size=1, max_size=20).filter(
    str.isprintable
)


@pytest.mark.parametrize(("audience", "key", "number"), KEYS)
def test_an_audience_has_one_key_and_number(audience, key, number):
    assert audience.key == key
    assert audience.type == number
    assert Audience.parse(key) == audience


@pytest.mark.parametrize(("audience", "key", "number"), KEYS)
def test_global_tenants_and_groups_are_broadcasts(audience, key, number):
    assert audience.is_broadcast is (number <= 3)


@pytest.mark.parametrize(
    "key", ["", "global:x", "users:1", "user:", "group:", "group::admins", "group:a:b:c", "tenant:a:b", "x", "user:\n"]
)
def test_a_key_that_names_nobody_is_refused(key):
    with pytest.raises(ValueError):
        Audience.parse(key)


@pytest.mark.parametrize(
    ("kind", "value", "tenant"),
    [
        (AudienceType.GLOBAL, "x", None),
        (AudienceType.GLOBAL, "", "acme"),
        (AudienceType.TENANT, "", None),
        (AudienceType.TENANT, "a:b", None),
        (AudienceType.GROUP, "a:b", None),
        (AudienceType.GROUP, "a", "b:c"),
        (AudienceType.GROUP, "a", ""),
        (AudienceType.USER, "a", "acme"),
        (AudienceType.USER, "x" * (MAX_PART_LENGTH + 1), None),
        (AudienceType.USER, "a\x00b", None),
    ],
)
def test_a_part_that_is_empty_overlong_or_ambiguous_is_refused(kind, value, tenant):
    with pytest.raises(ValueError):
        Audience(kind, value, tenant)


@given(PARTS, st.none() | PARTS)
def test_two_audiences_never_share_a_key(name, tenant):
    assert Audience.parse(Audience.group(name, tenant).key) == Audience.group(name, tenant)
