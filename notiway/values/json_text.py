"""JSON text: read strictly (RFC 8259), and never nested so deeply that walking through it fails."""

from __future__ import annotations

import json
from itertools import chain
from typing import Any, NoReturn

HALF_PAIR = "\\ud"  # how the escape of each half begins
MAX_DEPTH = 200  # levels of objects and lists: far below where Python's own recursion ends


def read(text: str | bytes) -> Any:
    """The value that a JSON text stands for; `ValueError`, with the reason, for everything else.

    >>> read('{"a": [1]}')
    {'a': [1]}
    """
    if isinstance(text, bytes):
        text = text.decode(json.detect_encoding(text), "surrogatepass")
    try:
        value = _DECODER.decode(text)
    except RecursionError:  # the parser's own: it calls itself for each level
        raise ValueError(_TOO_DEEP) from None
    if is_deeper(value, MAX_DEPTH):
        raise ValueError(_TOO_DEEP)
    return value


def read_message(text: str) -> Any:
    """The same for what a live client says, with "?" for each half of a surrogate pair, which nothing could store.

    >>> read_message('["\\\\ud800"]')
    ['?']
    """
    value = read(text)
    if HALF_PAIR in text.lower():
        value = json.loads(json.dumps(value, ensure_ascii=False).encode(errors="replace"))
    return value


def is_deeper(value: object, levels: int) -> bool:
    """Whether objects and lists lie in each other more than so many levels deep. Takes no recursion, so it ends.

    >>> is_deeper([[1]], 2), is_deeper([[1]], 1)
    (False, True)
    """
    level = _containers([value])
    for _ in range(levels):
        if not level:
            return False
        inner = (outer.values() if isinstance(outer, dict) else outer for outer in level)
        level = _containers(chain.from_iterable(inner))
    return bool(level)


def _containers(values: Any) -> list[Any]:
    # Each only once: what is shared, or holds itself, would multiply from level to level.
    return list({id(value): value for value in values if isinstance(value, dict | list | tuple)}.values())


def _refuse_constant(name: str) -> NoReturn:
    raise ValueError(f"{name} is not JSON")


_DECODER = json.JSONDecoder(parse_constant=_refuse_constant)  # json.loads would make one for each text
_TOO_DEEP = f"it is more than {MAX_DEPTH} levels deep"
