"""JSON text: read strictly (RFC 8259), and never nested so deeply that walking through it fails."""

from __future__ import annotations

import codecs
import json
import re
from collections.abc import Iterator
from itertools import chain
from typing import Any, NoReturn

from pydantic_core import from_json

from notiway.values.errors import TooLarge

HALF_PAIR = "\\ud"  # how the escape of each half begins
MAX_DEPTH = 200  # levels of objects and lists: far below where Python's own recursion ends
PIECE = 1024 * 1024  # bytes that are read at once: the parser takes some milliseconds for them, and never pauses
WHITESPACE = re.compile(r"[ \t\n\r]*")
NEAR_END = 16  # characters: longer than any sign of JSON that can be cut in two, except texts


def read(text: str | bytes) -> Any:
    """The value that a JSON text stands for; `ValueError`, with the reason, for everything else.

    >>> read('{"a": [1]}')
    {'a': [1]}
    """
    try:
        value = from_json(text, allow_inf_nan=False)
    except ValueError:
        value = _read_closely(text)
    signs = (b"[", b"{") if isinstance(text, bytes) else ("[", "{")
    if sum(map(text.count, signs)) > MAX_DEPTH and is_deeper(value, MAX_DEPTH):  # type: ignore[arg-type]
        raise ValueError(_TOO_DEEP)
    return value


def _read_closely(text: str | bytes) -> Any:
    """What the quick parser refuses: other encodings, half a surrogate pair. This one says what is wrong."""
    if isinstance(text, bytes):
        text = text.decode(json.detect_encoding(text), "surrogatepass")
    try:
        return _DECODER.decode(text)
    except RecursionError:  # the parser's own: it calls itself for each level
        raise ValueError(_TOO_DEEP) from None


def read_message(text: str) -> Any:
    """The same for what a live client says, with "?" for each half of a surrogate pair, which nothing could store.

    >>> read_message('["\\\\ud800"]')
    ['?']
    """
    value = read(text)
    if HALF_PAIR in text.lower():
        value = json.loads(json.dumps(value, ensure_ascii=False).encode(errors="replace"))
    return value


def read_elements(data: bytes, piece: int = PIECE) -> Iterator[Any]:
    """The elements of a long list one by one, so that whoever takes them can pause in between.

    `ValueError` as from `read`, once the fault is reached; `TooLarge` for what is no list, or has an element of more
    than about `piece` bytes.

    >>> list(read_elements(b'[1, {"a": 2}]'))
    [1, {'a': 2}]
    """
    text = _Window(data, piece)
    if text.sign() != "[":
        raise TooLarge(f"At most {piece} bytes, unless it is a list")
    text.at += 1
    ends = text.sign() == "]"
    while not ends:
        yield text.value()
        sign = text.sign()
        if sign not in (",", "]"):
            raise ValueError(f"Expecting ',' delimiter: {text.place()}")
        ends = sign == "]"
        text.at += not ends
    text.at += 1
    if text.sign():
        raise ValueError(f"Extra data: {text.place()}")


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


class _Window:
    """The part of a long text that is being read, of more than `piece` characters unless the text ends before."""

    def __init__(self, data: bytes, piece: int) -> None:
        self._data = data
        self._piece = piece
        self._decode = codecs.getincrementaldecoder(json.detect_encoding(data))("surrogatepass").decode
        self._fed = 0
        self._passed = 0  # characters before `text`
        self.text = ""
        self.at = 0

    def sign(self) -> str:
        """The next character that is no whitespace; nothing at the end."""
        while True:
            self._fill()
            self.at = WHITESPACE.match(self.text, self.at).end()  # type: ignore[union-attr]
            if self.at < len(self.text) or self._is_last:
                return self.text[self.at : self.at + 1]

    def value(self) -> Any:
        """The JSON value that begins here."""
        self.sign()
        self._fill()
        try:
            value, self.at = _DECODER.raw_decode(self.text, self.at)
        except RecursionError:
            raise ValueError(_TOO_DEEP) from None
        except json.JSONDecodeError as error:
            is_cut = error.pos > len(self.text) - NEAR_END or error.msg.startswith("Unterminated")
            if is_cut and not self._is_last:
                raise TooLarge(f"At most {self._piece} bytes in one element of a list") from None
            self.at = error.pos
            raise ValueError(f"{error.msg}: {self.place()}") from None
        if is_deeper(value, MAX_DEPTH - 1):
            raise ValueError(_TOO_DEEP)
        return value

    def place(self) -> str:
        return f"char {self._passed + self.at}"

    @property
    def _is_last(self) -> bool:
        return self._fed >= len(self._data)

    def _fill(self) -> None:
        if len(self.text) - self.at > self._piece or self._is_last:
            return
        part = self._data[self._fed : self._fed + 2 * self._piece]
        self._fed += len(part)
        self._passed += self.at
        self.text = self.text[self.at :] + self._decode(part, self._is_last)
        self.at = 0


def _refuse_constant(name: str) -> NoReturn:
    raise ValueError(f"{name} is not JSON")


_DECODER = json.JSONDecoder(parse_constant=_refuse_constant)  # json.loads would make one for each text
_TOO_DEEP = f"it is more than {MAX_DEPTH} levels deep"
