"""Parts: a template for each of several values; one that fails costs its own place and no other."""

from dataclasses import replace
from types import SimpleNamespace

import pytest
from jinja2 import DictLoader, Environment

from notiway.live.wires.parts import draw_each, draw_toast
from notiway.values.item import Item

TEMPLATES = {
    "row.html": "<li>{{ row.title }} of {{ owner }}{% if row.title == 'bad' %}{{ 1 / 0 }}{% endif %}</li>",
    "wrong.html": "{% if %}",
    "page.html": "<ul>{{ notiway_each('row.html', rows, 'row') }}</ul>",
    "wrong page.html": "<ul>{{ notiway_each('wrong.html', rows, 'row') }}</ul>",
    "empty page.html": "<ul>{{ notiway_each('no-such.html', rows, 'row') }}</ul>",
}


@pytest.fixture
def draw():
    """Draws a page with rows of these titles."""
    env = Environment(loader=DictLoader(TEMPLATES), autoescape=True)
    env.globals["notiway_each"] = draw_each

    def page(name, *titles):
        rows = [SimpleNamespace(title=title, id=f"id of {title}") for title in titles]
        return env.get_template(name).render(rows=rows, owner="<ada>")

    return page


def test_each_is_drawn_with_what_the_page_knows_and_escaped_once(draw):
    assert draw("page.html", "a", "<b>") == "<ul><li>a of &lt;ada&gt;</li><li>&lt;b&gt; of &lt;ada&gt;</li></ul>"


def test_one_that_fails_is_logged_and_left_out(draw, caplog):
    assert draw("page.html", "a", "bad", "c") == "<ul><li>a of &lt;ada&gt;</li><li>c of &lt;ada&gt;</li></ul>"
    (record,) = caplog.records
    assert "templates/row.html" in record.getMessage()
    assert "id of bad" in record.getMessage()
    assert record.exc_info


@pytest.mark.parametrize("page", ["wrong page.html", "empty page.html"])
def test_a_template_that_cannot_be_read_leaves_the_page_standing(draw, page, caplog):
    assert draw(page, "a", "b") == "<ul></ul>"
    assert "templates/" in caplog.text


ITEM = Item("id-1", "user:1", "shipped", "info", "medium", "Hi", "", 1)


@pytest.fixture
def toast():
    """Draws the toast of an item with these templates."""

    def make(item, **templates):
        env = Environment(loader=DictLoader({f"notiway/{path}": text for path, text in templates.items()}))
        env.globals["notiway_toast"] = draw_toast
        return env.from_string("{{ notiway_toast(item) }}").render(item=item)

    return make


def test_most_toasts_are_left_to_scripts(toast):
    assert toast(ITEM, **{"toast/_toast.html": "ours"}) == ""
    assert toast(replace(ITEM, details={"image": "/a.png"}), **{"toast/_toast.html": "ours"}) == "ours"


def test_a_toast_of_a_name_is_drawn_by_its_own_template(toast):
    templates = {"toast/_toast.html": "ours", "toasts/shipped.html": "mine: {{ toast.title }}"}
    assert toast(ITEM, **templates) == "mine: Hi"
    assert toast(replace(ITEM, name="lost"), **templates) == ""


def test_a_toast_that_fails_is_made_from_the_row(toast, caplog):
    item = replace(ITEM, details={"image": "/a.png"})
    assert toast(item, **{"toast/_toast.html": "{{ 1 / 0 }}", "toasts/shipped.html": "{{ 1 / 0 }}"}) == ""
    assert len(caplog.records) == 2
