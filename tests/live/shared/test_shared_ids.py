"""SharedIds: an id is new once, in one process and over several; the same tests for memory and Redis."""

import pytest

from notiway.live.limits.seen_ids import REMEMBER_SECONDS, SeenIds
from notiway.live.shared.asking import Asking
from notiway.live.shared.shared_ids import SharedIds

ONE, TWO = ("billing", "1"), ("billing", "2")


@pytest.fixture(params=["memory", pytest.param("redis", marks=pytest.mark.redis)])
def ids(request):
    return SeenIds() if request.param == "memory" else SharedIds(Asking(request.getfixturevalue("client")))


def test_an_id_is_new_once(ids):
    assert [ids.add(ONE, "first") for _ in range(3)] == [True, False, False]
    assert ids.add(("orders", "1"))
    assert ids.get(ONE) == "first"
    assert ids.get(TWO) is None


def test_of_many_those_that_are_taken_are_told_with_what_was_said(ids):
    ids.add(ONE, "first")
    assert ids.add_all({ONE: "again", TWO: "second"}) == {ONE: "first"}
    assert ids.among([ONE, TWO, ("orders", "1")]) == {ONE: "first", TWO: "second"}
    assert ids.add_all({}) == {}
    assert ids.among([]) == {}


def test_what_is_forgotten_is_new_again(ids):
    ids.add_all({ONE: "first", TWO: "second"})
    ids.forget([ONE, ("never", "heard of")])
    ids.forget([])
    assert ids.add(ONE, "again")
    assert ids.get(TWO) == "second"


@pytest.mark.parametrize(
    ("key", "other"), [(("a", "b:c"), ("a:b", "c")), (("", "x"), ("x", "")), (("é", "1"), ("e", "1"))]
)
def test_ids_of_two_publishers_are_never_the_same(ids, key, other):
    assert ids.add(key)
    assert ids.add(other)


@pytest.mark.redis
def test_an_id_that_one_process_took_is_taken_in_all(client):
    here, there = SharedIds(Asking(client)), SharedIds(Asking(client))
    assert here.add(ONE, "first")
    assert there.get(ONE) == "first"
    assert there.add_all({ONE: "again", TWO: "second"}) == {ONE: "first"}
    assert there.get(ONE) == "first", "not what was said the second time"
    assert here.among([ONE, TWO]) == {ONE: "first", TWO: "second"}
    there.forget([TWO])
    assert here.add(TWO, "third")


@pytest.mark.redis
def test_it_is_kept_for_ten_minutes(client):
    SharedIds(Asking(client)).add(ONE)
    (name,) = client.keys("notiway:said:*")
    assert REMEMBER_SECONDS - 60 < client.ttl(name) <= REMEMBER_SECONDS


@pytest.mark.redis
def test_a_batch_is_one_round_trip(client, monkeypatch):
    trips = []
    real = type(client.pipeline()).execute
    monkeypatch.setattr(
        type(client.pipeline()), "execute", lambda self, *args: trips.append(len(self)) or real(self, *args)
    )
    SharedIds(Asking(client)).add_all({("billing", str(number)): "x" for number in range(1_000)})
    assert trips == [2_000], "commands, in one trip"


@pytest.mark.redis
def test_while_redis_is_away_each_process_remembers_its_own(client, frozen):
    here, there = SharedIds(Asking(client)), SharedIds(Asking(client))
    assert here.add(ONE, "first")
    with frozen():
        assert not here.add(ONE)
        assert here.add(TWO)
        assert not here.add(TWO)
        assert there.add(ONE), "what others took is not known"
        here.forget([TWO])
        assert here.add(TWO)
