"""Contacts: the demo's import, and what it says of a file that is none."""

import pytest

from notiway.host import contacts
from notiway.host.tables import Contact
from notiway.store import tasks


@pytest.fixture
def quick(monkeypatch):
    monkeypatch.setattr(contacts, "PAUSE_SECONDS", 0)


def bodies(heard):
    return [event.data["notification"]["body"] for event in heard]


def run(user, data):
    task_id, to = contacts.announce(user.id)
    contacts.import_contacts(task_id, user.id, to, data)
    return tasks.get(user.id, task_id)


def test_ten_thousand_rows_are_imported(inside, heard, user, quick):
    task = run(user, contacts.sample())
    assert (task.status, task.done, task.total, task.message) == (
        "completed",
        10_000,
        10_000,
        "10,000 contacts imported",
    )
    assert contacts.how_many(user.id) == 10_000
    assert [body["status"] for body in bodies(heard)][:1] == ["queued"]
    again = run(user, contacts.sample())
    assert (again.status, contacts.how_many(user.id)) == ("completed", 10_000)


def test_a_broken_row_fails_with_its_number_and_says_what_was_imported(inside, heard, user, quick):
    task = run(user, contacts.sample(broken_row=6_204))
    assert task.status == "failed"
    assert task.message == "Row 6,204: 'nobody' is not an e-mail address. 6,200 rows were imported."
    assert contacts.how_many(user.id) == 6_200
    assert bodies(heard)[-1]["status"] == "failed"


@pytest.mark.parametrize(
    ("data", "message"),
    [
        (b"\xff\xfe", "not UTF-8"),
        (b"", "must name the columns"),
        (b"email,name\na@b,x\n", "city is missing"),
        (b"email,name,city\n", "no rows"),
        (b'email,name,city\n"a@b,x', "is not valid CSV"),
        (b"email,name,city\n" + b"a@b,x,y\n" * 20_001, "more than 20,000"),
        (b"email,name,city\na@b," + b"x" * 201 + b",y\n", "Row 1: a field has more than 200"),
        (b"email,name,city\na@b\n@b,x,y\n", "Row 2: '@b' is not an e-mail address"),
    ],
)
def test_a_file_that_is_none_fails_with_the_reason(inside, heard, user, quick, data, message):
    task = run(user, data)
    assert task.status == "failed"
    assert message in task.message


def test_the_same_address_twice_counts_once(inside, heard, user, quick):
    run(user, "\ufeffemail,name,city\nA@b,Old,x\na@B,New,Łódź\n".encode())
    assert [(row.email, row.name, row.city) for row in Contact.select()] == [("a@b", "New", "Łódź")]


def test_a_fault_of_ours_is_told_too(inside, heard, user, monkeypatch):
    monkeypatch.setattr(contacts, "_store", lambda *_: 1 / 0)
    with pytest.raises(ZeroDivisionError):
        run(user, contacts.sample())
    assert bodies(heard)[-1]["status"] == "failed"


def test_an_import_replaces_the_users_own_contacts_and_nobody_elses(inside, heard, user, other, quick):
    head = b"email,name,city\n"
    for each in (user, other):
        run(each, head + b"old@b,x,y\n")
    run(user, head + b"new@b,x,y\n")
    found = {(row.user_id, row.email) for row in Contact.select()}
    assert found == {(user.id, "new@b"), (other.id, "old@b")}


def test_a_file_that_cannot_be_read_replaces_nothing(inside, heard, user, quick):
    run(user, b"email,name,city\nold@b,x,y\n")
    run(user, b"nonsense")
    assert contacts.how_many(user.id) == 1
