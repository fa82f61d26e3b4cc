"""Redis client: the one place that opens Redis from the broker's URL, with bounded waits and our own error."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any, cast
from urllib.parse import parse_qs, urlsplit

from notiway.values import broker_url
from notiway.values.errors import BrokerDown, ConfigError, Fault

try:
    import redis
    from redis.backoff import NoBackoff
    from redis.client import Pipeline
    from redis.retry import Retry
    from redis.sentinel import Sentinel
except ImportError as error:  # pragma: no cover - an extra that the tests have
    advice = Fault("NOTIWAY_BROKER_URL", "install the driver: pip install 'notiway[redis]'")
    raise ConfigError("Notiway cannot reach Redis without its driver", [advice]) from error

CONNECT_SECONDS = 1.0
ANSWER_SECONDS = 1.0  # for one command or pipeline
POOL_SECONDS = 1.0  # for a connection to become free
CONNECTIONS = 32  # of one pool: greenlets that wait for an answer at once
HEALTH_CHECK_SECONDS = 15  # a connection that was idle for so long is tried before it is used

# A script that Redis does not know yet, and a key that changed under a transaction, are answers and no faults.
_ANSWERS = (redis.exceptions.NoScriptError, redis.WatchError)


@contextmanager
def translated() -> Iterator[None]:
    """Inside, every fault of redis-py or of the network is raised as `BrokerDown`."""
    try:
        yield
    except (BrokerDown, *_ANSWERS):
        raise
    except (redis.RedisError, OSError, EOFError) as error:
        raise BrokerDown(f"Redis: {error}" if str(error) else f"Redis: {type(error).__name__}") from error


class Client(redis.Redis):
    """redis-py's client, of which every fault is a `BrokerDown`: refused, silent, full, loading, read-only."""

    def execute_command(self, *args: Any, **options: Any) -> Any:
        with translated():
            return super().execute_command(*args, **options)  # type: ignore[no-untyped-call]

    def pipeline(self, transaction: bool = False, shard_hint: str | None = None) -> Pipeline:
        return _Pipeline(self.connection_pool, self.response_callbacks, transaction, shard_hint)


class _Pipeline(Pipeline):
    def execute(self, raise_on_error: bool = True) -> list[Any]:
        with translated():
            return list(super().execute(raise_on_error))

    def immediate_execute_command(self, *args: Any, **options: Any) -> Any:
        with translated():
            return super().immediate_execute_command(*args, **options)  # type: ignore[no-untyped-call]


def open_client(url: str, *, answer_seconds: float = ANSWER_SECONDS, connections: int = CONNECTIONS) -> Client:
    """A client for a broker's URL; it connects with its first command. Safe for threads, greenlets and forks.

    No command takes longer than `POOL_SECONDS + CONNECT_SECONDS + answer_seconds`, and none is sent twice. With
    sentinels, each of them that is silent may add as much. `ConfigError` for an URL that is no Redis.

    >>> open_client("redis://localhost:6379/0").ping()  # doctest: +SKIP
    True
    """
    problem = broker_url.fault(url)
    if problem is not None or not broker_url.is_shared(url):
        raise ConfigError("Notiway cannot reach Redis", [Fault("NOTIWAY_BROKER_URL", problem or broker_url.FORMS)])
    options: dict[str, Any] = {
        "socket_connect_timeout": CONNECT_SECONDS,
        "socket_timeout": answer_seconds,
        "socket_keepalive": True,
        "health_check_interval": HEALTH_CHECK_SECONDS,
        "retry": Retry(NoBackoff(), 0),
        "protocol": 2,
        "max_connections": connections,
    }
    if urlsplit(url).scheme in broker_url.SENTINEL:
        return _behind_sentinels(url, options)
    if urlsplit(url).scheme == "unix":
        del options["socket_keepalive"]
    pool = redis.BlockingConnectionPool.from_url(url, timeout=POOL_SECONDS, **options)
    return cast("Client", Client.from_pool(pool))


def _behind_sentinels(url: str, options: dict[str, Any]) -> Client:
    """The master that sentinels name, asked for anew with each connection."""
    known = broker_url.sentinels(url)
    query = {name: values[-1] for name, values in parse_qs(urlsplit(url).query).items()}
    own = {name: options[name] for name in ("socket_connect_timeout", "socket_timeout", "retry", "protocol")}
    own |= {name: query[f"sentinel_{name}"] for name in ("username", "password") if f"sentinel_{name}" in query}
    encryption = {"ssl": True} if known.is_encrypted else {}
    manager: Any = Sentinel(known.places, sentinel_kwargs=own | encryption)  # type: ignore[no-untyped-call]
    client: Client = manager.master_for(
        known.service,
        redis_class=Client,
        db=known.database,
        username=known.username,
        password=known.password,
        **options,
        **encryption,
    )
    return client
