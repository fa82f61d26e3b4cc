"""Faults: what a live client hears of something that failed, and what only the log does."""

from __future__ import annotations

import logging

from notiway.values.errors import NotFound, NotiwayError
from notiway.web.sockets.faults import OURS, told


def failing(error: Exception) -> tuple[str, str]:
    try:
        raise error
    except (NotiwayError, KeyError) as caught:
        return told(caught, "an action")


def test_a_known_error_is_told_as_it_is():
    assert failing(NotiwayError("no")) == (NotiwayError.code, "no")
    assert failing(NotFound("gone"))[0] == NotFound.code


def test_an_unknown_error_tells_nothing_of_itself_and_is_logged(caplog):
    with caplog.at_level(logging.ERROR):
        assert failing(KeyError("a secret")) == OURS
    assert "an action failed" in caplog.text
