"""Presses: what "mark all as read" read is unread again, and nothing else."""

import pytest
from fresh import verbs

from notiway.store import inbox
from notiway.store.changes import archive, presses
from notiway.store.changes.presses import Press
from notiway.store.database import db
from notiway.verbs.send import send_notification


@pytest.fixture(autouse=True)
def broker(place):
    with verbs(place) as notebook:
        yield notebook


def send(count, to="ada"):
    sent = [send_notification(to, str(number)).id for number in range(count)]
    inbox.catch_up("ada")
    return sent


def press(before=None):
    names, number = inbox.mark_all_read("ada", before)
    return Press.of(number, [name.id for name in names])


def undo(made, user="ada"):
    names, last, rounds = [], "", 0
    while last is not None:
        with db.atomic():
            some, last = presses.take_back(user, made, last)
        names += some
        rounds += 1
    return [name.id for name in names], rounds


def unread():
    return {item.id for item in inbox.feed("ada", state="unread", limit=2_000).items}


def test_what_was_read_singly_before_or_after_stays_read():
    before, marked, opened, again, later = send(5)
    inbox.mark_read("ada", [before])
    made = press(again)
    inbox.mark_read("ada", [opened])
    inbox.mark_unread("ada", [again])
    inbox.mark_read("ada", [again, later])
    assert undo(made)[0] == [marked]
    assert unread() == {marked}
    assert undo(made)[0] == [], "a second time finds nothing"


def test_each_press_is_undone_by_itself():
    first = send(2)
    one = press()
    second = send(2)
    other = press()
    assert undo(one)[0] == first
    assert unread() == set(first)
    assert undo(other)[0] == second


@pytest.mark.parametrize("part", [1, 2, 3, 500])
def test_parts_of_any_size_find_all(monkeypatch, part):
    monkeypatch.setattr(presses, "PART", part)
    sent = send(6)
    inbox.mark_read("ada", [sent[2]])
    made = press(sent[4])
    send(3)
    found, rounds = undo(made)
    assert found == [sent[0], sent[1], sent[3], sent[4]]
    assert rounds <= 5 // part + 1


def test_what_left_the_list_meanwhile_stays_where_it_is():
    kept, archived, deleted = send(3)
    made = press()
    archive.archive("ada", [archived])
    inbox.delete("ada", [deleted])
    assert undo(made)[0] == [kept, archived], "nobody is told of what is deleted"
    assert unread() == {kept}
    assert not inbox.get("ada", archived).is_read


def test_a_press_says_nothing_about_another_users_items():
    sent = send(3, ["ada", "bob"])
    inbox.catch_up("bob")
    made = press()
    inbox.mark_all_read("bob")
    assert undo(made, "bob")[0] in ([], sent)
    assert unread() == set(), "hers are as they were"


def test_a_press_that_read_nothing_is_none():
    send(1)
    press()
    assert press() is None


def test_its_text_comes_back_as_it_was():
    made = Press(12, *sorted(send(2)))
    assert Press.from_text(made.as_text()) == made


@pytest.mark.parametrize("text", ["", "7", "7.a.b", "x.1.2", "7." + "0" * 36 + "." + "0" * 36, "9" * 30])
def test_other_texts_are_refused(text):
    with pytest.raises(ValueError, match="names no press"):
        Press.from_text(text)
