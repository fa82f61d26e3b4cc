"""Directory and reach: who is found by which name, and how many a message would get to."""

import pytest
from conftest import SECRET_KEY
from flask import Flask
from flask_login import LoginManager, UserMixin, login_user

from notiway import Notiway
from notiway.live import runtime
from notiway.store import schema
from notiway.store.database import db
from notiway.values.audience import Audience
from notiway.values.people import Person
from notiway.web.staff import choices

SEND = "/staff/send"


def test_audiences_are_found_by_a_part_of_their_name(staff, staff_member, user, join):
    join(user, Audience.group("100%", "acme"))
    join(user, Audience.tenant("acme"))
    join(staff_member, Audience.tenant("acme"))

    def found(text):
        return [
            each["key"]
            for each in staff.get("/staff/audiences", form="json", query_string={"q": text}).json["audiences"]
        ]

    assert found("") == ["group:acme:100%", "tenant:acme"]
    assert found("ACM") == ["group:acme:100%", "tenant:acme"]
    assert found("0%") == ["group:acme:100%"]
    assert found("%") == ["group:acme:100%"]
    assert found("grace@EXAMPLE") == [f"user:{staff_member.id}"]
    assert found("ada") == [f"user:{user.id}"]
    assert found("_") == found("\0") == found("tenant:") == []
    assert "2 members" in staff.get("/staff/audiences?q=acme", form="htmx").text
    assert "No match for “nobody”." in staff.get("/staff/audiences?q=nobody", form="htmx").text


class Shop:
    """A foreign application's users, which are not in Notiway's table."""

    def search(self, text, limit):
        return [Person("7", "Carla", "carla@shop.example")][:limit]

    def named(self, user_ids):
        return [Person("7", "Carla", "carla@shop.example")] if "7" in user_ids else []

    def count(self):
        return 1


class Clerk(UserMixin):
    def __init__(self, user_id):
        self.id = user_id


class ClerkWithRole(Clerk):
    def is_staff(self):
        return self.id == "7"


@pytest.mark.parametrize(("kind", "status"), [(Clerk, 403), (ClerkWithRole, 200)])
@pytest.mark.parametrize("people", [None, Shop()])
def test_a_foreign_application_says_itself_who_is_staff(tmp_path, kind, status, people):
    app = Flask("shop")
    app.config.update(
        SECRET_KEY=SECRET_KEY, NOTIWAY_DATABASE_URL=f"sqlite:///{tmp_path}/shop.db", NOTIWAY_JOBS="off", TESTING=True
    )
    manager = LoginManager(app)
    manager.user_loader(kind)
    app.add_url_rule("/in/<user_id>", "sign_in", lambda user_id: str(login_user(kind(user_id))))
    Notiway(app, people=people)
    with app.app_context():
        schema.migrate(db.obj)
        assert choices.describe(["user:7"], people)["user:7"].label == ("Carla" if people else "7")
    client = app.test_client()
    client.get("/in/7")
    response = client.get(SEND)
    assert response.status_code == status
    if status == 200:
        assert ("1 users" in response.text) is (people is not None)
        found = client.get("/staff/audiences?q=7", headers={"Accept": "application/json"}).json["audiences"]
        assert found == [{"key": "user:7", "kind": "User", "label": "Carla" if people else "7"}]
    client.get("/in/8")
    assert client.get(SEND).status_code == 403
    with app.app_context():
        running = runtime.current()
    running.stop()
    running.database.close_all()
