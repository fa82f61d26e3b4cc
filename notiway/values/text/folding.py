"""Folding: one form for texts that a reader would call the same, in every script."""

# ruff: noqa: RUF001, RUF002 (letters that look like others are what this is about)

from __future__ import annotations

import re
import unicodedata

# Accents and other marks on Latin, Greek and Cyrillic letters. Marks of other scripts are vowels, or part of a letter.
ACCENTS = re.compile("[\u0300-\u036f]")
DOTLESS_I = str.maketrans({"ı": "i"})  # the capital of it is I, which stands for i everywhere else


def fold(text: str) -> str:
    """The text without case, accents and forms of width; spaces stay where they are.

    >>> fold("ÄRGER im Café"), fold("ΣΊΣΥΦΟΣ"), fold("Straße, İstanbul"), fold("ﾃｽﾄ １２３")
    ('arger im cafe', 'σισυφοσ', 'strasse, istanbul', 'テスト 123')
    """
    if text.isascii():
        return text.lower()
    plain = unicodedata.normalize("NFKD", unicodedata.normalize("NFKD", text).casefold())
    return unicodedata.normalize("NFKC", ACCENTS.sub("", plain).translate(DOTLESS_I))


def words(text: str) -> list[str]:
    """The different words of a text, folded, in order; where folding leaves nothing, the text as it is.

    >>> words("Paid  INVOICE paid")
    ['paid', 'invoice']
    """
    return list(dict.fromkeys(fold(text).split())) or [text]
