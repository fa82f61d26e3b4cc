"""Scripts: each is one that Redis understands."""

import pytest

from notiway.live.shared import scripts

NAMES = ["AMONG", "BEAT", "CHANGE", "COUNT", "NODES", "REMOVE", "USERS"]


@pytest.mark.redis
@pytest.mark.parametrize("name", NAMES)
def test_it_compiles(client, name):
    assert client.script_load(getattr(scripts, name))


@pytest.mark.redis
def test_keys_that_nobody_removes_go_by_themselves(client):
    change = client.register_script(scripts.CHANGE)
    client.zadd("notiway:nodes", {"n1": 10**15})
    change(args=["n1", 6, scripts.KEPT_SECONDS, '[["ada", 1, ["global", "group:ops"], []]]'])
    names = ["notiway:here:n1:global", "notiway:here:n1:group:ops", "notiway:heard:n1", "notiway:places:ada"]
    assert [name for name in names if client.ttl(name) <= 0] == []
    change(args=["n1", 6, scripts.KEPT_SECONDS, '[["ada", 0, [], ["global", "group:ops"]]]'])
    assert client.keys("notiway:*") == [b"notiway:nodes"]


@pytest.mark.redis
def test_removing_goes_in_steps(client):
    for number in range(5):
        client.sadd(f"notiway:here:n1:group:{number}", "ada")
        client.sadd("notiway:heard:n1", f"group:{number}")
    remove = client.register_script(scripts.REMOVE)
    assert [remove(args=["n1", 2]) for _ in range(3)] == [1, 1, 0]
    assert client.keys("notiway:*") == []
    assert remove(args=["n1", 2]) == 0
