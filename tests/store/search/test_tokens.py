"""Tokens: whatever a search may show is found by every token of the search."""

# ruff: noqa: RUF001 (letters that look like others are what this is about)

import pytest
from hypothesis import given
from hypothesis import strategies as st

from notiway.store.search.filters import Filters, says
from notiway.store.search.tokens import MOST, of_item, of_search
from notiway.values.text.folding import words

COLUMNS = {"type": "info", "source": "billing", "priority": "low"}
WORDS = st.text(st.sampled_from("aBcÄß1ıİΣς請求書が カ\u0301\u00a0ﬁ"), max_size=6)


@given(title=st.lists(WORDS), message=st.lists(WORDS), text=WORDS, source=st.sampled_from(["billing", None]))
def test_no_item_is_missed(title, message, text, source):
    title, message = " ".join(title), " ".join(message)
    if not text.strip() or not says(words(text), title, message):
        return
    wanted = of_search("ada", Filters(text=text, source=source))
    assert wanted is None or set(wanted) <= set(of_item("ada", COLUMNS, title, message))


@pytest.mark.parametrize("filters", [Filters(), Filters(state="read"), Filters(text="ab"), Filters(text="a 請")])
def test_what_tells_too_little_has_no_tokens(filters):
    assert of_search("ada", filters) is None


@pytest.mark.parametrize(
    ("filters", "count"),
    [
        (Filters(text="abc"), 2),
        (Filters(text="請求"), 2),
        (Filters(text="請求書"), 2),
        (Filters(type="info"), 2),
        (Filters(type="info", text="ab"), 2),
        (Filters(text="a very long text with a lot of words in it"), 1 + MOST),
    ],
)
def test_so_many_tokens_are_looked_up(filters, count):
    assert len(of_search("ada", filters)) == count


def test_numbers_tell_more_than_words():
    found = of_search("ada", Filters(text="invoice number of customer 4711"))
    assert set(of_search("ada", Filters(text="4711"))) <= set(found)


def test_another_users_item_has_another_token():
    assert not set(of_search("ada", Filters(type="info"))) <= set(of_item("bob", COLUMNS, "Hi", ""))
