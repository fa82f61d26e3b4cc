"""The HTML wire: one frame for every page of an audience, inert whatever it carries."""

import json
import re
from html.parser import HTMLParser

import pytest
from jinja2 import ChoiceLoader, DictLoader, Environment, FileSystemLoader

from notiway.folders import resources
from notiway.live.wires.html import COUNTS_ONLY, HtmlWire
from notiway.live.wires.parts import draw_each, draw_toast
from notiway.values.event import KINDS, Event
from notiway.values.item import Item

TEMPLATES = resources("templates")
ITEM = Item(
    "01890a5d-ac96-774b-bcce-b302099a8057", "user:ada", "n", "success", "high", "Hi", "there", 1_700_000_000_123
)
HOSTILE = [
    "<script>alert(1)</script>",
    '"><img src=x onerror=alert(1)>',
    "' onmouseover='alert(1)",
    "</hx-partial><hx-partial hx-target='body'>",
    "{{ 7 * 7 }}{% include 'x' %}",
    "<!-- --><svg/onload=alert(1)>",
    "javascript:alert(1)",
]
EVENTS = {
    "created": {"notification": ITEM.as_dict(), "unread": 3},
    "restored": {"notifications": [ITEM.as_dict()], "unread": 3},
    "read": {"ids": [ITEM.id], "unread": 3},
    "unread": {"ids": [ITEM.id], "unread": 3},
    "deleted": {"ids": [ITEM.id], "unread": 3},
    "recalled": {"ids": [ITEM.id], "unread": 3},
    "read_all": {"before": ITEM.id, "unread": 3},
    "answered": {"ids": [ITEM.id], "answer": None, "notification": ITEM.as_dict()},
    "sync": {"unread": 3},
    "joined": {"unread": 3, "audience": "group:ops"},
    "left": {"unread": 3, "audience": "group:ops"},
    "settings": {"revision": 1, "zone": "Europe/Berlin", "categories": {}},
}


@pytest.fixture(scope="module")
def wire():
    env = Environment(loader=FileSystemLoader(TEMPLATES), autoescape=True)
    return HtmlWire(with_globals(env))


def with_globals(env):
    env.globals |= {"notiway_url": lambda path: f"/prefix{path}"}
    env.globals |= {"notiway_each": draw_each, "notiway_toast": draw_toast}
    return env


class Tags(HTMLParser):
    """Every tag with its attributes, and the text between."""

    def __init__(self, text):
        super().__init__()
        self.tags, self.text = [], ""
        self.feed(text)
        self.close()

    def handle_starttag(self, tag, attrs):
        self.tags.append((tag, dict(attrs)))

    def handle_data(self, data):
        self.text += data


def test_every_kind_that_clients_hear_of_has_a_frame(wire):
    assert set(EVENTS) == KINDS - {"kick", "renewed", "read_each"}
    assert wire.render(Event("kick", "user:ada", {"session": None})) is None


@pytest.mark.parametrize("kind", EVENTS)
def test_a_frame_is_made_of_parts_for_what_is_incoming_and_the_badge(wire, kind):
    tags = Tags(wire.render(Event(kind, "user:ada", EVENTS[kind]))).tags
    targets = [attributes["hx-target"] for tag, attributes in tags if tag == "hx-partial"]
    counted = [] if kind in ("answered", "settings") else ["#notiway-badge"]
    assert targets == (counted if kind in COUNTS_ONLY else ["#notiway-incoming", *counted])


@pytest.mark.parametrize(("unread", "shown"), [(0, "0"), (1, "1"), (99, "99"), (100, "99+")])
def test_the_badge_is_capped(wire, unread, shown):
    for text in (wire.heartbeat(unread), wire.render(Event("sync", "user:ada", {"unread": unread}))):
        assert Tags(text).text.strip() == shown
        assert f'data-count="{unread}"' in text
        assert (" hidden" in text) is (unread == 0)


def test_where_the_count_is_not_known_the_badge_is_left_alone(wire):
    assert "notiway-badge" not in wire.render(Event("created", "global", {"notification": ITEM.as_dict()}))
    assert wire.render(Event("sync", "user:ada", {})) is None


@pytest.mark.parametrize("kind", ["read", "unread", "deleted", "recalled"])
def test_a_change_names_its_ids(wire, kind):
    tags = Tags(wire.render(Event(kind, "user:ada", {"ids": ["a", "b"], "unread": 1}))).tags
    (mark,) = [attributes for _, attributes in tags if "data-notiway-event" in attributes]
    assert (mark["data-notiway-event"], mark["data-ids"]) == (kind, "a b")


def test_a_connection_learns_its_id(wire):
    assert 'data-connection-id="c-1"' in wire.connected("c-1", 3)


@pytest.mark.parametrize("text", HOSTILE)
@pytest.mark.parametrize("field", ["title", "message", "source", "actor", "group_key", "name"])
def test_whatever_an_item_carries_it_comes_out_inert(wire, field, text):
    clean = Tags(wire.render(Event("created", "user:ada", {"notification": ITEM.as_dict(), "unread": 1})))
    hostile = {**ITEM.as_dict(), field: text}
    frame = Tags(wire.render(Event("created", "user:ada", {"notification": hostile, "unread": 1})))
    extra = {"span"} if field == "source" else set()
    assert {tag for tag, _ in frame.tags} - extra == {tag for tag, _ in clean.tags} - extra
    assert not [name for _, attributes in frame.tags for name in attributes if name.startswith("on")]
    if field in ("title", "message"):
        assert text in frame.text


@pytest.mark.parametrize("text", HOSTILE)
def test_an_error_comes_out_inert(wire, text):
    (mark,) = [attributes for _, attributes in Tags(wire.error("WrongInput", text)).tags if "data-code" in attributes]
    assert mark["data-message"] == text


def test_links_carry_the_prefix_of_the_site(wire):
    text = wire.render(Event("created", "user:ada", EVENTS["created"]))
    links = re.findall(r'(?:href|hx-put|hx-delete|formaction)="([^"]+)"', text)
    assert links
    assert all(link.startswith(("/prefix/", "#")) for link in links)


def test_a_frame_holds_nothing_of_one_viewer(wire):
    for kind, data in EVENTS.items():
        text = wire.render(Event(kind, "user:ada", data))
        assert "csrf" not in text.lower()
        assert wire.render(Event(kind, "user:bob", data)) == text


def test_the_words_of_a_notification_keep_their_spaces(wire):
    spaced = {**ITEM.as_dict(), "title": "a  >  <  b"}
    assert "a  >  <  b" in Tags(wire.render(Event("created", "user:ada", {"notification": spaced}))).text


@pytest.fixture
def wire_with():
    """Makes wires of a host that has these templates of its own: `wire_with({"frames/badge.html": "…"})`."""

    def make(own):
        files = DictLoader({f"notiway/{name}": text for name, text in own.items()})
        loader = ChoiceLoader([files, FileSystemLoader(TEMPLATES)])
        return HtmlWire(with_globals(Environment(loader=loader, autoescape=True)))

    return make


BROKEN = "{{ 1 / 0 }}"


@pytest.mark.parametrize(
    ("name", "say"),
    [
        ("frames/badge.html", lambda wire: wire.heartbeat(3)),
        ("frames/connected.html", lambda wire: wire.connected("c", 3)),
        ("frames/error.html", lambda wire: wire.error("WrongInput", "no")),
    ],
)
def test_a_frame_that_fails_says_nothing_and_is_logged_once(wire_with, caplog, name, say):
    wire = wire_with({name: BROKEN})
    assert [say(wire) for _ in range(3)] == [None] * 3
    (record,) = caplog.records
    assert f"templates/notiway/{name}" in record.getMessage()


def test_a_row_that_fails_is_left_out_and_its_neighbours_and_the_badge_come(wire_with, caplog):
    own = {"item/_item.html": "{% if item.title == 'Bad' %}{{ 1 / 0 }}{% endif %}<li>{{ item.title }}</li>"}
    wire = wire_with(own)
    items = [{**ITEM.as_dict(), "title": title} for title in ("Good", "Bad", "Fine")]
    frame = wire.render(Event("restored", "user:ada", {"notifications": items, "unread": 3}))
    assert [word for word in ("Good", "Bad", "Fine") if f"<li>{word}</li>" in frame] == ["Good", "Fine"]
    assert "notiway-badge" in frame
    assert "notiway/item/_item.html" in caplog.text
    assert ITEM.id in caplog.text


def test_settings_come_whole_in_one_attribute_whatever_a_topic_is_called(wire):
    data = {"revision": 2, "categories": {"'\"><script>/info": {"toast": False}}}
    [attributes] = [given for tag, given in Tags(wire.render(Event("settings", "user:7", data))).tags if tag == "i"]
    assert json.loads(attributes["data-settings"]) == data
