"""SeenIds: an id is new once in ten minutes, and the memory of ids is bounded."""

from concurrent.futures import ThreadPoolExecutor

from notiway.live.limits import seen_ids as module
from notiway.live.limits.seen_ids import REMEMBER_SECONDS, SeenIds


def test_an_id_is_new_once():
    seen = SeenIds()
    assert [seen.add(("billing", "1")) for _ in range(3)] == [True, False, False]
    assert seen.add(("orders", "1"))


def test_it_is_new_again_when_its_time_is_over():
    clock = [0.0]
    seen = SeenIds(lambda: clock[0])
    assert seen.add(("billing", "1"))
    clock[0] = REMEMBER_SECONDS
    assert not seen.add(("billing", "1"))
    clock[0] += 0.1
    assert seen.add(("billing", "1"))


def test_the_oldest_are_forgotten_first(monkeypatch):
    monkeypatch.setattr(module, "REMEMBER_IDS", 10)
    seen = SeenIds()
    for number in range(20):
        assert seen.add(("billing", str(number)))
    assert len(seen._taken) <= 11
    assert not seen.add(("billing", "19"))


def test_it_knows_what_was_sent_first_until_it_is_forgotten():
    seen = SeenIds()
    assert seen.get(("billing", "1")) is None
    assert seen.add(("billing", "1"), "what it said")
    assert not seen.add(("billing", "1"), "something else")
    assert seen.get(("billing", "1")) == "what it said"
    seen.forget([("billing", "1"), ("billing", "never heard of")])
    assert seen.get(("billing", "1")) is None
    assert seen.add(("billing", "1"), "again")


def test_what_is_over_is_not_known_any_more():
    clock = [0.0]
    seen = SeenIds(lambda: clock[0])
    seen.add(("billing", "1"), "what it said")
    clock[0] = REMEMBER_SECONDS + 0.1
    assert seen.get(("billing", "1")) is None


def test_of_many_threads_one_is_first():
    seen = SeenIds()
    with ThreadPoolExecutor(10) as pool:
        assert sum(pool.map(lambda _: seen.add(("billing", "1")), range(200))) == 1


def test_of_many_ids_those_that_are_taken_are_found_with_what_was_said():
    clock = [0.0]
    seen = SeenIds(lambda: clock[0])
    assert seen.among([("billing", "1")]) == {}
    seen.add(("billing", "1"), "first")
    seen.add(("orders", "2"), "second")
    wanted = [("billing", "1"), ("billing", "2"), ("orders", "2")]
    assert seen.among(wanted) == {("billing", "1"): "first", ("orders", "2"): "second"}
    clock[0] = REMEMBER_SECONDS + 1
    assert seen.among(wanted) == {}
