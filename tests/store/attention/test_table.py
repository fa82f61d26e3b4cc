"""The table of settings: one row for each user, without a limit of our own on what they say."""

import pytest
from fresh import verbs
from peewee import IntegrityError

from notiway.store.attention.table import AttentionSettings


@pytest.fixture(autouse=True)
def broker(place):
    with verbs(place) as notebook:
        yield notebook


def test_each_user_has_one_row():
    AttentionSettings.create(user_id="ada", revision=1, settings="{}")
    with pytest.raises(IntegrityError):
        AttentionSettings.create(user_id="ada", revision=2, settings="{}")
