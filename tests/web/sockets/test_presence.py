"""Who is connected, over HTTP: for staff, for keys with the scope, and for those who listen to the audience."""

import pytest
from servers import wait_until

from notiway.live import runtime
from notiway.store import membership
from notiway.store.credentials import api_keys
from notiway.values.audience import Audience
from notiway.values.principal import Principal
from notiway.web.sockets import presence

PATH = presence.PATH
ADMINS = Audience.group("admins")


@pytest.fixture
def connected(app, monkeypatch):
    """Who is connected, and who of them listens to the admins."""

    known = app.extensions[runtime.KEY].presence
    monkeypatch.setattr(known, "among", lambda user_ids: {"ada", "bob"} & set(user_ids))
    monkeypatch.setattr(known, "users_of", lambda key: {"ada", "bob"} if key == ADMINS.key else set())


@pytest.fixture
def of_key(app, client):
    """Asks with a key that has these scopes."""

    def ask(query, *scopes):
        with app.app_context():
            _, key = api_keys.add("watcher", scopes)
        return client.get(f"{PATH}?{query}", headers={"Authorization": f"Bearer {key}"})

    return ask


@pytest.fixture
def of_token(client, token):
    def ask(query, user_id, **claims):
        made = token(user_id, **claims)
        return client.get(f"{PATH}?{query}", headers={"Authorization": f"Bearer {made}"})

    return ask


def paths(answer):
    return [each["path"] for each in answer.json["error"]["fields"]]


def test_who_is_connected_is_told_as_the_hub_knows_it(app, now, join, staff):
    join(Principal("ada"))
    wait_until(lambda: now.presence.among(["ada"]))  # the reactor takes it in
    answer = staff.get(f"{PATH}?user=ada&user=carol&user=ada", form="json")
    assert answer.json == {"audience": None, "online": ["ada"], "count": 1}


@pytest.mark.usefixtures("connected")
def test_a_key_sees_what_its_scope_names(of_key):
    answer = of_key("audience=group:admins", "presence:group:*")
    assert answer.json == {"audience": "group:admins", "online": ["ada", "bob"], "count": 2}


@pytest.mark.usefixtures("connected")
@pytest.mark.parametrize(
    ("query", "scopes", "status"),
    [
        ("user=ada", ("presence",), 200),
        ("user=ada", ("presence:group:*",), 403),
        ("audience=group:admins", ("publish", "token"), 403),
        ("audience=tenant:acme", ("presence:group:*",), 403),
    ],
)
def test_a_key_sees_nothing_else(of_key, query, scopes, status):
    answer = of_key(query, *scopes)
    assert answer.status_code == status
    assert ("online" in answer.json) is (status == 200)


@pytest.mark.usefixtures("connected")
@pytest.mark.parametrize(
    ("query", "claims", "status"),
    [
        ("user=ada", {}, 200),
        ("user=bob", {}, 403),
        ("user=ada&user=bob", {}, 403),
        ("audience=group:admins", {}, 403),
        ("audience=group:admins", {"audiences": ("group:admins",)}, 200),
        ("audience=tenant:acme", {"tenant_id": "acme"}, 200),
        ("audience=tenant:other", {"tenant_id": "acme"}, 403),
    ],
)
def test_a_client_sees_itself_and_what_it_listens_to(of_token, user, query, claims, status):
    asked = query.replace("ada", str(user.id))
    assert of_token(asked, str(user.id), **claims).status_code == status


@pytest.mark.usefixtures("connected")
def test_a_member_sees_the_group_and_nobody_is_told_without_signing_in(app, user, browser, client):
    assert browser.get(f"{PATH}?audience=group:admins", form="json").status_code == 403
    with app.app_context():
        membership.join(user.id, ADMINS)
    assert browser.get(f"{PATH}?audience=group:admins", form="json").json["count"] == 2
    assert client.get(f"{PATH}?audience=group:admins").status_code == 401


@pytest.mark.parametrize(
    ("query", "path"),
    [
        ("", "user"),
        ("user=ada&audience=group:admins", "user"),
        ("audience=group:a&audience=group:b", "user"),
        ("audience=global", "audience"),
        ("audience=user:ada", "audience"),
        ("audience=nonsense", "audience"),
        ("&".join(f"user={number}" for number in range(presence.MOST + 1)), "user"),
    ],
)
def test_what_cannot_be_asked_is_named(staff, query, path):
    answer = staff.get(f"{PATH}?{query}", form="json")
    assert answer.status_code == 400
    assert paths(answer) == [path]


def test_an_answer_names_so_many_and_counts_all(staff, monkeypatch):
    many = {f"{number:05}" for number in range(presence.MOST + 5)}
    monkeypatch.setattr("notiway.verbs.reach.online_in", lambda _: many)
    answer = staff.get(f"{PATH}?audience=group:admins", form="json")
    assert answer.json["count"] == presence.MOST + 5
    assert answer.json["online"] == sorted(many)[: presence.MOST]
