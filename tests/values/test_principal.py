"""Principal: who is asking, fixed once it was found out."""

from dataclasses import FrozenInstanceError

import pytest

from notiway.values.principal import Principal


def test_who_brings_nothing_more_is_granted_nothing_more():
    principal = Principal("7")
    assert (principal.session, principal.ends_at, principal.tenant_id, principal.grants) == (None, None, None, ())


@pytest.mark.parametrize(
    ("name", "value"), [("user_id", "8"), ("grants", ("group:admins",)), ("tenant_id", "acme"), ("ends_at", None)]
)
def test_nobody_becomes_somebody_else_or_is_granted_more_afterwards(name, value):
    principal = Principal("7", ends_at=1.0)
    with pytest.raises(FrozenInstanceError):
        setattr(principal, name, value)


def test_two_sessions_of_one_user_are_told_apart():
    assert Principal("7", "a") == Principal("7", "a") != Principal("7", "b")
