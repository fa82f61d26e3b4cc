"""Checks of texts and addresses that others wrote; tests/values/test_draft.py asks them more closely."""

import pytest

from notiway.values.errors import Fault
from notiway.values.text.checks import TEXT_FAULT, is_safe_url, text_faults


@pytest.mark.parametrize("url", ["/orders/7", "https://a.example/x?y=1", "http://a.example"])
def test_an_address_that_readers_may_follow(url):
    assert is_safe_url(url)


@pytest.mark.parametrize("url", [None, "", "//a.example", "javascript:x", "data:image/png;base64,AA", "/a b", "x"])
def test_an_address_that_is_refused(url):
    assert not is_safe_url(url)


def test_each_text_has_one_fault_at_most():
    assert text_faults("a", "fine", 10, required=True) == []
    assert text_faults("a", "\x00" * 3, 10) == [Fault("a", TEXT_FAULT)]
    assert text_faults("a", " ", 10, required=True) == [Fault("a", "must not be empty")]
