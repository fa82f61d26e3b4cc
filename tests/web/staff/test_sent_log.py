"""The log on the staff page: who sent what to whom, who saw it, and taking it back."""

import pytest

from notiway.store import inbox, readers
from notiway.values.ids import id_floor
from notiway.verbs import items

SEND = "/staff/send"
FORMS = ("page", "htmx", "json")


def titles(app, user):
    with app.app_context():
        return [item.title for item in inbox.feed(user.id).items]


def test_the_log_tells_who_saw_and_read_it(app, staff, staff_member, user, other):
    to = [f"user:{user.id}", f"user:{other.id}"]
    sent = staff.post(SEND, form="json", json={"to": to, "title": "Hello"}).json["notificationId"]
    with app.app_context():
        items.mark_read(user.id, [sent])
        items.mark_seen(other.id, [sent])
    [row] = staff.get("/staff/sent", form="json").json["sent"]
    assert row["by"] == {"id": staff_member.id, "name": "Grace"}
    assert {name: row[name] for name in ("title", "to", "people", "online", "seen", "read", "state")} == {
        "title": "Hello", "to": "Ada, Bob", "people": 2, "online": 0, "seen": 2, "read": 1, "state": "sent"
    }  # fmt: skip


def test_a_count_that_is_not_whole_yet_is_shown_as_such(staff, user, other, monkeypatch):
    to = [f"user:{user.id}", f"user:{other.id}"]
    staff.post(SEND, form="json", json={"to": to, "title": "Hello"})
    assert staff.get("/staff/sent", form="json").json["sent"][0]["counted"] is True
    assert "Still counting" not in staff.get(SEND).text
    monkeypatch.setattr(readers, "WALK", 1)
    monkeypatch.setattr(readers, "PARTS", 0)
    assert staff.get("/staff/sent", form="json").json["sent"][0]["counted"] is False
    assert staff.get(SEND).text.count("Still counting") == 2


def test_the_log_is_paged(staff):
    for number in range(13):
        staff.post(SEND, form="json", json={"to": "group:ops", "title": f"Number {number}"})
    first = staff.get("/staff/sent", form="json").json
    assert [row["title"] for row in first["sent"]] == [f"Number {number}" for number in range(12, 2, -1)]
    rest = staff.get(f"/staff/sent?before={first['nextBefore']}", form="json").json
    assert [row["title"] for row in rest["sent"]] == ["Number 2", "Number 1", "Number 0"]
    assert rest["nextBefore"] is None
    assert f"before={first['nextBefore']}" in staff.get(SEND).text
    assert "Number 2" in staff.get(f"{SEND}?before={first['nextBefore']}").text
    assert staff.get("/staff/sent?before=' OR 1=1", form="json").status_code == 200


def test_an_empty_log_says_so(staff):
    assert "Nothing has been sent from here yet" in staff.get(SEND).text


@pytest.mark.parametrize("form", FORMS)
def test_what_was_sent_is_recalled(app, staff, staff_member, user, form):
    sent = staff.post(SEND, form="json", json={"to": "global", "confirm": "global", "title": "Oops"}).json[
        "notificationId"
    ]
    assert titles(app, user) == ["Oops"]
    response = staff.post(f"/staff/sent/{sent}/recall", form=form, headers={"Referer": "http://localhost/staff/send"})
    assert response.status_code == (303 if form == "page" else 200)
    if form == "page":
        assert "Recalled. It has been removed from every list." in staff.get(SEND).text
    if form == "htmx":
        assert "Recalled by <bdi>Grace</bdi>" in response.text
        assert "Recall for everybody" not in response.text
    assert titles(app, user) == []
    assert staff.get("/staff/sent", form="json").json["sent"][0]["state"] == "recalled"
    assert staff.post(f"/staff/sent/{sent}/recall", form="json").json["duplicate"] is True


@pytest.mark.parametrize("unknown", ["x", id_floor(0), "%00"])
def test_an_unknown_one_is_not_found(staff, unknown):
    assert staff.post(f"/staff/sent/{unknown}/recall", form="json").status_code == 404


def test_commands_are_in_the_log_too(app, staff, user):
    runner = app.test_cli_runner()
    runner.invoke(args=["notiway", "send", user.id, "--title", "From a shell"])
    [row] = staff.get("/staff/sent", form="json").json["sent"]
    assert (row["title"], row["by"]["name"], row["online"]) == ("From a shell", "Command line", None)
