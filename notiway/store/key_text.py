"""API keys: made here, shown once, stored as a hash."""

from __future__ import annotations

import hashlib
import hmac
import re
import secrets

PREFIX = "nw_"  # lets a secret scanner, and our own logs, know one when they see it
RANDOM_BYTES = 32
SCOPE = re.compile(r"(?:publish|token)(?::[\w.*@:-]+)?", re.ASCII)


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
