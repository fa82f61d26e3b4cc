"""Actor: who caused a notification."""

from notiway.values.kinds.actor import Actor


def test_an_actor_needs_no_more_than_a_name():
    assert Actor("Ada") == Actor("Ada", image=None, url=None)
