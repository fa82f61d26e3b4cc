"""The form of the settings page, as a browser without JavaScript sends it."""

from werkzeug.datastructures import MultiDict

from notiway.web.attention.form import changes_of


def test_a_box_that_is_not_ticked_is_off_only_if_the_form_has_it():
    assert changes_of(MultiDict([("part", "sound"), ("part", "urgent"), ("urgent", "on")])) == {
        "sound": False, "urgentBreaksThrough": True,
    }  # fmt: skip
    assert changes_of(MultiDict()) == {}


def test_the_schedule_comes_whole():
    fields = [
        ("part", "schedule"),
        ("schedule", "on"),
        ("days", "mon"),
        ("days", "fri"),
        ("from", "21:00"),
        ("to", "06:00"),
    ]
    assert changes_of(MultiDict(fields)) == {
        "schedule": {"on": True, "days": ["mon", "fri"], "from": "21:00", "to": "06:00"}
    }


def test_topics_have_a_box_for_each_channel():
    fields = [("part", "topic:orders"), ("part", "topic:a/info"), ("toast_for", "orders"), ("sound_for", "a/info")]
    assert changes_of(MultiDict(fields))["categories"] == {
        "orders": {"toast": True, "browser": False, "sound": False},
        "a/info": {"toast": False, "browser": False, "sound": True},
    }


def test_numbers_are_numbers_and_what_is_none_is_left_to_the_checks():
    assert changes_of(MultiDict({"toast_seconds": "", "volume": "70"})) == {"toastSeconds": None, "volume": 70}
    assert changes_of(MultiDict({"volume": "loud"})) == {"volume": "loud"}
    assert changes_of(MultiDict({"zone": ""})) == {"zone": None}
