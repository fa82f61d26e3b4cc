"""Details: what is rich about a notification, and every fault of it under its path."""

import json

import pytest

from notiway.values.kinds.action import Action
from notiway.values.kinds.actor import Actor
from notiway.values.kinds.details import (
    LABEL_LIMIT,
    MOST_ACTIONS,
    actor_name,
    answered_faults,
    detail_faults,
    details_of,
    post_actions,
)

APPROVE = Action("Approve", method="post", style="primary")
GOOD = details_of(
    icon="truck",
    category="orders",
    image="https://cdn.example/parcel.png",
    actor=Actor("Ada", image="/avatars/ada.png", url="/people/ada"),
    actions=[APPROVE, Action("Track", "/orders/7")],
)


def paths(**given):
    return [fault.path for fault in detail_faults(details_of(**given))]


def test_where_nothing_is_rich_nothing_is_stored():
    assert details_of() is None
    assert details_of(actor="Ada", actions=[]) is None
    assert detail_faults(None) == []


def test_good_details_are_json_without_a_fault():
    assert detail_faults(GOOD) == []
    assert json.loads(json.dumps(GOOD)) == GOOD
    assert GOOD["actor"] == {"image": "/avatars/ada.png", "url": "/people/ada"}
    assert [each["name"] for each in GOOD["actions"]] == ["approve", "track"]


def test_an_actor_and_actions_may_come_as_json():
    actor = {"name": "Ada", "image": "/avatars/ada.png", "url": "/people/ada"}
    actions = [
        {"label": "Approve", "method": "post", "style": "primary"},
        {"label": "Track", "url": "/orders/7", "x": 1},
    ]
    given = {"icon": "truck", "category": "orders", "image": "https://cdn.example/parcel.png"}
    assert details_of(**given, actor=actor, actions=actions) == GOOD
    assert actor_name(actor) == actor_name(Actor("Ada")) == actor_name("Ada") == "Ada"
    assert actor_name({"image": "/a.png"}) is None


@pytest.mark.parametrize(
    "icon", ["", "Truck", "a b", "../x", "x" * 101, "javascript:alert(1)", "//evil.example/a.png", 7]
)
def test_an_icon_is_a_symbol_or_an_address(icon):
    assert paths(icon=icon) == ["icon"]


@pytest.mark.parametrize(
    "url", ["javascript:x", "data:image/png;base64,AA", "//evil.example", "a.png", "/\\evil", "", 7]
)
def test_addresses_are_those_that_may_be_followed(url):
    actor = Actor("Ada", image=url, url=url)
    assert paths(image=url, actor=actor) == ["image", "actor.image", "actor.url"]
    assert paths(actions=[Action("Go", url)]) == ["actions[0].url"]


@pytest.mark.parametrize("url", ["https://a.example/", "//a.example", "javascript:x", ""])
def test_what_is_called_is_a_path_of_this_application(url):
    assert paths(actions=[Action("Go", url, method="post")]) == ["actions[0].url"]


def test_every_fault_of_every_action_is_named():
    actions = [
        Action("", method="put", style="huge"),
        "Approve",
        Action("x" * (LABEL_LIMIT + 1), "/a"),
        Action("承認", "/a"),
        Action("Go"),
    ]
    assert paths(actions=actions) == [
        "actions[0].label",
        "actions[0].method",
        "actions[0].style",
        "actions[1]",
        "actions[2].label",
        "actions[3].name",
        "actions[4].url",
    ]


def test_actions_have_names_of_their_own_and_are_few():
    assert paths(actions=[Action("Go", "/a"), Action("go", "/b")]) == ["actions[1].name"]
    many = [Action(f"Go {number}", "/a") for number in range(MOST_ACTIONS + 1)]
    assert paths(actions=many[:-1]) == []
    assert paths(actions=many) == ["actions"]


@pytest.mark.parametrize("actions", ["Approve", 7, {"label": "Approve"}])
def test_what_is_no_list_of_actions_is_named(actions):
    assert paths(actions=actions) == ["actions"]


@pytest.mark.parametrize("wrong", [Action(7, 7, 7, 7, 7), {"label": 7, "url": [], "method": {}, "style": 7, "name": 7}])
def test_no_value_makes_the_checks_fail(wrong):
    assert set(paths(actions=[wrong, wrong])) > {"actions[0].label", "actions[1].style"}


def test_an_answer_needs_a_notification_that_is_stored():
    assert [path for path, _ in post_actions(GOOD)] == ["actions[0]"]
    assert answered_faults(GOOD, True) == []
    assert [fault.path for fault in answered_faults(GOOD, False)] == ["actions"]
    assert answered_faults(details_of(actions=[Action("Track", "/orders/7")]), False) == []
