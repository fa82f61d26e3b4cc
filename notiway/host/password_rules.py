"""Password rules: long enough, and not what others guess first. Nothing about kinds of characters (ASVS 5.0, 6.2)."""

from __future__ import annotations

import re
import threading
from collections.abc import Iterable

from notiway.host.passwords import MAX_LENGTH, off_the_loop

SHORTEST = 12  # characters
LOOKED_AT = 32  # characters that are estimated; the work grows with the square
# The estimate tries every way to read signs as letters: "4@8({[<3" twice over would keep it busy for 20 seconds.
# One sign for each letter says as much about a password.
ONE_SIGN = str.maketrans("@{[<!|$+", "4(((1157")
GOOD_SCORE = 3  # of 4: more than a hundred million guesses
PRODUCT = "notiway"

_one_at_a_time = threading.Lock()  # the library keeps the words of the user at hand in one place for all


def fault(password: str, about: Iterable[str] = ()) -> str:
    """What is wrong with a new password, for its user to read; empty when it is good.

    `about` is what everybody knows of the user: name, e-mail address.

    >>> fault("password1234")
    'This password is easy to guess. Add another word or two; unusual words are better.'
    """
    if len(password) < SHORTEST:
        return f"A password has at least {SHORTEST} characters. A few unusual words are a good one."
    if len(password) > MAX_LENGTH:
        return f"A password has at most {MAX_LENGTH} characters."
    words = _words(about)
    if off_the_loop(lambda: _score(looked_at(password), words)) < GOOD_SCORE:
        return "This password is easy to guess. Add another word or two; unusual words are better."
    return ""


def looked_at(password: str) -> str:
    """The part of a password that is estimated, in signs that keep the work bounded."""
    return password[:LOOKED_AT].translate(ONE_SIGN)


def _score(password: str, words: list[str]) -> int:
    from zxcvbn import zxcvbn  # 2 MB of word lists, which only those need who choose a password

    with _one_at_a_time:
        score: int = zxcvbn(password, words)["score"]
    return score


def _words(about: Iterable[str]) -> list[str]:
    """Each text, the part before its @, its words, and these in one."""
    words = {PRODUCT}
    for text in about:
        parts = re.findall(r"\w+", text.casefold())
        words |= {looked_at(text.casefold()), text.casefold().partition("@")[0], "".join(parts), *parts}
    return sorted(words - {""})
