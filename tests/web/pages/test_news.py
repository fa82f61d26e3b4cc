"""News: a page that asks hears once what came, and nothing where all is as it knows it."""

import re

import pytest

from notiway.values.ids import new_id
from notiway.web.pages import news

BACKGROUND = {"X-Notiway-Background": "1", "HX-Request": "true"}


@pytest.fixture
def ask(browser):
    def go(path=news.PATH):
        return browser.get(path, form="htmx")

    return go


def shown(answer):
    return re.findall(r'<div role="listitem" class="notiway-item" data-notiway-id="([^"]+)"', answer.text)


def test_what_came_since_is_told_once_with_the_count(ask, user, send):
    first = send(user, "First").id
    answer = ask()
    assert shown(answer) == [first]
    assert 'data-count="1"' in answer.text
    assert ask(answer.headers[news.NEXT]).status_code == 204
    second = send(user, "Second").id
    answer = ask(answer.headers[news.NEXT])
    assert shown(answer) == [second]
    assert 'data-count="2"' in answer.text
    assert ask(answer.headers[news.NEXT]).status_code == 204


def test_an_id_is_a_place_too(ask, user, send):
    first, second = send(user, "First").id, send(user, "Second").id
    assert shown(ask(f"{news.PATH}?since={first}")) == [second]


def test_what_is_read_or_deleted_elsewhere_changes_the_number_that_a_page_compares(ask, browser, user, send):
    one, two = send(user, "One").id, send(user, "Two").id
    before = ask().headers[news.NEXT]
    browser.put(f"/notifications/{one}/read")
    answer = ask(before)
    assert answer.status_code == 200
    assert shown(answer) == []
    changes = re.compile(r"changes=(\d+)")
    assert changes.search(answer.headers[news.NEXT])[1] != changes.search(before)[1]
    browser.open("DELETE", f"/notifications/{two}")
    assert ask(answer.headers[news.NEXT]).status_code == 200


def test_more_than_one_answer_holds_follows_at_once(ask, user, send, monkeypatch):
    monkeypatch.setattr(news, "PAGE_ITEMS", 2)
    ids = [send(user, f"Number {number}").id for number in range(3)]
    first = ask()
    assert (shown(first), first.headers.get(news.MORE)) == (ids[:2], "1")
    rest = ask(first.headers[news.NEXT])
    assert (shown(rest), rest.headers.get(news.MORE)) == (ids[2:], None)


def test_nothing_of_another_user_is_told(ask, other, send):
    send(other, "For Bob only")
    assert "For Bob only" not in ask().text


def test_a_place_that_is_none_is_refused_and_so_is_nobody(ask, client):
    assert ask(f"{news.PATH}?since=nonsense").status_code == 400
    assert client.get(f"{news.PATH}?since={new_id()}", headers=BACKGROUND).status_code == 401


def test_asking_is_no_sign_of_a_person(browser):
    assert "Set-Cookie" not in browser.get(news.PATH, form="htmx", headers=BACKGROUND).headers
