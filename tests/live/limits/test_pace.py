"""Pace: each key is let through at its own bounded rate."""

from notiway.live.limits.pace import REMEMBER_KEYS, Pace


def test_a_pace_forgets_the_oldest_keys():
    pace = Pace(clock=lambda: 0.0)
    assert all(pace.due(str(number), 1) for number in range(REMEMBER_KEYS + 1))
    assert pace.due("0", 1)
    assert not pace.due(str(REMEMBER_KEYS), 1)


def test_a_key_is_due_once_in_its_time():
    now = [0.0]
    pace = Pace(clock=lambda: now[0])
    seen = []
    for tenth in range(10):
        now[0] = tenth / 10
        seen.append(pace.due("import", 0.3))
    assert seen == [True, False, False] * 3 + [True]


def test_one_key_never_holds_back_another():
    pace = Pace(clock=lambda: 0.0)
    assert (pace.due("import", 1), pace.due("export", 1)) == (True, True)


def test_a_key_that_was_forgotten_is_due_at_once():
    pace = Pace(clock=lambda: 0.0)
    assert pace.due("import", 1)
    pace.forget("import")
    pace.forget("never seen")
    assert pace.due("import", 1)
