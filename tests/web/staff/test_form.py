"""Composing: the staff form as it is read, and every fault beside its field."""

from __future__ import annotations

import pytest

from notiway.values.audience import Audience
from notiway.values.errors import InvalidNotification
from notiway.web.staff import form
from notiway.web.staff.form import MAX_USERS


@pytest.fixture
def read(app):
    def read(**data):
        with app.test_request_context("/staff", method="POST", data=data):
            return form.read()

    return read


def test_a_new_form_has_no_fault_and_nobody_to_go_to():
    composed = form.empty()
    assert (composed.faults, composed.to, composed.keys) == ([], None, [])
    assert composed.values["form_key"] != form.empty().values["form_key"]


def test_users_named_one_by_one(read, user, other):
    composed = read(to=[f"user:{user.get_id()}", f"user:{other.get_id()}"], title="Hi")
    assert composed.recipients() == [user.get_id(), other.get_id()]


def test_a_group_is_an_audience(read):
    assert read(to="group:admins", title="Hi").recipients() == Audience.group("admins")


@pytest.mark.parametrize(
    "to",
    [[], ["nonsense"], ["connection:x"], ["group:a", "group:b"], [f"user:{n}" for n in range(MAX_USERS + 1)]],
    ids=["nobody", "nonsense", "connection", "two groups", "too many"],
)
def test_whom_it_cannot_go_to(read, to):
    composed = read(to=to, title="Hi")
    assert "to" in composed.first_faults
    with pytest.raises(InvalidNotification):
        composed.recipients()


def test_every_fault_is_named_at_once(read):
    composed = read(title="", type="loud", expires_at="soon")
    assert {"to", "title", "type", "expires_at"} <= set(composed.first_faults)


def test_what_is_still_empty_is_no_fault_of_a_preview(read):
    composed = read(title="", type="loud")
    assert "type" in composed.open_faults
    assert not {"to", "title"} & set(composed.open_faults)


def test_a_preview_shows_something_whatever_the_faults(read):
    item = read(title="", type="loud", priority="x", action_url="javascript:alert(1)").item()
    assert (item.title, item.type, item.priority, item.action_url) == ("Title", "info", "medium", None)
