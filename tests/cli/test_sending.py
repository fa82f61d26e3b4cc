"""The send command reaches whoever is named, and says when open pages will not hear of it."""

import pytest

from notiway.store import inbox


def test_send_reaches_an_id_an_address_and_an_audience(notiway, app, user):
    for to in (user.id, "ADA@example.com", f"user:{user.id}", "global"):
        result = notiway("send", to, "--title", f"To {to}", "--type", "warning", "--source", "shell")
        assert result.exit_code == 0, result.output
    with app.app_context():
        inbox.catch_up(user.id)
        titles = {item.title for item in inbox.feed(user.id).items}
    assert titles == {f"To {to}" for to in (user.id, "ADA@example.com", f"user:{user.id}", "global")}


def test_a_command_says_when_open_pages_will_not_hear_it(notiway, user):
    result = notiway("send", user.id, "--title", "Hi")
    assert "heartbeat" in result.stderr  # the test application runs with NOTIWAY_JOBS=off


@pytest.mark.parametrize(
    ("words", "code", "reason"),
    [
        (("send", "nobody", "--title", "Hi"), 1, "no user nobody"),
        (("send", "nobody@example.com", "--title", "Hi"), 1, "no user"),
        (("send", "ada@example.com"), 2, "--title"),
        (("send", "ada@example.com", "--title", "x" * 201), 1, "title"),
        (("send", "ada@example.com", "--title", "Hi", "--type", "loud"), 2, "loud"),
        (("send", "ada@example.com", "--title", "Hi", "--action-url", "javascript:alert(1)"), 1, "action_url"),
    ],
)
def test_what_cannot_be_done_is_refused_with_a_reason(refused, user, words, code, reason):
    assert reason in refused(code, *words)
