"""Every setting in one place, from `app.config` or the environment (CONTRACT §6)."""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, fields, replace
from difflib import get_close_matches
from math import isfinite
from typing import Any
from urllib.parse import urlsplit

import limits

from notiway.values import broker_url as broker_urls
from notiway.values.errors import ConfigError, Fault
from notiway.values.text import addresses

PREFIX = "NOTIWAY_"
KIB = 1024
SECRETS = frozenset({"token_secret", "metrics_token"})  # settings that are never shown
SHORTEST_SECRET_BYTES = 32
EXTERNAL_USERS = "external"
CHOICES = {
    "jobs": ("web", "worker", "off"),
    "users": ("host", EXTERNAL_USERS),
    "live": ("auto", "here", "elsewhere"),
    "env": ("production", "development"),
}
DATABASE_SCHEMES = ("sqlite", "postgres", "postgresql")
TRUE_WORDS = {"1", "true", "yes", "on"}
FALSE_WORDS = {"0", "false", "no", "off", ""}


@dataclass(frozen=True)
class Config:
    """The settings of one application, checked when it starts.

    Each field `name` is read from `app.config["NOTIWAY_NAME"]`, else from the environment
    variable of that name, else it keeps the default below. `ConfigError` names every bad one.

    >>> Config.load({"NOTIWAY_RETENTION_DAYS": 30}, environ={}).retention_days
    30
    """

    database_url: str = ""  # empty: SQLite in the instance folder
    database_pool: int = 20  # connections a process opens at most
    database_statement_seconds: float = 30.0  # PostgreSQL ends a statement that takes longer; 0: never
    database_lock_seconds: float = 10.0  # and one that waits for a lock for so long
    database_idle_seconds: float = 60.0  # and a transaction in which nothing happens for so long
    broker_url: str = "memory://"
    jobs: str = "web"  # where background work runs: inside the web process, in `worker`, or nowhere
    job_seconds: float = 600.0  # after which a job of the application's own is ended
    jobs_url: str = ""  # empty: Redis when the broker is Redis, else a SQLite file beside the database
    allowed_origins: tuple[str, ...] = ()
    open_groups: tuple[str, ...] = ()
    retention_days: int = 90
    dedupe_days: float = 7.0  # how long a producer's id is remembered at least
    backlog_days: int = 7  # how far back a newcomer's inbox begins; announcements that stand come whatever their age
    recent_limit: int = 20
    toast_seconds: float = 6.0  # errors stay until they are closed
    queue_limit: int = 64 * KIB  # bytes that may wait for one client that takes nothing
    queue_total: int = 64 * KIB * KIB  # bytes that may wait for all clients together; over it the slowest goes
    max_connections_per_user: int = 50
    max_message_bytes: int = 32 * KIB
    message_rate: float = 100.0  # messages a second that one client may say; ten seconds' worth at once
    connect_rate: float = 1_000.0  # live connections a second that a process takes; others wait a little
    heartbeat_seconds: float = 15.0  # at most 15 for SignalR clients, whatever is set
    drain_seconds: float = 10.0
    login_rate: str = "10 per minute"
    publish_rate: str = "6000 per minute"  # envelopes of one API key
    token_rate: str = "600 per minute"  # noqa: S105 - client tokens of one API key
    user_rate: str = "600 per minute"  # what one user changes or sends over HTTP
    token_secret: str = ""  # empty: derived from SECRET_KEY
    metrics_allow: tuple[str, ...] = ("private",)  # who may read /metrics without a token: networks, `private`, `all`
    metrics_token: str = ""  # empty: none
    users: str = "host"  # whose ids there are: the host's own, or any
    url_prefix: str = ""
    base_template: str = "notiway/layout.html"
    trusted_proxies: int = 0
    live: str = "auto"  # whether this process holds live connections: `here`, `elsewhere`, or where its server can
    live_url: str = ""  # where the pages find the process that holds them; empty: at the site's own address
    env: str = field(default="production")

    @property
    def development(self) -> bool:
        """Whether a missing SECRET_KEY may be made up and stack traces may be shown."""
        return self.env == "development"

    @property
    def broker_is_shared(self) -> bool:
        """Whether Events reach other processes."""
        return broker_urls.is_shared(self.broker_url)

    @property
    def lives_elsewhere(self) -> bool:
        """Whether the settings say that another process holds the live connections."""
        return self.live == "elsewhere" or (self.live == "auto" and self.live_url != "")

    @classmethod
    def load(cls, settings: Mapping[str, Any], environ: Mapping[str, str] | None = None) -> Config:
        """Read and check all settings; raises `ConfigError` with every fault named."""
        environ = os.environ if environ is None else environ
        values: dict[str, Any] = {}
        faults: list[Fault] = []
        for spec in fields(cls):
            key = f"NOTIWAY_{spec.name.upper()}"
            raw = settings[key] if key in settings else environ.get(key)
            if raw is None:
                continue
            try:
                values[spec.name] = _convert(raw, spec.default)
            except ValueError as error:
                faults.append(Fault(key, str(error)))
        config = cls(**values)
        # As browsers write an origin: in small letters, without a slash at the end.
        origins = tuple(origin.rstrip("/").lower() for origin in config.allowed_origins)
        config = replace(config, allowed_origins=origins, live_url=config.live_url.rstrip("/").lower())
        faults += [Fault(f"NOTIWAY_{name.upper()}", text) for name, text in _broken_rules(config)]
        if not config.development and not settings.get("TESTING") and not settings.get("DEBUG"):
            faults += _weak_secrets(config)
        if faults:
            raise ConfigError("Notiway cannot start: fix these settings", faults)
        return config


def unknown_settings(settings: Mapping[str, Any], environ: Mapping[str, str]) -> list[tuple[str, str]]:
    """Names that begin like a setting and are none, each with a question that names the nearest, where there is one.

    >>> unknown_settings({}, {"NOTIWAY_RETENTION_DAY": "30"})
    [('NOTIWAY_RETENTION_DAY', ' (NOTIWAY_RETENTION_DAYS?)')]
    """
    known = [spec.name.upper() for spec in fields(Config)]
    given = {name for name in (*settings, *environ) if isinstance(name, str) and name.upper().startswith(PREFIX)}
    unknown = []
    for name in sorted(given - {f"{PREFIX}{each}" for each in known}):
        nearest = get_close_matches(name.upper().removeprefix(PREFIX), known, 1)
        unknown.append((name, f" ({PREFIX}{nearest[0]}?)" if nearest else ""))
    return unknown


def _convert(raw: Any, default: Any) -> Any:
    if isinstance(default, tuple):
        parts = raw.replace(",", " ").split() if isinstance(raw, str) else raw
        if not isinstance(parts, list | tuple | set | frozenset):
            raise ValueError(f"must be a list, not {raw!r}")
        return tuple(str(part) for part in parts)
    if isinstance(default, bool):
        word = str(raw).strip().lower()
        if word not in TRUE_WORDS | FALSE_WORDS:
            raise ValueError(f"must be true or false, not {raw!r}")
        return word in TRUE_WORDS
    kind: Callable[[Any], Any] = type(default)
    try:
        return kind(raw)
    except (TypeError, ValueError):
        raise ValueError(f"must be a number, not {raw!r}") from None


def _broken_rules(config: Config) -> list[tuple[str, str]]:
    broken = []
    for name, least in (
        ("database_pool", 1),
        ("database_statement_seconds", 0),
        ("database_lock_seconds", 0),
        ("database_idle_seconds", 0),
        ("retention_days", 1),
        ("dedupe_days", 0),
        ("backlog_days", 0),
        ("recent_limit", 1),
        ("toast_seconds", 1),
        ("queue_limit", 4 * KIB),
        ("queue_total", KIB * KIB),
        ("max_connections_per_user", 1),
        ("max_message_bytes", 1 * KIB),
        ("message_rate", 1),
        ("connect_rate", 1),
        ("heartbeat_seconds", 0.1),
        ("drain_seconds", 0),
        ("job_seconds", 1),
        ("trusted_proxies", 0),
    ):
        value = getattr(config, name)
        if not isfinite(value) or value < least:
            broken.append((name, f"must be at least {least}"))
    broken += [
        (name, f"must be one of {', '.join(words)}")
        for name, words in CHOICES.items()
        if getattr(config, name) not in words
    ]
    if (fault := broker_urls.fault(config.broker_url)) is not None:
        broken.append(("broker_url", fault))
    if config.database_url and urlsplit(config.database_url).scheme not in DATABASE_SCHEMES:
        broken.append(("database_url", "must begin with sqlite:/// or postgresql://"))
    broken += [
        ("metrics_allow", f"{each!r} is not a network such as 10.0.0.0/8, `private` or `all`")
        for each in config.metrics_allow
        if not addresses.is_known(each)
    ]
    for origin in config.allowed_origins:
        if not _is_origin(origin):
            broken.append(("allowed_origins", f"{origin!r} is not an origin such as https://app.example.com"))
    if config.live_url and not _is_origin(config.live_url):
        broken.append(("live_url", f"{config.live_url!r} is not an origin such as https://live.example.com"))
    if config.url_prefix and (not config.url_prefix.startswith("/") or config.url_prefix.endswith("/")):
        broken.append(("url_prefix", "must begin with / and not end with one"))
    broken += [
        (name, f"must read like '10 per minute', not {getattr(config, name)!r}")
        for name in ("login_rate", "publish_rate", "token_rate", "user_rate")
        if not _is_rate(getattr(config, name))
    ]
    return broken


def _is_origin(text: str) -> bool:
    parts = urlsplit(text)
    return (
        parts.scheme in ("http", "https") and bool(parts.netloc) and not (parts.path or parts.query or parts.fragment)
    )


def _weak_secrets(config: Config) -> list[Fault]:
    return [
        Fault(f"NOTIWAY_{name.upper()}", f"must have at least {SHORTEST_SECRET_BYTES} bytes, random ones")
        for name in sorted(SECRETS)
        if 0 < len(getattr(config, name).encode()) < SHORTEST_SECRET_BYTES
    ]


def _is_rate(text: str) -> bool:
    try:
        limits.parse(text)
    except ValueError:
        return False
    return True
