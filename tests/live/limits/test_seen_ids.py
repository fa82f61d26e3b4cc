"""Recent: an id is new once in ten minutes, and the memory of ids is bounded."""

from concurrent.futures import ThreadPoolExecutor

from notiway.live.limits import seen_ids as module
from notiway.live.limits.seen_ids import REMEMBER_SECONDS, Recent


def test_an_id_is_new_once():
    recent = Recent()
    assert [recent.add(("billing", "1")) for _ in range(3)] == [True, False, False]
    assert recent.add(("orders", "1"))


def test_it_is_new_again_when_its_time_is_over():
    clock = [0.0]
    recent = Recent(lambda: clock[0])
    assert recent.add(("billing", "1"))
    clock[0] = REMEMBER_SECONDS
    assert not recent.add(("billing", "1"))
    clock[0] += 0.1
    assert recent.add(("billing", "1"))


def test_the_oldest_are_forgotten_first(monkeypatch):
    monkeypatch.setattr(module, "REMEMBER_IDS", 10)
    recent = Recent()
    for number in range(20):
        assert recent.add(("billing", str(number)))
    assert len(recent._taken) <= 11
    assert not recent.add(("billing", "19"))


def test_of_many_threads_one_is_first():
    recent = Recent()
    with ThreadPoolExecutor(10) as pool:
        assert sum(pool.map(lambda _: recent.add(("billing", "1")), range(200))) == 1
