"""Changing: what a request names is changed, what it leaves out stays, and every fault is named at once."""

import pytest

from notiway.values.attention.attention import Attention
from notiway.values.attention.changing import changed
from notiway.values.attention.schedule import Schedule
from notiway.values.errors import InvalidSettings
from notiway.values.kinds.registry import Kinds

NOON = 1_780_315_200_000  # Monday 1 June 2026, 12:00 UTC
HOUR = 3_600_000


def change(given, before=None):
    return changed(before or Attention(), given, Kinds(), NOON)


def test_what_is_left_out_stays():
    before = Attention(sound=True, volume=70)
    assert change({"motion": "reduced"}, before) == Attention(sound=True, volume=70, motion="reduced")


def test_everything_can_be_changed_at_once():
    given = {
        "zone": "Europe/Berlin", "urgentBreaksThrough": True, "toastSeconds": 0, "browser": True, "sound": True,
        "volume": 100, "motion": "reduced", "density": "compact", "shortcuts": False, "pause": "1h",
        "categories": {"orders": {"toast": False}},
        "schedule": {"on": True, "days": ["sun", "mon"], "from": "21:00", "to": "06:30"},
    }  # fmt: skip
    assert change(given) == Attention(
        zone="Europe/Berlin", urgent_breaks_through=True, toast_seconds=0, browser=True, sound=True, volume=100,
        motion="reduced", density="compact", shortcuts=False, paused_until=NOON + HOUR,
        categories={"orders": {"toast": False}},
        schedule=Schedule(on=True, days=("mon", "sun"), begins="21:00", ends="06:30"),
    )  # fmt: skip


def test_tomorrow_is_that_of_the_zone_that_comes_with_it():
    assert change({"zone": "Asia/Tokyo", "pause": "tomorrow"}).paused_until == NOON + 11 * HOUR


def test_a_part_of_the_schedule_can_be_changed_alone():
    before = Attention(schedule=Schedule(on=True, days=("mon",), begins="20:00", ends="06:00"))
    assert change({"schedule": {"to": "07:15"}}, before).schedule == Schedule(True, ("mon",), "20:00", "07:15")


def test_other_hours_hold_at_once_also_where_the_old_ones_were_ended():
    awake = Attention(schedule=Schedule(on=True), awake_until=NOON + HOUR)
    assert change({"schedule": {"from": "11:00"}}, awake).awake_until is None
    assert change({"sound": True}, awake).awake_until == NOON + HOUR


@pytest.mark.parametrize(
    ("given", "path"),
    [
        ({"zone": "Mars/Olympus"}, "zone"),
        ({"zone": "../../etc/passwd"}, "zone"),
        ({"zone": ["UTC"]}, "zone"),
        ({"pause": "forever"}, "pause"),
        ({"pause": None}, "pause"),
        ({"toastSeconds": 7}, "toastSeconds"),
        ({"toastSeconds": False}, "toastSeconds"),
        ({"volume": 101}, "volume"),
        ({"volume": True}, "volume"),
        ({"volume": 1.5}, "volume"),
        ({"motion": "wild"}, "motion"),
        ({"density": "dense"}, "density"),
        ({"sound": 1}, "sound"),
        ({"smell": True}, "smell"),
        ({"categories": []}, "categories"),
        ({"schedule": True}, "schedule"),
        ({"schedule": {"from": "24:00"}}, "schedule.from"),
        ({"schedule": {"to": "7:00"}}, "schedule.to"),
        ({"schedule": {"days": ["someday"]}}, "schedule.days"),
        ({"schedule": {"days": "mon"}}, "schedule.days"),
        ({"schedule": {"on": "yes"}}, "schedule.on"),
        ({"schedule": {"on": True, "days": []}}, "schedule.days"),
        ({"schedule": {"until": "07:00"}}, "schedule.until"),
    ],
)
def test_a_fault_is_named(given, path):
    with pytest.raises(InvalidSettings) as refused:
        change(given)
    assert [fault.path for fault in refused.value.faults] == [path]


def test_all_faults_are_named_at_once():
    with pytest.raises(InvalidSettings) as refused:
        change({"volume": -1, "zone": "x", "sound": True})
    assert [fault.path for fault in refused.value.faults] == ["volume", "zone"]
