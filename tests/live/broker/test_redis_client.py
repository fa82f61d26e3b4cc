"""Redis client: every fault is a BrokerDown, and none takes longer than its bound."""

import os
import signal
import socket
import time

import pytest
import redis
from servers import free_port, redis_process, redis_sentinel

from notiway.live.broker import redis_client
from notiway.live.broker.redis_client import open_client
from notiway.values.errors import BrokerDown, ConfigError, Unavailable

pytestmark = pytest.mark.redis
BOUND = redis_client.POOL_SECONDS + redis_client.CONNECT_SECONDS + redis_client.ANSWER_SECONDS


@pytest.fixture(scope="module")
def server():
    with redis_process() as running:
        yield running


@pytest.fixture
def client(server):
    with open_client(server.url, answer_seconds=0.2) as opened:
        yield opened
        opened.config_set("maxmemory", 0)


def test_it_answers(client):
    assert client.ping()
    with client.pipeline() as pipeline:
        pipeline.set("a", 1)
        pipeline.get("a")
        assert pipeline.execute() == [True, b"1"]


def test_nobody_there_is_the_broker_down_and_unavailable():
    with open_client(f"redis://127.0.0.1:{free_port()}") as away, pytest.raises(BrokerDown) as refused:
        away.ping()
    assert isinstance(refused.value, OSError)
    assert isinstance(refused.value, Unavailable)
    assert (refused.value.status, refused.value.retry_after) == (503, 5)
    assert "refused" in refused.value.reason
    assert "refused" not in refused.value.message


def test_a_server_that_stands_still_is_given_up_in_time(server, client):
    client.ping()
    os.kill(server.pid, signal.SIGSTOP)
    began = time.monotonic()
    try:
        with pytest.raises(BrokerDown):
            client.ping()
        with client.pipeline() as pipeline, pytest.raises(BrokerDown):
            pipeline.get("a").execute()
    finally:
        os.kill(server.pid, signal.SIGCONT)
    assert time.monotonic() - began < 2 * BOUND
    assert client.ping()


def test_a_port_that_takes_the_connection_and_says_nothing_is_given_up():
    with socket.create_server(("127.0.0.1", 0)) as silent:
        url = f"redis://127.0.0.1:{silent.getsockname()[1]}"
        with open_client(url, answer_seconds=0.2) as client, pytest.raises(BrokerDown):
            client.ping()


def test_what_redis_refuses_is_the_broker_down(client):
    client.config_set("maxmemory", 1)
    with pytest.raises(BrokerDown) as full:
        client.set("b", "x" * 1000)
    assert "maxmemory" in full.value.reason
    with client.pipeline() as pipeline, pytest.raises(BrokerDown):
        pipeline.set("b", "x").execute()


def test_a_replica_that_takes_no_writes_is_the_broker_down(client):
    client.replicaof("127.0.0.1", free_port())
    try:
        with pytest.raises(BrokerDown):
            client.set("b", "x")
    finally:
        client.replicaof("NO", "ONE")


def test_a_script_that_is_not_known_yet_is_an_answer(client):
    assert client.register_script("return 7")() == 7
    with pytest.raises(redis.exceptions.NoScriptError):
        client.evalsha("0" * 40, 0)


def test_after_a_restart_the_next_command_is_answered():
    port = free_port()
    with redis_process(port) as first, open_client(first.url) as client:
        client.ping()
        first.stop()
        with pytest.raises(BrokerDown):
            client.ping()
        with redis_process(port):
            assert client.ping()


def test_connections_are_bounded_and_waited_for(server):
    with open_client(server.url, connections=1) as client:
        held = client.connection_pool.get_connection()
        began = time.monotonic()
        with pytest.raises(BrokerDown):
            client.ping()
        assert time.monotonic() - began < BOUND
        client.connection_pool.release(held)
        assert client.ping()


def test_a_unix_socket_is_opened(tmp_path):
    place = tmp_path / "redis.sock"
    with redis_process(0, "--unixsocket", str(place)) as running, open_client(running.url) as client:
        assert client.ping()


def test_the_master_that_sentinels_name_is_opened(server):
    with redis_sentinel(server) as url, open_client(url) as client:
        assert client.set("through", "sentinel")
        assert int(client.info("server")["tcp_port"]) == server.port


def test_sentinels_that_are_away_are_the_broker_down():
    with open_client(f"redis+sentinel://127.0.0.1:{free_port()}/mymaster") as client, pytest.raises(BrokerDown):
        client.ping()


@pytest.mark.parametrize("url", ["memory://", "kafka://host", "redis+sentinel://host"])
def test_what_is_no_redis_is_refused(url):
    with pytest.raises(ConfigError, match="NOTIWAY_BROKER_URL"):
        open_client(url)
