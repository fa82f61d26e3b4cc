"""Fields: what requests say, and what is refused."""

import pytest

from notiway.values.clock import DAY_MS, now_ms


@pytest.mark.parametrize(
    ("said", "path"),
    [
        ({}, "until"),
        ({"until": "tomorrow"}, "until"),
        ({"until": -5}, "until"),
        ({"until": 1.5}, "until"),
        ({"until": True}, "until"),
        ({"until": [1]}, "until"),
        ({"until": "9" * 400}, "until"),
        ({"until": 1}, "until"),
        ({"until": 2**52}, "until"),
        ({"minutes": "x"}, "minutes"),
        ({"minutes": 0}, "until"),
        ({"minutes": 366 * 24 * 60 + 1}, "minutes"),
        ({"until": 1, "minutes": 1}, "until"),
    ],
)
def test_a_wrong_moment_is_named_and_nothing_changes(browser, user, send, said, path):
    one = send(user).id
    answer = browser.put(f"/notifications/{one}/snooze", form="json", json=said)
    assert answer.status_code == 400
    assert [fault["path"] for fault in answer.json["error"]["fields"]] == [path]
    assert browser.get("/notifications", form="json").json["unreadCount"] == 1


@pytest.mark.parametrize("as_text", [False, True])
def test_a_moment_may_be_a_number_or_its_text_and_minutes_count_from_now(browser, user, send, as_text):
    one = send(user).id
    until = now_ms() + DAY_MS
    answer = browser.put(f"/notifications/{one}/snooze", form="json", json={"until": str(until) if as_text else until})
    assert answer.json["snoozedUntil"] == until
    before = now_ms()
    answer = browser.put(f"/notifications/{one}/snooze", form="json", json={"minutes": "10" if as_text else 10})
    assert before <= answer.json["snoozedUntil"] - 600_000 <= now_ms()
