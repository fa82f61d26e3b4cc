"""In which form a request is answered."""

import pytest

from notiway.web import reply

HTMX = {"HX-Request": "true"}


@pytest.mark.parametrize(
    ("headers", "form"),
    [
        ({}, "page"),
        ({"Accept": "*/*"}, "page"),
        ({"Accept": "text/html,application/xhtml+xml,*/*;q=0.8"}, "page"),
        ({"Accept": "application/json"}, "json"),
        ({"Accept": "application/json, text/html;q=0.9"}, "json"),
        ({"Accept": "application/json;q=0.5, text/html"}, "page"),
        ({"Accept": "*/*", "Content-Type": "application/json"}, "json"),
        ({"Accept": "text/html", "Content-Type": "application/json"}, "page"),
        (HTMX, "fragment"),
        (HTMX | {"HX-Request-Type": "partial"}, "fragment"),
        (HTMX | {"HX-Request-Type": "full"}, "page"),
        (HTMX | {"HX-History-Restore-Request": "true"}, "page"),
    ],
)
def test_the_answer_has_the_form_that_was_asked_for(app, headers, form):
    with app.test_request_context(headers=headers):
        assert reply.form() == form


def test_a_layout_may_call_the_token_or_print_it(app):
    with app.test_request_context():
        token = reply.csrf_token()
        assert token() == token
        assert app.jinja_env.from_string("{{ t }}{{ t is string }}{{ t() }}").render(t=token) == f"{token}True{token}"
