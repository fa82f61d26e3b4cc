"""Folding: what a reader would call the same has one form."""

# ruff: noqa: RUF001 (letters that look like others are what this is about)

import pytest

from notiway.values.text.folding import fold, words


@pytest.mark.parametrize(
    "texts",
    [
        ("ärger", "ÄRGER", "Ärger", "A\u0308RGER", "arger"),
        ("σίσυφος", "ΣΊΣΥΦΟΣ", "Σίσυφοσ"),
        ("İstanbul", "istanbul", "ISTANBUL", "ıstanbul"),
        ("Straße", "STRASSE", "STRAẞE", "strasse"),
        ("é\u0301", "e", "É"),
        ("ﬁ", "FI"),
        ("ｶﾞｽ", "ガス"),
        ("１２３", "123"),
        ("ᾼ", "αι"),
    ],
)
def test_these_are_one(texts):
    assert len({fold(text) for text in texts}) == 1


@pytest.mark.parametrize(
    ("one", "other"),
    [("か", "が"), ("한", "하"), ("कि", "क"), ("שָׁ", "ש"), ("ก้", "ก"), ("ø", "o"), ("a b", "ab")],
)
def test_these_are_two(one, other):
    assert fold(one) != fold(other)


@pytest.mark.parametrize("text", ["ÄRGER", "İ", "ΐ", "ǰ", "Straße", "ﾃｽﾄ", "½ ﷺ", "plain"])
def test_what_is_folded_stays_as_it_is(text):
    assert fold(fold(text)) == fold(text)


@pytest.mark.parametrize(
    ("text", "expected"),
    [("Paid  INVOICE paid", ["paid", "invoice"]), ("a\u00a0b\u3000c", ["a", "b", "c"]), ("´", ["´"]), (" ", [" "])],
)
def test_words_are_told_apart_by_any_space(text, expected):
    assert words(text) == expected
