"""Security events: one line each, with its fields, at the level that a watch on the log can filter by."""

import json
import logging

import pytest

from notiway import security_log


@pytest.fixture
def note(caplog):
    """Notes an event; the one record that it left."""
    caplog.set_level(logging.INFO, logger="notiway.security")

    def note_one(event, **fields):
        caplog.clear()
        security_log.note(event, **fields)
        (record,) = caplog.records
        return record

    return note_one


def test_an_event_is_one_line_with_its_fields_and_also_has_them_apart(note):
    record = note("signed_in", user="42", address="192.0.2.7")
    assert record.name == "notiway.security"
    assert record.getMessage() == 'signed_in user="42" address="192.0.2.7"'
    assert (record.event, record.user, record.address) == ("signed_in", "42", "192.0.2.7")


def test_what_is_not_known_is_left_out(note):
    record = note("sign_in_refused", user=None, address="192.0.2.7")
    assert record.getMessage() == 'sign_in_refused address="192.0.2.7"'
    assert not hasattr(record, "user")


@pytest.mark.parametrize(
    ("event", "level"),
    [
        ("sign_in_refused", logging.WARNING),
        ("user_throttled", logging.WARNING),
        ("signed_in", logging.INFO),
        ("token_not_made", logging.INFO),
    ],
)
def test_what_was_refused_or_slowed_down_is_a_warning(note, event, level):
    assert note(event).levelno == level


@pytest.mark.parametrize("value", ["a\nsigned_in", "a\r\nsigned_in", "a\u2028b", 'a" user="bob', "a\x1b[2Jb", "\\"])
def test_a_value_stays_in_its_line_and_in_its_quotes(note, value):
    text = note("origin_refused", origin=value).getMessage()
    assert text.isascii()
    assert text.isprintable()
    assert json.loads(text.removeprefix("origin_refused origin=")) == value
