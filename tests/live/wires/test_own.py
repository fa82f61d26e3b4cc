"""Own templates: an application's, by the name of a notification; one that fails costs only itself."""

import logging

import pytest
from jinja2 import ChoiceLoader, DictLoader
from markupsafe import escape

from notiway.live.wires import own
from notiway.live.wires.html import HtmlWire
from notiway.values.event import Event
from notiway.values.item import Item

ROW, TOAST, BANNER = "notiway/item/_item.html", "notiway/toast/_toast.html", "events/system-announcement.html"
ID = "01a1fb5d-fb8a-73bd-9a80-6c53df77be0b"
BLOCKS = ("icon", "title", "text", "media", "meta", "actions")


@pytest.fixture
def env_of(app):
    """Makes environments whose application has these templates, by their paths."""

    def make(**templates):
        files = DictLoader({f"{path.replace('__', '/')}.html": text for path, text in templates.items()})
        return app.jinja_env.overlay(loader=ChoiceLoader([files, app.jinja_env.loader]))

    return make


def an_item(name="shipped", **values):
    given = {"type": "info", "priority": "medium", "title": "<Hi>", "message": "there", "created_at": 1}
    return Item(id=ID, audience="user:1", name=name, **(given | values))


def drawn(env, template, item):
    return own.draw(env, template, item.name, {"item": item, "toast": item})


@pytest.mark.parametrize("block", BLOCKS)
def test_a_row_of_a_name_fills_the_blocks_of_ours(env_of, block):
    text = '{% extends "notiway/item/_item.html" %}{% block ' + block + " %}[{{ item.title }}]{% endblock %}"
    env = env_of(notiway__items__shipped=text)
    row = drawn(env, ROW, an_item())
    assert f"[{escape('<Hi>')}]" in row
    assert f'data-notiway-id="{ID}"' in row
    assert "[" not in drawn(env, ROW, an_item("lost"))


@pytest.mark.parametrize(("ours", "folder"), [(ROW, "items"), (TOAST, "toasts"), (BANNER, "banners")])
def test_one_that_fails_is_drawn_by_ours_and_logged_once(env_of, caplog, ours, folder):
    env = env_of(**{f"notiway__{folder}__shipped": "{{ 1 / 0 }}"})
    for _ in range(3):
        assert "&lt;Hi&gt;" in drawn(env, ours, an_item())
    (record,) = caplog.records
    assert f"templates/notiway/{folder}/shipped.html" in record.getMessage()
    assert record.levelno == logging.ERROR


def test_one_that_cannot_be_compiled_is_there_and_drawn_by_ours(env_of, caplog):
    env = env_of(notiway__items__shipped="{% if %}")
    assert own.has(env, "notiway/items", "shipped")
    assert not own.has(env, "notiway/items", "lost")
    assert "&lt;Hi&gt;" in drawn(env, ROW, an_item())
    assert "templates/notiway/items/shipped.html" in caplog.text


def test_one_that_works_again_is_logged_again_when_it_fails(env_of, caplog):
    env = env_of(notiway__items__shipped="{% if item.message == 'bad' %}{{ 1 / 0 }}{% endif %}mine")
    for message in ("bad", "good", "bad"):
        drawn(env, ROW, an_item(message=message))
    assert len(caplog.records) == 2


def test_the_frame_of_an_event_brings_row_and_toast_of_its_name(env_of):
    env = env_of(notiway__items__shipped="<li data-notiway-id='x'>row</li>", notiway__toasts__shipped="<li>toast</li>")
    frame = HtmlWire(env).render(Event("created", "user:1", {"notification": an_item().as_dict(), "unread": 1}))
    assert "<li data-notiway-id='x'>row</li>" in frame
    assert f'<template data-notiway-toast="{ID}"><li>toast</li></template>' in frame
    assert frame.index("<template") < frame.index("row")
    plain = HtmlWire(env).render(Event("created", "user:1", {"notification": an_item("lost").as_dict(), "unread": 1}))
    assert "<template" not in plain


def test_a_banner_of_a_name_has_the_place_of_ours(env_of):
    text = '{% extends "events/system-announcement.html" %}{% block text %}[mine]{% endblock %}'
    env = env_of(notiway__banners__shipped=text)
    frame = HtmlWire(env).render(Event("created", "user:1", {"notification": an_item().as_dict(), "unread": 1}))
    assert 'data-notiway-into="[data-notiway-banners]"' in frame
    assert "[mine]" in frame
    # In one part, and before the row: so scripts can tell whether the page had a place for it.
    assert frame.index("[mine]") < frame.index('data-notiway-event="quiet"')
    assert "</hx-partial>" not in frame[frame.index("[mine]") : frame.index('data-notiway-event="quiet"')]


HOSTILE = '"><script>alert(1)</script>'
RICH = {
    "icon": "truck",
    "image": "https://cdn.example/parcel.png?a=1&b=2",
    "actor": {"image": "/ada.png", "url": "/people/ada"},
    "actions": [
        {"name": "approve", "label": HOSTILE, "url": None, "method": "post", "style": "primary"},
        {"name": "track", "label": "Track", "url": "/orders/7", "method": "get", "style": "secondary"},
    ],
}


@pytest.mark.parametrize("template", [ROW, TOAST])
def test_ours_draw_pictures_and_buttons_and_escape_them(env_of, template):
    text = drawn(env_of(), template, an_item(actor="Ada", details=RICH))
    assert 'class="nw-avatar" src="/ada.png"' in text
    assert 'class="nw-media" src="https://cdn.example/parcel.png?a=1&amp;b=2"' in text
    assert '<a class="nw-action" data-style="default" dir="auto" href="/orders/7">Track</a>' in text
    assert f'formaction="/notifications/{ID}/actions/approve"' in text
    assert 'data-style="primary"' in text
    assert "<script>" not in text


@pytest.mark.parametrize(("icon", "shown"), [("truck", "#notiway-icon-truck"), ("/truck.svg", 'src="/truck.svg"')])
def test_an_icon_is_a_symbol_or_a_picture(env_of, icon, shown):
    assert shown in drawn(env_of(), ROW, an_item(details={"icon": icon}))


@pytest.mark.parametrize(
    ("answer", "status", "said", "buttons"),
    [
        (None, "open", None, 1),
        ({"status": "pending", "endsAt": 2**45}, "pending", "Ada is on it", 0),
        ({"status": "pending", "endsAt": 1}, "failed", "It was interrupted", 1),
        ({"status": "done"}, "done", "done by", 0),
        ({"status": "done", "undo": {"action": "withdraw", "label": "Undo it"}}, "done", "Undo it", 1),
        ({"status": "failed", "message": "No stock"}, "failed", "No stock", 1),
    ],
)
def test_what_became_of_the_buttons_is_said(env_of, answer, status, said, buttons):
    whole = answer and {"action": "approve", "label": "Approve", "by": "1", "byName": "Ada", "at": 1, **answer}
    text = drawn(env_of(), ROW, an_item(details=RICH, answer=whole))
    assert f'data-status="{status}"' in text
    assert said is None or said in text
    pressable = text.count('class="nw-action"') - text.count('<a class="nw-action"')
    assert pressable - text.count("data-notiway-again hidden") == buttons
