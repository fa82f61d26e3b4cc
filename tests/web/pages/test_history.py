"""The history, the dropdown and the link of a notification."""

import itertools
import re
from dataclasses import replace

import pytest
from conftest import state_of
from jinja2 import ChoiceLoader, DictLoader

from notiway.live import runtime
from notiway.store.tables import Notification, Task
from notiway.values.audience import Audience
from notiway.values.clock import LATEST_MS
from notiway.values.errors import InvalidNotification
from notiway.web.pages import fields

COMPUTED = str(123456789 * 9)  # too long to stand in a page by chance, as "49 " does in "15:49 UTC"
NASTY = [
    "<script>alert(1)</script>",
    '"><img src=x onerror=alert(1)>',
    "'; DROP TABLE notiway_notification; --",
    "{{ 123456789 * 9 }} {% raw %}",
    "</li></ul><hx-partial hx-target='body'>",
    "\u202eevil\u202c & <b>bold</b>",
]


def test_the_list_is_paged_by_a_cursor_without_gap_or_double(browser, user, send):
    sent = [send(user, f"Number {number}").id for number in range(45)]
    seen, before = [], ""
    for _ in range(3):
        page = browser.get(f"/notifications?before={before}", form="json").json
        seen += [item["id"] for item in page["notifications"]]
        before = page["nextCursor"]
    assert before is None
    assert seen == sent[::-1]


def test_a_whole_page_an_htmx_part_and_a_link_without_javascript_show_the_same_rows(browser, user, send):
    for number in range(21):
        send(user, f"Number {number}")
    first = browser.get("/notifications")
    more = re.search(r'href="(/notifications\?[^"]*before=[^"]+)"', first.text).group(1).replace("&amp;", "&")
    part, page = browser.get(more, form="htmx").text, browser.get(more).text
    assert first.text.count('class="notiway-item"') == 20
    assert part.count('class="notiway-item"') == page.count('class="notiway-item"') == 1
    assert "<html" in page
    assert "<html" not in part


def test_the_dropdown_shows_the_newest_twenty(browser, user, send):
    for number in range(22):
        send(user, f"Number {number}")
    listed = browser.get("/notifications/recent", form="json").json
    assert [item["title"] for item in listed["notifications"]] == [f"Number {number}" for number in range(21, 1, -1)]
    assert listed["unreadCount"] == 22
    fragment = browser.get("/notifications/recent", form="htmx").text
    assert fragment.count('class="notiway-item"') == 20
    assert "<html" not in fragment
    assert browser.get("/notifications/recent").location == "/notifications"


def test_the_dropdown_holds_and_keeps_as_many_as_is_set(app, browser, user, send):
    running = app.extensions[runtime.KEY]
    running.config = replace(running.config, recent_limit=3)
    for number in range(5):
        send(user, f"Number {number}")
    fragment = browser.get("/notifications/recent", form="htmx").text
    assert fragment.count('class="notiway-item"') == 3
    assert 'data-max="3"' in fragment  # also when new ones arrive


def test_what_the_filters_let_in_is_named_for_an_action_on_all_of_it(browser, user, send):
    notes = [send(user, f"Note {n}").id for n in range(30)]
    alarms = [send(user, f"Alarm {n}", type="error").id for n in range(30)]
    answer = browser.get("/notifications/matching?type=error", form="json").json
    assert answer == {"notificationIds": alarms[::-1], "isPart": False}
    part = browser.get("/notifications/matching?text=note", form="htmx").text
    assert "All 30 selected" in part
    assert f'data-notiway-ids="{" ".join(notes[::-1])}"' in part
    assert browser.get("/notifications/matching").location == "/notifications"
    assert browser.get("/notifications/matching?state=odd", form="json").status_code == 400


def test_of_more_than_can_be_changed_at_once_the_newest_are_named(browser, user, send, monkeypatch):
    monkeypatch.setattr(fields, "MAX_IDS", 3)
    newest = [send(user).id for _ in range(4)][:0:-1]
    answer = browser.get("/notifications/matching", form="json").json
    assert answer == {"notificationIds": newest, "isPart": True}
    assert "The newest 3 selected" in browser.get("/notifications/matching", form="htmx").text


@pytest.mark.parametrize(
    ("action_url", "target"),
    [
        ("/servers/7?a=1", "/servers/7?a=1"),
        ("https://docs.example/x", "https://docs.example/x"),
        (None, "/notifications#n-{id}"),
    ],
)
def test_the_link_of_a_notification_marks_it_read_and_leads_on(browser, user, send, rows, action_url, target):
    notification_id = send(user, action_url=action_url).id
    response = browser.get(f"/n/{notification_id}")
    assert (response.status_code, response.location) == (302, target.format(id=notification_id))
    assert state_of(user, notification_id)[1]


@pytest.mark.parametrize("evil", ["javascript:alert(1)", "//evil.example", "/\\evil.example", "data:text/html,x", "x"])
def test_a_stored_address_that_was_never_checked_is_not_followed(browser, user, send, rows, evil):
    notification_id = send(user).id
    Notification.update(action_url=evil).where(Notification.id == notification_id).execute()
    assert browser.get(f"/n/{notification_id}").location == f"/notifications#n-{notification_id}"


def test_a_browser_that_fetches_ahead_has_read_nothing(browser, user, send, rows):
    notification_id = send(user, action_url="/x").id
    assert browser.get(f"/n/{notification_id}", headers={"Sec-Purpose": "prefetch;prerender"}).status_code == 302
    assert browser.open("HEAD", f"/n/{notification_id}").status_code == 302
    assert state_of(user, notification_id)[1] is None


def test_the_link_of_a_broadcast_may_be_the_first_that_its_reader_opens(browser, send):
    sent = send(Audience.everyone(), action_url="/servers/7")
    assert browser.get(f"/n/{sent.id}").location == "/servers/7"


def test_one_without_a_link_leads_to_its_place_in_the_history(browser, user, send):
    first = send(user, "The first").id
    assert browser.get(f"/n/{first}").location == f"/notifications#n-{first}"
    for number in range(20):
        send(user, f"Later {number}")
    location = browser.get(f"/n/{first}").location
    assert location.endswith(f"#n-{first}")
    page = browser.get(location.partition("#")[0]).text
    assert re.search(r'<div role="listitem" class="notiway-item" data-notiway-id="([^"]+)"', page).group(1) == first


def test_htmx_follows_the_link_as_a_whole_page(browser, user, send):
    response = browser.get(f"/n/{send(user, action_url='/x').id}", form="htmx")
    assert (response.status_code, response.headers["HX-Redirect"]) == (204, "/x")


@pytest.mark.parametrize("text", NASTY)
def test_sql_html_and_script_come_out_as_the_words_they_are(browser, user, send, text):
    sent = send(user, text, text, source=text, action_url="https://x.example/?q='%22%3E%3Cscript%3E")
    listed = browser.get("/notifications", form="json").json["notifications"]
    assert [(item["id"], item["title"]) for item in listed] == [(sent.id, text)]
    fragment = browser.put(f"/notifications/{sent.id}/read", form="htmx").text
    pages = [browser.get("/notifications").text, browser.get("/notifications/recent", form="htmx").text, fragment]
    pages.append(browser.delete(f"/notifications/{sent.id}", form="htmx").text)
    for page, danger in itertools.product(
        pages, ["<script>alert", "<img src=x", "<b>bold", "hx-target='body'", COMPUTED]
    ):
        assert danger not in page


@pytest.mark.parametrize(
    "action_url", ["javascript:alert(1)", "//evil.example", "/\\evil", "data:text/html,x", "ftp://x", "java\nscript:x"]
)
def test_a_dangerous_address_is_never_stored(user, send, action_url):
    with pytest.raises(InvalidNotification, match="action_url"):
        send(user, action_url=action_url)


def test_a_boosted_link_and_going_back_in_the_history_get_whole_pages(browser):
    for extra in ({"HX-Request-Type": "full"}, {"HX-History-Restore-Request": "true"}):
        assert "<html" in browser.get("/notifications", form="htmx", headers=extra).text


# One that fails costs no other


@pytest.fixture
def fails_for_bad(app):
    """A host whose own templates fail for what is called Bad."""
    own = {
        name: "{% if '" + title + "' in " + what + " %}{{ 1 / 0 }}{% endif %}<li>[{{ " + what + " }}]</li>"
        for name, what, title in (
            ("notiway/item/_item.html", "item.title", "Bad"),
            ("events/system-announcement.html", "item.title", "Bad"),
            ("events/import-progress.html", "body.message", "Bad"),
            ("notiway/staff/sent/_row.html", "row.entry.details.title", "Bad"),
        )
    }
    app.jinja_env.loader = ChoiceLoader([DictLoader(own), app.jinja_env.loader])


def shown(text):
    return [word for word in ("Good", "Bad", "Fine") if f"[{word}]" in text]


@pytest.mark.usefixtures("fails_for_bad")
@pytest.mark.parametrize(
    ("path", "form"),
    [("/notifications", "page"), ("/notifications", "htmx"), ("/notifications/recent", "htmx")],
)
def test_a_row_that_cannot_be_drawn_is_left_out_of_its_list(browser, user, send, path, form, caplog):
    for title in ("Good", "Bad", "Fine"):
        send(user, title)
    answer = browser.get(path, form=form)
    assert answer.status_code == 200
    assert shown(answer.text) == ["Good", "Fine"]
    assert "templates/notiway/item/_item.html" in caplog.text


@pytest.mark.usefixtures("fails_for_bad")
def test_an_action_on_several_answers_though_one_cannot_be_drawn(browser, user, send):
    ids = [send(user, title).id for title in ("Good", "Bad", "Fine")]
    answer = browser.post("/notifications/bulk", form="htmx", data={"action": "read", "ids": ids})
    assert (answer.status_code, shown(answer.text)) == (200, ["Good", "Fine"])
    assert browser.put(f"/notifications/{ids[1]}/read", form="htmx").status_code == 200


@pytest.mark.usefixtures("fails_for_bad")
@pytest.mark.parametrize(("path", "form"), [("/account", "page"), ("/notifications/announcements", "htmx")])
def test_a_banner_that_cannot_be_drawn_breaks_no_page(browser, user, send, path, form):
    for title in ("Good", "Bad", "Fine"):
        send(user, title, name="system-announcement")
    answer = browser.get(path, form=form)
    assert (answer.status_code, shown(answer.text)) == (200, ["Good", "Fine"])


@pytest.mark.usefixtures("fails_for_bad", "rows")
def test_a_task_that_cannot_be_drawn_breaks_no_page(browser, user):
    for number, message in enumerate(("Good", "Bad", "Fine")):
        Task.create(
            id=f"t{number}", user_id=user.id, audience=f"user:{user.id}", name="import-progress", status="processing",
            done=1, total=2, message=message,
        )  # fmt: skip
    answer = browser.get("/dashboard")
    assert (answer.status_code, shown(answer.text)) == (200, ["Good", "Fine"])


@pytest.mark.usefixtures("fails_for_bad")
def test_an_entry_of_the_log_that_cannot_be_drawn_breaks_no_page(staff):
    for title in ("Good", "Bad", "Fine"):
        staff.post("/staff/send", form="json", json={"to": "group:ops", "title": title})
    for path, form in (("/staff/send", "page"), ("/staff/sent", "htmx")):
        answer = staff.get(path, form=form)
        assert (answer.status_code, shown(answer.text)) == (200, ["Good", "Fine"])


@pytest.mark.usefixtures("rows")
@pytest.mark.parametrize(
    "path",
    ["/notifications", "/notifications/recent", "/notifications/announcements", "/api/notifications"],
)
def test_a_stored_item_that_no_json_client_can_be_told_of_is_left_out_of_the_answer(browser, user, send, path, caplog):
    """Such a row was taken before moments were bounded: its end lies in the year 10000."""
    for title in ("Good", "Bad", "Fine"):
        send(user, title, name="system-announcement")
    Notification.update(expires_at=LATEST_MS + 366 * 86_400_000).where(Notification.title == "Bad").execute()
    answer = browser.get(path, form="json")
    assert answer.status_code == 200
    assert sorted(item["title"] for item in answer.json["notifications"]) == ["Fine", "Good"]
    assert "is left out" in caplog.text
