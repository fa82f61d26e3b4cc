"""Listing: which filters are understood, what they find, and where the list goes on."""

import pytest

from notiway.store.database import db

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
