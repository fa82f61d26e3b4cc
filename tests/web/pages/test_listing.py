"""Listing: which filters are understood, what they find, and where the list goes on."""

import pytest

from notiway.store.database import db
from notiway.values.errors import WrongInput
from notiway.values.ids import new_id
from notiway.web.pages.listing import MAX_TEXT, context, cursor, filters

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
        ("text=needle", ["c"]),
        ("text=%25", []),
        ("state=unread&type=info&text=c", ["c"]),
        ("state=&type=&source=&priority=&text=", ["d", "c", "b", "a"]),
    ],
)
def test_filters_narrow_the_list(browser, user, send, query, titles):
    first = send(user, "a").id
    send(user, "b", type="error")
    send(user, "c", "a needle", priority="urgent")
    send(user, "d", source="billing")
    browser.put(f"/notifications/{first}/read")
    listed = browser.get(f"/notifications?{query}", form="json").json["notifications"]
    assert [item["title"] for item in listed] == titles
    assert browser.get(f"/notifications?{query}").text.count('class="notiway-item"') == len(titles)


@pytest.mark.parametrize("form", FORMS)
@pytest.mark.parametrize(
    "query", ["state=bogus", "type=loud", "priority=1", "before=x", "text=" + "a" * 201, "text=%00", "source=%00"]
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
    everything = {"state": "all", "type": None, "source": None, "priority": None, "text": None}
    assert filters(given) == everything | chosen


def test_every_filter_that_is_not_understood_is_named_at_once():
    given = {"state": "x", "type": "x", "priority": "x", "source": "a\0", "text": "x" * (MAX_TEXT + 1)}
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
