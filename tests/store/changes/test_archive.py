"""The archive: out of list, count and replay, and found under its own state."""

import pytest
from fresh import verbs

from notiway.store import inbox
from notiway.store.changes.archive import archive, put_back
from notiway.store.log import resuming, standing
from notiway.store.search.filters import STATES
from notiway.values.audience import Audience
from notiway.values.errors import NotFound
from notiway.verbs.send import send_notification


@pytest.fixture(autouse=True)
def broker(place):
    with verbs(place) as notebook:
        yield notebook


def ids_in(state, **filters):
    return [item.id for item in inbox.feed("ada", state=state, **filters).items]


@pytest.fixture(params=["direct", "broadcast"])
def sent(request):
    to = "ada" if request.param == "direct" else Audience.everyone()
    found = [send_notification(to, f"Number {number}", source="shop").id for number in range(3)]
    inbox.catch_up("ada")
    return found


def test_it_leaves_list_count_replay_and_resume_and_stands_in_its_own_state(sent):
    archive("ada", [sent[1]])
    assert ids_in("all") == ids_in("unread") == [sent[2], sent[0]]
    assert ids_in("archived") == ids_in("archived", text="number", source="shop") == [sent[1]]
    assert ids_in("archived", text="nowhere") == ids_in("archived", source="other") == ids_in("snoozed") == []
    assert inbox.unread_count("ada") == inbox.arrive("ada") == 2
    assert sent[1] not in [item.id for item in standing.items("ada", ["global", "user:ada"])]
    assert sent[1] not in [item.id for item in resuming.page("ada", resuming.beginning(), 9).items]
    assert inbox.get("ada", sent[1]).place == "archived", "a link to it works"


def test_it_keeps_its_read_state_and_can_be_read_there(sent):
    archive("ada", sent[:2])
    assert [item.is_read for item in inbox.get_many("ada", sent[:2])] == [False, False]
    inbox.mark_read("ada", [sent[0]])
    assert inbox.unread_count("ada") == 1
    assert inbox.mark_all_read("ada")[0] == [inbox.Name(sent[2], sent[2], inbox.get("ada", sent[2]).audience)]
    assert [item.is_read for item in inbox.get_many("ada", sent)] == [True, False, True], "not what is archived"


def test_it_is_put_back_as_it_was_and_twice_is_no_fault(sent):
    for _ in range(2):
        archive("ada", [sent[0]])
    for _ in range(2):
        assert [item.place for item in put_back("ada", [sent[0]])] == ["inbox"]
    assert ids_in("all") == sent[::-1]
    assert ids_in("archived") == []


def test_what_is_deleted_is_in_no_archive_and_can_be_brought_back_there(sent):
    archive("ada", [sent[0]])
    inbox.delete("ada", [sent[0]])
    assert ids_in("archived") == []
    with pytest.raises(NotFound):
        inbox.get("ada", sent[0])
    with pytest.raises(NotFound):
        put_back("ada", [sent[0]])
    archive("ada", [sent[0]])
    assert ids_in("archived") == [sent[0]]


def test_pages_of_the_archive_follow_each_other(sent):
    archive("ada", sent)
    first = inbox.feed("ada", state="archived", limit=2)
    rest = inbox.feed("ada", state="archived", before=first.next_cursor, limit=2)
    assert [item.id for item in first.items + rest.items] == sent[::-1]


def test_another_users_items_are_not_found_and_stay(sent):
    mine = send_notification("bob", "His").id
    with pytest.raises(NotFound):
        archive("ada", [sent[0], mine])
    assert ids_in("all") == sent[::-1]
    assert set(STATES) == {"all", "unread", "read", "archived", "snoozed"}
