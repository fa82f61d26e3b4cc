"""Subscriptions: what is wanted is asked for once, and heard when the last answer has come."""

import pytest

from notiway.live.broker.subscriptions import AT_ONCE, Subscriptions


@pytest.fixture
def subscriptions():
    made = Subscriptions()
    made.connect()
    return made


def test_what_many_want_is_one_command(subscriptions):
    tickets = [subscriptions.want([f"user:{number}", "global"]) for number in range(3)]
    [(name, channels)] = subscriptions.commands()
    assert (name, sorted(channels)) == ("SUBSCRIBE", ["global", "user:0", "user:1", "user:2"])
    assert subscriptions.commands() == []
    for channel in channels:
        assert not any(each.wait(0) for each in tickets if channel in each.missing)
        subscriptions.confirm(channel)
    assert all(each.wait(0) for each in tickets)
    assert subscriptions.want(["global"]) is None
    assert subscriptions.is_whole


def test_a_command_is_not_too_long(subscriptions):
    subscriptions.want([str(number) for number in range(AT_ONCE + 1)])
    assert [len(channels) for _, channels in subscriptions.commands()] == [AT_ONCE, 1]


def test_commands_keep_their_order(subscriptions):
    subscriptions.want(["a"])
    subscriptions.drop(["a", "never heard"])
    subscriptions.want(["a", "b"])
    assert subscriptions.commands() == [("SUBSCRIBE", ["a"]), ("UNSUBSCRIBE", ["a"]), ("SUBSCRIBE", ["a", "b"])]


def test_the_answer_to_an_earlier_wish_confirms_no_later_one(subscriptions):
    subscriptions.want(["a"])
    subscriptions.drop(["a"])
    again = subscriptions.want(["a"])
    subscriptions.confirm("a")
    assert not again.wait(0)
    assert not subscriptions.is_whole
    subscriptions.confirm("a")
    assert again.wait(0)


def test_what_nobody_wants_any_more_is_not_heard(subscriptions):
    subscriptions.want(["a"])
    subscriptions.drop(["a"])
    assert not subscriptions.confirm("a")
    assert subscriptions.is_whole
    assert len(subscriptions) == 0


def test_who_gave_up_is_told_of_when_it_is_confirmed(subscriptions):
    subscriptions.give_up(subscriptions.want(["a"]))
    assert subscriptions.confirm("a")
    in_time = subscriptions.want(["b"])
    subscriptions.confirm("b")
    subscriptions.give_up(in_time)
    assert not in_time.is_late


def test_before_the_first_line_one_waits_and_without_a_line_nobody_does():
    subscriptions = Subscriptions()
    early = subscriptions.want(["a"])
    assert not early.wait(0)
    subscriptions.connect()
    assert subscriptions.commands() == [("SUBSCRIBE", ["a"])]
    subscriptions.disconnect()
    assert not early.wait(60), "it is told so at once"
    late = subscriptions.want(["b"])
    assert not late.wait(60)
    assert not subscriptions.is_whole
    subscriptions.connect()
    assert subscriptions.commands() == [("SUBSCRIBE", ["a", "b"])]
