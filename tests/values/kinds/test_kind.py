"""Kind: its actions, and the functions that carry them out."""

import pytest

from notiway.values.errors import ConfigError
from notiway.values.kinds.kind import Handler, Kind


def test_an_action_has_one_function():
    kind = Kind("access-request", "Access request")

    @kind.action("approve")
    def approve(user_id, notification):
        return None

    assert kind.handlers == {"approve": Handler(approve)}
    assert kind.action("approve")(approve) is approve
    with pytest.raises(ConfigError, match="has a handler already"):
        kind.action("approve", atomic=True)(approve)
    with pytest.raises(ConfigError, match="has a handler already"):
        kind.action("approve")(lambda user_id, notification: None)


@pytest.mark.parametrize("name", ["", "Approve", "a b", "-a", "x" * 41])
def test_the_name_of_an_action_is_checked(name):
    with pytest.raises(ConfigError, match="small letters"):
        Kind("access-request", "Access request").action(name)
