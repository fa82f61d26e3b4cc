"""The broker's URL: which forms there are, and what is wrong with one.

`gunicorn.conf.py` loads this file by itself, before anything else of the application, so it imports nothing of it.
"""

from __future__ import annotations

from dataclasses import dataclass
from urllib.parse import SplitResult, unquote, urlsplit

MEMORY = "memory"
SENTINEL = ("redis+sentinel", "rediss+sentinel")  # as the package `limits` writes them
SCHEMES = (MEMORY, "redis", "rediss", "unix", *SENTINEL)
SENTINEL_PORT = 26379
FORMS = (
    "must be memory://, redis://host:6379/0, rediss://host:6379/0, unix:///path/to/redis.sock"
    " or redis+sentinel://host:26379,host2:26379/mymaster"
)


@dataclass(frozen=True)
class Sentinels:
    """Where the sentinels are, and what they know the master by."""

    places: tuple[tuple[str, int], ...]
    service: str
    database: int
    username: str | None
    password: str | None
    is_encrypted: bool


def is_shared(url: str) -> bool:
    """Whether Events reach other processes by it.

    >>> is_shared("memory://"), is_shared("redis://localhost")
    (False, True)
    """
    return not url.startswith(MEMORY)


def fault(url: str) -> str | None:
    """What is wrong with the URL, for whoever sets it; None if it may be used."""
    try:
        parts = urlsplit(url)
        if parts.scheme not in SCHEMES:
            return FORMS
        if parts.scheme in SENTINEL:
            sentinels(url)
        elif parts.scheme == "unix":
            return None if parts.path else "unix:// needs the path of Redis' socket: unix:///run/redis/redis.sock"
        elif parts.scheme != MEMORY:
            _check_host(parts)
    except ValueError as error:
        return str(error)
    return None


def sentinels(url: str) -> Sentinels:
    """The parts of `redis+sentinel://[user:password@]host[:port],…/service[/database]`; `ValueError` if it is broken.

    >>> sentinels("redis+sentinel://a,b:26380/mymaster").places
    (('a', 26379), ('b', 26380))
    """
    parts = urlsplit(url)
    secret, _, hosts = parts.netloc.rpartition("@")
    username, _, password = secret.partition(":")
    service, _, database = parts.path.strip("/").partition("/")
    if not service:
        raise ValueError("redis+sentinel:// needs the name of the master: redis+sentinel://host:26379/mymaster")
    if database and not database.isdigit():
        raise ValueError("the database behind the name of the master must be a number")
    return Sentinels(
        places=tuple(_place(each) for each in hosts.split(",")),
        service=unquote(service),
        database=int(database or 0),
        username=unquote(username) or None,
        password=unquote(password) or None,
        is_encrypted=parts.scheme.startswith("rediss"),
    )


def _place(text: str) -> tuple[str, int]:
    parts = urlsplit(f"//{text}")
    if not parts.hostname:
        raise ValueError("each sentinel needs a host: redis+sentinel://host:26379,host2:26379/mymaster")
    return parts.hostname, parts.port or SENTINEL_PORT


def _check_host(parts: SplitResult) -> None:
    if not parts.hostname:
        raise ValueError(f"{parts.scheme}:// needs a host: {parts.scheme}://host:6379/0")
    _ = parts.port  # `ValueError` where it is no number
    database = parts.path.strip("/")
    if database and not database.isdigit():
        raise ValueError("the database behind the host must be a number: redis://host:6379/0")
