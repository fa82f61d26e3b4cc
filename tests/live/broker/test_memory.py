"""The memory broker, beyond the contract of all brokers: it is the shortest way to the hub."""

from notiway.live.broker.memory import MemoryBroker

from .places import event


def test_several_go_together_where_that_was_asked_for_and_one_by_one_elsewhere():
    broker, heard, together = MemoryBroker(), [], []
    events = [event(number) for number in range(3)]
    broker.start(heard.append)
    broker.publish(events)
    assert heard == events
    broker.start(heard.append, together.append)
    broker.publish(events)
    broker.publish(events[:1])
    assert together == [events]
    assert heard[3:] == events[:1]


def test_before_the_start_and_after_the_close_nobody_is_told():
    broker, heard = MemoryBroker(), []
    broker.publish([event(1)])
    broker.start(heard.append)
    broker.close()
    broker.publish([event(2)])
    assert heard == []


def test_a_gap_is_told_to_this_process():
    broker, gaps = MemoryBroker(), []
    broker.tell_gap(["user:ada"])
    broker.start(lambda event: None, on_gap=gaps.append)
    broker.tell_gap(["user:ada"])
    broker.tell_gap(None)
    broker.close()
    broker.tell_gap(None)
    assert gaps == [["user:ada"], None]
