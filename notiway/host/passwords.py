"""Passwords: argon2id hashes, worked out where they hold up no other request."""

from __future__ import annotations

import secrets
from collections.abc import Callable
from functools import cache
from typing import Any, TypeVar

from argon2 import PasswordHasher
from argon2.exceptions import InvalidHashError, VerificationError

from notiway.pausing import is_patched

MAX_LENGTH = 1_000  # characters; more is no password but an attempt to keep the server busy
THREADS = 2  # each holds MEMORY_KIB while it works
MEMORY_KIB = 19 * 1024  # with two passes: OWASP's password storage cheat sheet, argon2id

HASHER = PasswordHasher(time_cost=2, memory_cost=MEMORY_KIB, parallelism=1)

Result = TypeVar("Result")


def hash_password(password: str) -> str:
    """The argon2id hash to store, with its parameters and a fresh salt.

    >>> hash_password("correct horse").startswith("$argon2id$")
    True
    """
    return off_the_loop(lambda: HASHER.hash(password))


def matches(stored: str | None, password: str) -> bool:
    """Whether the password belongs to the stored hash.

    `None` (there is no such user) costs as much time as a wrong password, so that
    the time taken does not tell which e-mail addresses exist.
    """
    if len(password) > MAX_LENGTH:
        stored, password = None, ""
    nobody = _nobody()
    return off_the_loop(lambda: _verify(stored or nobody, password)) and stored is not None


def is_outdated(stored: str) -> bool:
    """Whether the hash was made with other parameters than today's and should be made anew."""
    return HASHER.check_needs_rehash(stored)


def _verify(stored: str, password: str) -> bool:
    try:
        return HASHER.verify(stored, password)
    except (VerificationError, InvalidHashError):
        return False


@cache
def _nobody() -> str:
    return hash_password(secrets.token_urlsafe())


def off_the_loop(work: Callable[[], Result]) -> Result:
    """Under gevent a hash in the loop would stop every other request: do it in a real thread."""
    if not is_patched():
        return work()
    result: Result = _thread_pool().apply(work)
    return result


@cache
def _thread_pool() -> Any:
    from gevent.threadpool import ThreadPool

    return ThreadPool(THREADS)
