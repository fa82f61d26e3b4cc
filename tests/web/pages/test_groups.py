"""Groups: one row for several, its members, and what is done with all of them at once."""

from __future__ import annotations

import pytest

from notiway.store import inbox
from notiway.store.search import grouping
from notiway.verbs.send import send_notification
from notiway.web.pages import groups

KEY = "post:42:likes"


@pytest.fixture
def like(app, user):
    def send(*actors):
        with app.app_context():
            return [send_notification(str(user.id), f"{a} liked your post", actor=a, group_key=KEY).id for a in actors]

    return send


@pytest.fixture
def the_inbox(app, user):
    """The titles in a state, the newest first."""

    def read(state="all"):
        with app.app_context():
            return [item.actor for item in inbox.feed(str(user.id), state=state).items]

    return read


@pytest.mark.parametrize("path", ["/notifications", "/notifications/recent"])
def test_a_list_shows_a_group_as_one_row(browser, like, path):
    like("Ann", "Ben", "Cy")
    text = browser.get(path, form="htmx").text
    assert text.count("data-notiway-id=") == 1
    assert "Cy, Ben and 1 other liked your post" in text
    assert "Show all 3" in text


def test_what_is_searched_for_and_json_come_one_by_one(browser, like):
    like("Ann", "Ben")
    assert browser.get("/notifications?text=liked", form="htmx").text.count("data-notiway-id=") == 2
    assert len(browser.get("/notifications", form="json").json["notifications"]) == 2


def test_members_come_in_every_form(browser, like, monkeypatch):
    monkeypatch.setattr(groups, "AT_ONCE", 2)
    like("Ann", "Ben", "Cy")
    for form in ("htmx", "page"):
        text = browser.get(f"{groups.PATH}?key={KEY}", form=form).text
        assert "Cy liked your post" in text
        assert "Ann liked" not in text
        assert "Show more" in text
    first = browser.get(f"{groups.PATH}?key={KEY}", form="json").json
    assert [each["title"] for each in first["notifications"]] == ["Cy liked your post", "Ben liked your post"]
    rest = browser.get(f"{groups.PATH}?key={KEY}&before={first['nextCursor']}", form="json").json
    assert [each["title"] for each in rest["notifications"]] == ["Ann liked your post"]
    assert rest["nextCursor"] is None


def test_a_row_is_drawn_as_it_is_now(browser, like, app, user):
    ids = like("Ann", "Ben")
    assert "Ben and Ann liked your post" in browser.get(f"{groups.PATH}/row?key={KEY}", form="htmx").text
    with app.app_context():
        inbox.delete(str(user.id), ids[:1])
    text = browser.get(f"{groups.PATH}/row?key={KEY}", form="htmx").text
    assert "Ben liked your post" in text
    assert "Show all" not in text
    with app.app_context():
        inbox.delete(str(user.id), ids[1:])
    assert browser.get(f"{groups.PATH}/row?key={KEY}", form="htmx").text.strip() == ""


@pytest.mark.parametrize("query", ["", "key=", f"key={'x' * 201}", f"key={KEY}&state=archived", "key=a%00b"])
def test_what_is_no_group_is_refused(browser, query):
    assert browser.get(f"{groups.PATH}/row?{query}", form="json").status_code == 400


def test_a_group_is_read_up_to_where_its_row_stands(browser, like, the_inbox):
    head = like("Ann", "Ben")[-1]
    like("Cy")
    answer = browser.put(f"{groups.PATH}/{head}/read", form="json")
    assert sorted(answer.json["notificationIds"]) == answer.json["notificationIds"][::-1]
    assert answer.json["unreadCount"] == 1
    assert the_inbox("unread") == ["Cy"]


@pytest.mark.parametrize(("path", "place"), [("/archive", "archived"), ("/delete", None)])
def test_a_group_leaves_as_one_and_comes_back_as_one(browser, like, the_inbox, path, place):
    head = like("Ann", "Ben", "Cy")[-1]
    answer = browser.post(f"{groups.PATH}/{head}{path}", form="htmx")
    assert "3 " in answer.text
    assert "Undo" in answer.text
    assert the_inbox() == []
    if place:
        assert the_inbox(place) == ["Cy", "Ben", "Ann"]


def test_a_group_that_is_read_is_drawn_anew(browser, like):
    head = like("Ann", "Ben")[-1]
    text = browser.put(f"{groups.PATH}/{head}/read", form="htmx").text
    assert "Ben and Ann liked your post" in text
    assert 'data-state="read"' in text


def test_one_that_has_no_group_is_changed_alone(browser, app, user):
    with app.app_context():
        alone = send_notification(str(user.id), "Alone").id
    assert browser.put(f"{groups.PATH}/{alone}/read", form="json").json["notificationId"] == alone


def test_the_group_of_another_user_is_nobodys(app, auth, other, like):
    head = like("Ann", "Ben")[-1]
    assert auth(other).put(f"{groups.PATH}/{head}/read", form="json").status_code == 404
    assert auth(other).get(f"{groups.PATH}?key={KEY}", form="json").json["notifications"] == []


def test_a_link_to_a_member_leads_to_where_it_is_shown(browser, like):
    first = like("Ann", *(f"Person {number}" for number in range(3)))[0]
    target = browser.get(f"/n/{first}").headers["Location"]
    assert target.endswith(f"#n-{first}")
    assert f'data-notiway-id="{first}"' in browser.get(target.partition("#")[0]).text


def test_a_bulk_action_takes_all_that_a_row_stands_for(browser, like, the_inbox):
    ids = like("Ann", "Ben")
    assert f'value="{ids[1]} {ids[0]}"' in browser.get("/notifications").text
    browser.post("/notifications/bulk", data={"action": "archive", "ids": f"{ids[1]} {ids[0]}"})
    assert the_inbox() == []


def test_a_phrase_is_made_of_titles_that_begin_with_who_did_it():
    of = lambda *actors: grouping.Group(KEY, len(actors), 0, actors, ())  # noqa: E731
    assert of("Ann").phrase("Ann liked it") == "Ann liked it"
    assert of("Ann", "Ben").phrase("Ann liked it") == "Ann and Ben liked it"
    assert of("Ann", "Ben", "Cy").phrase("Ann liked it") == "Ann, Ben and 1 other liked it"
    assert of("Ann", "Ben", "Cy").phrase("Your post is liked") == "Your post is liked"
    assert of(*(f"P{number}" for number in range(grouping.MOST))).phrase("P0 did") == "P0, P1 and many others did"
