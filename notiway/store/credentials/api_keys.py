"""API keys: what a producer is known by. Made here, shown once, stored as a hash."""

from __future__ import annotations

import hashlib
import hmac
import json
import re
import secrets
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from notiway.store.sql import run
from notiway.store.tables import ApiKey
from notiway.values.clock import now_ms
from notiway.values.draft import LABEL_LIMIT, text_faults
from notiway.values.errors import Fault, NotFound, WrongInput
from notiway.values.ids import new_id

PREFIX = "nw_"  # lets a secret scanner, and our own logs, know one when they see it
RANDOM_BYTES = 32
SCOPE = re.compile(r"(?:publish|token|presence)(?::[\w.*@:-]+)?", re.ASCII)
PRODUCER = "producer:"  # before a name, or a pattern of names, that a key is bounded to
MAX_NAME = 200  # characters
USE_NOTED_MS = 60_000
FIND = (  # every request of a producer asks this
    "SELECT hash, id, name, scopes, created_at, last_used_at, revoked_at FROM notiway_api_key"
    " WHERE hash = ? AND revoked_at IS NULL"
)


@dataclass(frozen=True, slots=True)
class Producer:
    """One API key without its secret; times are milliseconds since the epoch."""

    id: str
    name: str
    scopes: tuple[str, ...]
    created_at: int
    last_used_at: int | None
    revoked_at: int | None


def add(name: str, scopes: Sequence[str]) -> tuple[Producer, str]:
    """Make a key; the second value is the key itself, which is stored nowhere and shown once.

    A scope `producer:billing` bounds the names that its envelopes may claim; `*` stands for any characters.

    >>> producer, key = api_keys.add("billing", ["publish"])  # doctest: +SKIP
    """
    names = [scope.removeprefix(PRODUCER) for scope in scopes if scope.startswith(PRODUCER)]
    faults = [fault for each in names for fault in text_faults("producer", each, LABEL_LIMIT, required=True)]
    allowed = [scope for scope in scopes if not scope.startswith(PRODUCER)]
    unknown = [scope for scope in allowed if not is_scope(scope)]
    faults += [Fault("scope", f"{scope!r} is none of publish, token, presence") for scope in unknown]
    if not allowed:
        faults.append(Fault("scope", "at least one is needed: publish, token, presence"))
    if not name.strip() or len(name) > MAX_NAME:
        faults.append(Fault("name", f"must have 1 to {MAX_NAME} characters"))
    elif faults_of_name := text_faults("name", name, MAX_NAME):
        faults += faults_of_name
    elif ApiKey.select().where(ApiKey.name == name).exists():
        faults.append(Fault("name", f"{name!r} is taken, perhaps by a revoked key; choose another"))
    if faults:
        raise WrongInput("This API key cannot be made", faults)
    key = new_key()
    row = ApiKey.create(id=new_id(), name=name, hash=hash_key(key), scopes=list(dict.fromkeys(scopes)))
    return _producer(row), key


def find(key: str) -> Producer | None:
    """The producer whose key this is, unless it was revoked."""
    hashed = hash_key(key)
    row = run(FIND, (hashed,)).fetchone()
    if row is None or not hmac.compare_digest(row[0].encode(), hashed.encode()):
        return None
    return Producer(row[1], row[2], tuple(json.loads(row[3])), *row[4:])


def note_use(producer: Producer) -> None:
    """Remember that a key is in use, to the minute: who looks for stale keys needs no more."""
    now = now_ms()
    if (producer.last_used_at or 0) < now - USE_NOTED_MS:
        ApiKey.update(last_used_at=now).where(ApiKey.id == producer.id).execute()


def all_keys() -> Iterator[Producer]:
    """Every key, revoked ones too, oldest first."""
    return map(_producer, ApiKey.select().order_by(ApiKey.created_at, ApiKey.id))


def revoke(name_or_id: str) -> str:
    """End a key at once, and return its id; raises `NotFound`. A second call changes nothing."""
    row = ApiKey.get_or_none((ApiKey.name == name_or_id) | (ApiKey.id == name_or_id))
    if row is None:
        raise NotFound(f"There is no API key {name_or_id!r}")
    ApiKey.update(revoked_at=now_ms()).where((ApiKey.id == row.id) & ApiKey.revoked_at.is_null()).execute()
    return str(row.id)


def _producer(row: ApiKey) -> Producer:
    return Producer(row.id, row.name, tuple(row.scopes), row.created_at, row.last_used_at, row.revoked_at)


def new_key() -> str:
    """A fresh API key: 256 random bits, so that no salt and no slow hash is needed to store it.

    >>> new_key().startswith("nw_")
    True
    """
    return PREFIX + secrets.token_urlsafe(RANDOM_BYTES)


def hash_key(key: str) -> str:
    """What is stored of a key: SHA-256, in hexadecimal."""
    return hashlib.sha256(key.encode()).hexdigest()


def matches(stored_hash: str, key: str) -> bool:
    """Whether the key belongs to the stored hash; takes the same time either way.

    >>> key = new_key()
    >>> matches(hash_key(key), key), matches(hash_key(key), key + "x")
    (True, False)
    """
    return hmac.compare_digest(stored_hash.encode(), hash_key(key).encode())


def is_scope(text: str) -> bool:
    """`publish` or `token`, optionally bounded to audiences by a pattern: `publish:group:acme:*`."""
    return SCOPE.fullmatch(text) is not None
