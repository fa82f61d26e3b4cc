"""Listing: which filters are understood, what they find, and where the list goes on."""

import re

import pytest

from notiway.store.database import db
from notiway.store.search import walking
from notiway.values.clock import iso, moment
from notiway.values.errors import WrongInput
from notiway.values.ids import id_time, new_id
from notiway.values.lists.filtering import MAX_TEXT
from notiway.web.pages.listing import context, cursor, filters

FORMS = ("page", "htmx", "json")

NASTY = [
    "<script>alert(1)</script>",
    '"><img src=x onerror=alert(1)>',
    "'; DROP TABLE notiway_notification; --",
    "{{ 7 * 7 }} {% raw %}",
    "</li></ul><hx-partial hx-target='body'>",
    "\u202eevil\u202c & <b>bold</b>",
]


@pytest.mark.parametrize(
    ("query", "titles"),
    [
        ("", ["d", "c", "b", "a"]),
        ("state=unread", ["d", "c", "b"]),
        ("state=read", ["a"]),
        ("type=error", ["b"]),
        ("priority=urgent", ["c"]),
        ("source=billing", ["d"]),
        ("category=money", ["d", "b"]),
        ("category=money&state=unread&type=error", ["b"]),
        ("category=mone", []),
        ("text=needle", ["c"]),
        ("text=%25", []),
        ("state=unread&type=info&text=c", ["c"]),
        ("state=&type=&source=&priority=&category=&text=", ["d", "c", "b", "a"]),
    ],
)
def test_filters_narrow_the_list(browser, user, send, query, titles):
    first = send(user, "a").id
    send(user, "b", type="error", category="money")
    send(user, "c", "a needle", priority="urgent")
    send(user, "d", source="billing", category="money", actor="Ann")
    browser.put(f"/notifications/{first}/read")
    listed = browser.get(f"/notifications?{query}", form="json").json["notifications"]
    assert [item["title"] for item in listed] == titles
    assert browser.get(f"/notifications?{query}").text.count('class="notiway-item"') == len(titles)


@pytest.fixture
def deep(user, send, monkeypatch):
    """A dozen items, of which a search looks at four at most; the oldest is looked for. Their ids, the newest first."""
    monkeypatch.setattr(walking, "WALK", 2)
    monkeypatch.setattr(walking, "PARTS", 2)
    sent = [send(user, "the needle").id, *(send(user, f"common {number}").id for number in range(11))]
    return sent[::-1]


MORE = re.compile(r'<div class="notiway-more">(.*?)</div>', re.DOTALL)


@pytest.mark.parametrize("form", ["page", "htmx"])
def test_a_search_that_ended_early_says_how_far_it_looked_and_leads_on(browser, deep, form):
    before, queries = "", []
    for _ in range(3):
        page = browser.get(f"/notifications?text=needle&before={before}", form=form)
        more = MORE.search(page.text)
        if more is None:
            break
        date = moment(id_time(deep[len(queries) * 4 + 3])).strftime("%d %b %Y, %H:%M UTC")
        assert "Searched back to" in more.group(1)
        assert date in more.group(1)
        assert "Search further" in more.group(1)
        before = re.search(r'data-notiway-more="([^"]+)"', more.group(1)).group(1)
        assert f"before={before}" in more.group(1)
        queries.append(before)
    assert queries == [deep[3], deep[7]]
    assert "the needle" in page.text


def test_json_clients_are_told_how_far_a_search_looked(browser, deep):
    first = browser.get("/notifications?text=needle", form="json").json
    assert first["notifications"] == []
    assert first["nextCursor"] == deep[3]
    assert first["searchedTo"] == iso(id_time(deep[3]))
    last = browser.get(f"/notifications?text=needle&before={deep[7]}", form="json").json
    assert [item["title"] for item in last["notifications"]] == ["the needle"]
    assert last["nextCursor"] is last["searchedTo"] is None


def test_a_page_that_is_full_says_nothing_of_how_far_it_looked(browser, user, send):
    for number in range(21):
        send(user, f"needle {number}")
    assert browser.get("/notifications?text=needle", form="json").json["searchedTo"] is None
    more = MORE.search(browser.get("/notifications?text=needle").text).group(1)
    assert "Load more" in more
    assert "Search" not in more


def test_what_is_found_by_several_words_is_said_where_nothing_is(browser, send, user):
    send(user, "Invoice paid")
    assert "Every word has to be in" in browser.get("/notifications?text=paid+nothing").text
    assert "Every word has to be in" not in browser.get("/notifications?text=nothing").text


@pytest.mark.parametrize("form", FORMS)
@pytest.mark.parametrize(
    "query",
    [
        "state=bogus",
        "type=loud",
        "priority=1",
        "before=x",
        "text=" + "a" * 201,
        "text=%00",
        "source=%00",
        "category=%00",
    ],
)
def test_a_filter_that_is_not_understood_is_named(browser, query, form):
    response = browser.get(f"/notifications?{query}", form=form)
    assert response.status_code == 400
    assert query.partition("=")[0] in response.text


@pytest.mark.parametrize("text", NASTY)
def test_filters_take_any_text_as_words(browser, user, send, rows, text):
    send(user, text)
    for name in ("text", "source"):
        response = browser.get("/notifications", query_string={name: text})
        assert response.status_code == 200
        assert "<script>alert" not in response.text
        assert "<img src=x" not in response.text
    assert db.table_exists("notiway_notification")


@pytest.mark.parametrize(
    ("given", "chosen"),
    [
        ({}, {}),
        (
            {"state": " unread ", "type": "error", "priority": "urgent"},
            {"state": "unread", "type": "error", "priority": "urgent"},
        ),
        ({"state": "", "type": "", "text": "   "}, {}),
        ({"text": " two words ", "source": "billing"}, {"text": "two words", "source": "billing"}),
        ({"text": "x" * MAX_TEXT}, {"text": "x" * MAX_TEXT}),
        ({"before": "x", "unknown": "y"}, {}),
    ],
)
def test_what_is_left_out_or_empty_filters_nothing(given, chosen):
    everything = {"state": "all", "type": None, "source": None, "priority": None, "category": None, "text": None}
    assert filters(given) == everything | chosen


def test_every_filter_that_is_not_understood_is_named_at_once():
    given = {"state": "x", "type": "x", "priority": "x", "source": "a\0", "category": "\0"} | {
        "text": "x" * (MAX_TEXT + 1)
    }
    with pytest.raises(WrongInput) as refusal:
        filters(given)
    assert {fault.path for fault in refusal.value.faults} == set(given)


def test_the_list_goes_on_below_an_id_and_nowhere_else():
    place = new_id()
    assert cursor({"before": place}) == place
    assert cursor({}) is cursor({"before": ""}) is None
    for nowhere in ("x", place + "x", "0", f"{place}' OR 1=1"):
        with pytest.raises(WrongInput) as refusal:
            cursor({"before": nowhere})
        assert [fault.path for fault in refusal.value.faults] == ["before"]


def test_the_first_page_has_the_newest_items_and_says_where_the_next_begins(app, user, send):
    sent = [send(user, f"Number {number}").id for number in range(21)]
    with app.test_request_context():
        shown = context(user.id, {"state": "unread", "before": None})
        assert [item.id for item in shown["items"]] == sent[:0:-1]
        rest = context(user.id, {"state": "unread", "before": shown["next_cursor"]})
        assert ([item.id for item in rest["items"]], rest["next_cursor"]) == ([sent[0]], None)
        assert shown["filters"] == {"state": "unread", "before": None}


@pytest.mark.parametrize("path", ["/notifications", "/notifications/recent"])
def test_rows_stand_below_the_headings_of_their_days(browser, user, send, path):
    assert "data-notiway-day" not in browser.get(path, form="htmx").text
    send(user, "Now")
    assert browser.get(path, form="htmx").text.count('data-notiway-day="today" aria-hidden="true">Today<') == 1
    item_id = browser.get(path, form="json").json["notifications"][0]["id"]
    browser.put(f"/notifications/{item_id}/snooze", json={"minutes": 60})
    assert "data-notiway-day" not in browser.get("/notifications?state=snoozed", form="htmx").text
