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
