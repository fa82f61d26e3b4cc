"""Tokens: small numbers that stand for what can be looked for in an item; whatever is found by them is looked at again.

So two texts may share a number. A word has those of all its parts of three letters, and of two outside ASCII: Chinese
and Japanese words are that short, and stand without spaces between them.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from functools import lru_cache
from zlib import crc32

from notiway.store.search.filters import Filters
from notiway.values.text.folding import fold

LARGEST = 2**31 - 1  # an integer of PostgreSQL
MOST = 6  # parts of words that one search looks up: each costs time, and a few tell enough


def of_item(user_id: str, columns: dict[str, str | None], title: str, message: str) -> list[int]:
    """What an item in this user's inbox is found by; `columns` as in `Filters.columns`."""
    parts: set[str] = set()
    for word in set(fold(f"{title}\n{message}").split()):
        parts.update(_parts(word, 3))
        if not word.isascii():
            parts.update(_parts(word, 2))
    return sorted({*_fixed(user_id, columns), *map(_number, parts)})


def of_search(user_id: str, filters: Filters) -> list[int] | None:
    """What every item that passes the filters is found by; None if that is no more than whose inbox it is in."""
    parts = [part for word in filters.words for part in _parts(word, 3 if word.isascii() else min(3, len(word)))]
    # Words of one letter, or of two in ASCII, have none.
    chosen = [part for part in dict.fromkeys(parts) if len(part) > 1]
    tokens = [*_fixed(user_id, filters.columns), *map(_number, _telling(chosen))]
    return tokens if len(tokens) > 1 else None


def _telling(parts: Sequence[str]) -> list[str]:
    """The parts that tell most: numbers and what is rarely written before plain letters, and those spread evenly."""
    rare = [part for part in parts if not (part.isascii() and part.isalpha())][:MOST]
    plain = [part for part in parts if part not in rare]
    room = min(MOST - len(rare), len(plain))
    return rare + [plain[at * len(plain) // room] for at in range(room)]


def _fixed(user_id: str, columns: dict[str, str | None] | dict[str, str]) -> Iterable[int]:
    return [_number(f"user={user_id}"), *(_number(f"{column}={value}") for column, value in columns.items() if value)]


def _parts(word: str, length: int) -> Sequence[str]:
    return [word[at : at + length] for at in range(len(word) - length + 1)]


@lru_cache(maxsize=65_536)  # some megabytes; most of what is listed was seen before
def _number(text: str) -> int:
    return crc32(text.encode("utf-8", "surrogatepass")) & LARGEST
