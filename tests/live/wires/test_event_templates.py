"""How a notification is drawn is chosen by its name: one template is one more kind of event."""

import json
import logging

import pytest
from conftest import SECRET_KEY
from jinja2 import ChoiceLoader, DictLoader

from notiway.host.app import create_app
from notiway.live.wires import own
from notiway.live.wires.html import HtmlWire
from notiway.values.event import Event
from notiway.values.item import Item

OWN = (
    '<p id="order-{{ body.orderId }}" data-notiway-into="#orders">'
    "{{ item.title }}, <b>{{ body.orderId }}</b> <i>now</i></p>"
)

REPORT = {"taskId": "7", "status": "processing", "progress": 45}


@pytest.fixture
def wire_of(app):
    """Makes wires whose application has these files in `templates/`, before Notiway's own."""

    def make(**templates):
        own = DictLoader({f"events/{name.replace('_', '-')}.html": text for name, text in templates.items()})
        return HtmlWire(app.jinja_env.overlay(loader=ChoiceLoader([own, app.jinja_env.loader])))

    return make


def created(name="order-shipped", persisted=False, **values):
    defaults = {"title": "Order shipped", "message": "", "type": "info", "priority": "medium", "created_at": 1}
    item = Item(
        id="01a1fb5d-fb8a-73bd-9a80-6c53df77be0b",
        audience="user:1",
        name=name,
        persisted=persisted,
        **(defaults | values),
    )
    return Event("created", "user:1", {"notification": item.as_dict(), "unread": 1 if persisted else None})


def test_a_name_without_a_template_is_a_row_and_a_toast(wire_of):
    frame = wire_of().render(created())
    assert "data-transient" in frame
    assert "data-notiway-event" not in frame


def test_a_template_of_that_name_draws_the_event_as_it_is_written(wire_of):
    wire = wire_of(order_shipped=OWN)
    frame = wire.render(created(body={"orderId": "<7>"}))
    assert '<p id="order-&lt;7&gt;" data-notiway-into="#orders">Order shipped, <b>&lt;7&gt;</b> <i>now</i></p>' in frame
    assert frame.startswith('<hx-partial hx-target="#notiway-incoming" hx-swap="beforeend">')
    assert "notiway-item" not in frame
    assert "notiway-item" in wire.render(created(name="order-lost"))


def test_a_report_of_progress_without_a_template_of_its_name_is_a_bar_as_on_the_page(wire_of):
    frame = wire_of().render(created("export-progress", title="Export progress", body=REPORT))
    assert 'id="notiway-task-7"' in frame
    assert "data-notiway-into=\"[data-notiway-tasks~='export-progress']\"" in frame
    assert "45 %" in frame
    assert "notiway-item" not in frame


def test_a_report_of_progress_with_a_template_of_its_name_is_drawn_by_that(wire_of):
    frame = wire_of(export_progress="<i>{{ body.progress }}</i>").render(created("export-progress", body=REPORT))
    assert "<i>45</i>" in frame
    assert "notiway-task-7" not in frame


@pytest.mark.parametrize("missing", sorted(REPORT))
def test_what_merely_names_a_task_is_a_row_and_a_toast(wire_of, missing):
    body = {name: value for name, value in REPORT.items() if name != missing}
    assert "data-transient" in wire_of().render(created("export-progress", body=body))


def test_a_stored_report_is_in_the_list_like_everything_that_is_stored(wire_of):
    frame = wire_of().render(created("export-progress", persisted=True, body=REPORT))
    assert frame.count('class="notiway-item"') == 1
    assert "notiway-task-7" not in frame


def test_a_stored_one_is_in_the_list_and_counted_besides_but_rings_no_toast(wire_of):
    frame = wire_of(order_shipped=OWN).render(created(persisted=True))
    assert 'data-notiway-into="#orders"' in frame
    assert '<div data-notiway-event="quiet"><div role="listitem" class="notiway-item"' in frame
    assert 'id="notiway-badge"' in frame


def test_a_template_that_draws_nothing_sends_nothing(wire_of):
    assert wire_of(order_shipped="  {# nothing #}\n").render(created()) == ""


@pytest.mark.parametrize("broken", ["{{ body.a.b.c }}", "{% if %}", "{% include 'no/such.html' %}", "{{ 1 / 0 }}"])
def test_a_broken_template_is_logged_and_the_default_is_shown(wire_of, broken, caplog):
    with caplog.at_level(logging.ERROR):
        frame = wire_of(order_shipped=broken).render(created())
    assert "notiway-item" in frame
    assert "events/order-shipped.html" in caplog.text


def test_names_without_a_template_are_looked_for_once_and_not_remembered_without_end(wire_of, monkeypatch):
    asked = []
    look = DictLoader.get_source
    monkeypatch.setattr(DictLoader, "get_source", lambda self, env, name: asked.append(name) or look(self, env, name))
    wire = wire_of()
    for name in ["never-heard-of"] * 3 + [f"name-{number}" for number in range(1_500)]:
        wire.render(created(name=name))
    assert asked.count("events/never-heard-of.html") == 1
    assert len(own._known[wire._env].missing) <= 1_000


def test_the_application_s_own_folder_wins(tmp_path):
    (tmp_path / "templates" / "events").mkdir(parents=True)
    (tmp_path / "templates" / "events" / "system-announcement.html").write_text("ours: {{ item.title }}")
    app = create_app(
        {"SECRET_KEY": SECRET_KEY, "NOTIWAY_DATABASE_URL": f"sqlite:///{tmp_path}/a.db", "NOTIWAY_JOBS": "off"}
    )
    app.jinja_loader.searchpath.insert(0, str(tmp_path / "templates"))
    frame = app.extensions["notiway"].formats["html"].wire.render(created("system-announcement", title="Hello"))
    assert "ours: Hello" in frame


def test_what_a_producer_writes_is_escaped_in_the_templates_that_come_with_notiway(app):
    wire = app.extensions["notiway"].formats["html"].wire
    evil = "<img src=x onerror=alert(1)>'\""
    for name, body in [
        ("system-announcement", {"severity": evil}),
        ("import-progress", {"taskId": evil, "message": evil, "status": evil, "progress": evil, "secondsLeft": evil}),
        ("task-progress", {"taskId": evil, "tabOnly": True, "progress": 3}),
        ("dashboard-update", {"metric": evil}),
    ]:
        frame = wire.render(created(name, body=body, title=evil, message=evil, action_url="/x"))
        assert "<img" not in frame
        assert frame


def test_the_numbers_of_the_dashboard_come_back_whole(app):
    body = {"at": 1, "connections": 3, "latencyMs": None, "note": "it's <b>"}
    frame = app.extensions["notiway"].formats["html"].wire.render(created("dashboard-update", body=body))
    sample = frame.partition("data-sample='")[2].partition("'")[0]
    assert json.loads(sample) == body
