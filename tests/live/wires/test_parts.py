"""Parts: a template for each of several values; one that fails costs its own place and no other."""

from types import SimpleNamespace

import pytest
from jinja2 import DictLoader, Environment

from notiway.live.wires.parts import draw_each

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
