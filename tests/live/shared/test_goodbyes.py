"""Goodbyes: a process knows which of its children left in good order."""

import os

from notiway.live.shared.goodbyes import PLACES, Goodbyes


def test_what_a_child_says_is_known_to_its_parent_once():
    goodbyes = Goodbyes()
    child = os.fork()
    if not child:
        goodbyes.say(PLACES + 3)
        os._exit(0)
    os.waitpid(child, 0)
    assert goodbyes.take(PLACES + 3)
    assert not goodbyes.take(3), "its place is free for the next one"


def test_who_said_nothing_said_no_goodbye():
    goodbyes = Goodbyes()
    goodbyes.say(1)
    assert not goodbyes.take(2)
