"""What is private is kept nowhere, in any host; what the host answers itself is left alone."""

import flask_login
import pytest
from conftest import SECRET_KEY
from flask import Flask, Response, render_template_string

from notiway import Notiway
from notiway.live import runtime
from notiway.store import schema
from notiway.store.database import db
from notiway.web.caching import vary

FORMS = {"page": {}, "fragment": {"HX-Request": "true"}, "json": {"Accept": "application/json"}}


class User(flask_login.UserMixin):
    id = "7"
    is_staff = True


@pytest.fixture
def client(tmp_path):
    """Signed in to an application of others that says nothing about caching."""
    app = Flask("shop", instance_path=str(tmp_path))
    app.config.update(TESTING=True, SECRET_KEY=SECRET_KEY, NOTIWAY_JOBS="off")
    flask_login.LoginManager(app).user_loader(lambda user_id: User())
    Notiway(app)
    app.add_url_rule("/in", "in", view_func=lambda: str(flask_login.login_user(User())))
    app.add_url_rule("/own", "own", view_func=lambda: render_template_string("{{ notiway.bell() }}"))
    with app.app_context():
        schema.migrate(db.obj)
    client = app.test_client()
    client.get("/in")
    yield client
    with app.app_context():
        runtime.current().stop()
        runtime.current().database.close_all()


@pytest.mark.parametrize("form", FORMS)
@pytest.mark.parametrize(
    "path", ["/notifications", "/notifications/recent", "/n/unknown", "/staff/send", "/staff/sent"]
)
def test_pages_fragments_and_json_are_kept_nowhere_and_told_apart(client, path, form):
    response = client.get(path, headers=FORMS[form])
    assert response.headers["Cache-Control"] == "no-store"
    assert {"Cookie", "Accept", "HX-Request", "HX-Request-Type"} <= set(response.vary)


@pytest.mark.parametrize(
    "path", ["/api/notifications", "/api/tokens", "/hub/negotiate", "/healthz", "/readyz", "/metrics"]
)
def test_answers_to_machines_are_kept_nowhere(client, path):
    assert client.get(path).headers.get("Cache-Control") == "no-store" or client.get(path).status_code == 405
    assert client.post(path).headers.get("Cache-Control") == "no-store" or client.post(path).status_code == 405


def test_the_hosts_own_routes_and_static_files_are_left_alone(client):
    assert "Cache-Control" not in client.get("/own").headers
    with client.get("/notiway/static/notiway/css/notiway.css") as sheet:
        assert sheet.status_code == 200
        assert sheet.headers.get("Cache-Control") != "no-store"


@pytest.mark.parametrize(
    ("given", "names", "told"),
    [
        (None, ("Cookie", "Accept"), "Cookie, Accept"),
        ("Accept-Encoding", ("Cookie",), "Accept-Encoding, Cookie"),
        ("cookie, Accept", ("Cookie", "Origin"), "cookie, Accept, Origin"),
        ("Cookie", ("Cookie",), "Cookie"),
    ],
)
def test_what_an_answer_depends_on_is_named_once(given, names, told):
    response = Response(headers={} if given is None else {"Vary": given})
    vary(response, names)
    assert response.headers.getlist("Vary") == [told]
