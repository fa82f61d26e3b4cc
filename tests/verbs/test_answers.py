"""Answering: one press wins, everybody hears of it, and an interruption loses nothing."""

import threading
from dataclasses import replace

import pytest

from notiway.live import runtime
from notiway.store import inbox, membership, writing
from notiway.store.database import db
from notiway.store.tables import Membership
from notiway.values.audience import Audience
from notiway.values.errors import ActionFailed, NotFound
from notiway.values.kinds.action import Action, Undo
from notiway.values.kinds.answer import INTERRUPTED, PENDING_MS
from notiway.verbs import answers
from notiway.verbs.send import send_notification

pytestmark = pytest.mark.usefixtures("broker")
ADMINS = Audience.group("admins")


@pytest.fixture
def kind(broker):
    """A declared kind; what its handlers do is up to each test."""
    return runtime.current().kinds.declare("access-request", label="Access request")


@pytest.fixture
def ask(kind, broker):
    """Sends a request with the buttons Approve and Refuse; its id. Nothing of the sending is in the notebook."""

    def send(to="ada", **options):
        for name in ("approve", "refuse"):
            if name not in kind.handlers:
                kind.action(name)(lambda user_id, item: None)
        actions = [Action("Approve", method="post"), Action("Refuse", method="post")]
        row = send_notification(to, "Bob asks for access", name="access-request", actions=actions, **options)
        broker.clear()
        return row.id

    return send


def refuse_call(url):
    raise AssertionError(f"{url} was called")


def press(notification_id, name="approve", user_id="ada", call=refuse_call):
    return answers.press(user_id, notification_id, name, by_name=user_id.title(), call=call)


def undo(notification_id, user_id="ada"):
    return answers.undo(user_id, notification_id, by_name=user_id.title())


def told(broker):
    return [(event.audience, event.data["answer"] and event.data["answer"]["status"]) for event in broker.events]


def test_a_press_is_pending_then_done_and_both_are_told(kind, ask, broker):
    seen = []

    @kind.action("approve")
    def approve(user_id, item):
        seen.append((user_id, item.title, inbox.get("ada", item.id).action_status, told(broker)))

    item = press(ask())
    assert seen == [("ada", "Bob asks for access", "pending", [("user:ada", "pending")])]
    assert (item.action_status, item.answer["action"], item.answer["byName"]) == ("done", "approve", "Ada")
    assert told(broker) == [("user:ada", "pending"), ("user:ada", "done")]
    assert {event.kind for event in broker.events} == {"answered"}
    assert broker.events[-1].data["notification"]["answer"] == item.answer


@pytest.mark.parametrize(
    ("to", "heard"), [(["ada", "bob"], ["user:ada", "user:bob"]), (ADMINS, ["group:admins"]), ("ada", ["user:ada"])]
)
def test_everybody_it_was_for_is_told(ask, broker, to, heard):
    for user_id in ("ada", "bob"):
        membership.join(user_id, ADMINS)
    press(ask(to))
    assert sorted({event.audience for event in broker.events}) == heard
    assert Membership.select().count() == 2


def test_the_second_press_does_nothing_and_sees_who_was_first(kind, ask, broker):
    calls = []
    kind.action("refuse")(lambda user_id, item: calls.append(user_id))
    notification_id = ask(["ada", "bob"])
    press(notification_id)
    broker.clear()
    item = press(notification_id, "refuse", "bob")
    assert (item.answer["action"], item.answer["by"]) == ("approve", "ada")
    assert (calls, broker.events) == ([], [])


def test_of_two_that_press_at_once_one_wins(kind, ask, monkeypatch):
    calls, seen = [], []
    kind.action("approve")(lambda user_id, item: calls.append(user_id))
    notification_id = ask(["ada", "bob"])
    both, looked = threading.Barrier(2, timeout=30), inbox.get
    app = runtime.current_app._get_current_object()

    def look(user_id, item_id):
        item = looked(user_id, item_id)
        if item.answer is None:
            both.wait()  # neither claims it before both have looked
        return item

    monkeypatch.setattr(inbox, "get", look)

    def someone(user_id):
        with app.app_context():
            seen.append(press(notification_id, user_id=user_id).answer["press"])
            db.close()

    threads = [threading.Thread(target=someone, args=(user_id,)) for user_id in ("ada", "bob")]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)
    assert len(calls) == 1
    assert len(seen) == 2
    assert len(set(seen)) == 1


@pytest.mark.parametrize(
    ("error", "message"),
    [(ActionFailed("The order was cancelled"), "The order was cancelled"), (KeyError("x"), answers.BROKEN)],
)
def test_what_fails_says_so_and_may_be_pressed_again(kind, ask, broker, error, message):
    errors = [error]

    @kind.action("approve")
    def approve(user_id, item):
        if errors:
            raise errors.pop()

    notification_id = ask(["ada", "bob"])
    item = press(notification_id)
    assert (item.action_status, item.answer["message"]) == ("failed", message)
    assert told(broker)[-1] == ("user:bob", "failed")
    assert press(notification_id, user_id="bob").action_status == "done"


class Died(BaseException):
    """The process ends in the middle."""


def test_a_press_that_was_interrupted_is_pending_then_failed_and_runs_again(kind, ask, monkeypatch):
    calls = []

    @kind.action("approve")
    def approve(user_id, item):
        calls.append(item.id)
        if len(calls) == 1:
            raise Died

    notification_id = ask(["ada", "bob"])
    with pytest.raises(Died):
        press(notification_id)
    assert press(notification_id, user_id="bob").action_status == "pending"  # nobody runs it beside the first
    ended = inbox.get("ada", notification_id).answer["at"] + PENDING_MS
    for module in ("notiway.values.item", "notiway.verbs.answers"):
        monkeypatch.setattr(f"{module}.now_ms", lambda: ended)
    waiting = inbox.get("ada", notification_id)
    assert (waiting.action_status, waiting.settled_answer["message"]) == ("failed", INTERRUPTED)
    assert press(notification_id, user_id="bob").answer["by"] == "bob"
    assert calls == [notification_id] * 2


def test_one_that_comes_back_late_does_not_overwrite_what_happened_meanwhile(kind, ask, caplog):
    @kind.action("approve")
    def approve(user_id, item):
        other = {**item.answer, "status": "done", "by": "bob"}
        assert writing.set_answer(item.id, item.answer, other)

    assert press(ask(["ada", "bob"])).answer["by"] == "bob"
    assert "took so long" in caplog.text


def test_with_atomic_what_a_handler_writes_comes_with_the_answer_or_not_at_all(kind, ask, broker):
    fails = [True]

    @kind.action("approve", atomic=True)
    def approve(user_id, item):
        membership.join("bob", ADMINS)
        if fails.pop():
            raise ActionFailed("No")

    notification_id = ask()
    assert press(notification_id).action_status == "failed"
    assert Membership.select().count() == 0
    fails.append(False)
    assert press(notification_id).action_status == "done"
    assert Membership.select().count() == 1


def test_with_atomic_one_that_comes_back_late_leaves_nothing(kind, ask, monkeypatch):
    @kind.action("approve", atomic=True)
    def approve(user_id, item):
        membership.join("bob", ADMINS)

    notification_id, note = ask(), answers._note
    monkeypatch.setattr(
        answers, "_note", lambda now, item, after: after["status"] == "pending" and note(now, item, after)
    )
    assert press(notification_id).action_status == "pending"
    assert Membership.select().count() == 0


def test_undo_runs_its_handler_and_opens_the_buttons_again(kind, ask, broker):
    calls = []
    kind.action("withdraw")(lambda user_id, item: calls.append((user_id, item.title)))
    kind.action("approve")(lambda user_id, item: Undo("withdraw", "Take back"))
    notification_id = ask(["ada", "bob"])
    assert press(notification_id).answer["undo"] == {"action": "withdraw", "label": "Take back"}
    broker.clear()
    item = undo(notification_id, "bob")
    assert item.action_status == "open"
    assert calls == [("bob", "Bob asks for access")]
    assert told(broker)[::2] == [("user:ada", "pending"), ("user:ada", None)]
    assert undo(notification_id).action_status == "open"  # again: nothing more happens
    assert len(calls) == 1
    assert press(notification_id, "refuse", "bob").answer["action"] == "refuse"


def test_an_undo_that_fails_leaves_what_was_done(kind, ask):
    @kind.action("withdraw")
    def withdraw(user_id, item):
        raise ActionFailed("Too late")

    kind.action("approve")(lambda user_id, item: Undo("withdraw"))
    notification_id = ask()
    press(notification_id)
    item = undo(notification_id)
    assert (item.action_status, item.answer["action"], item.answer["message"]) == ("done", "approve", "Too late")
    assert undo(notification_id).answer["undo"]  # and may be tried again


def test_there_is_an_undo_only_where_a_handler_says_so(kind, ask, caplog):
    notification_id = ask()
    assert undo(notification_id).action_status == "open"
    press(notification_id)
    with pytest.raises(NotFound):
        undo(notification_id)
    kind.handlers.pop("approve")
    kind.action("approve")(lambda user_id, item: Undo("never-declared"))
    other = ask()
    assert "undo" not in press(other).answer
    assert "never-declared" in caplog.text


def test_an_action_without_a_handler_calls_its_address(ask, broker):
    urls = []
    actions = [Action("Approve", "/orders/7/approve", method="post"), Action("Look", "/look")]
    notification_id = send_notification("ada", "Hi", actions=actions).id
    assert press(notification_id, call=urls.append).action_status == "done"
    assert urls == ["/orders/7/approve"]
    with pytest.raises(NotFound):
        press(notification_id, "look")


def test_nobody_else_can_press(ask):
    notification_id = ask("ada")
    for user_id, name in (("bob", "approve"), ("ada", "nothing")):
        with pytest.raises(NotFound):
            press(notification_id, name, user_id)
    assert inbox.get("ada", notification_id).answer is None


def test_a_handler_that_is_gone_fails_and_says_so(kind, ask):
    notification_id = ask()
    kind.handlers.clear()
    item = press(notification_id)
    assert (item.action_status, "any more" in item.answer["message"]) == ("failed", True)


def test_a_page_that_was_away_looks_at_its_lists_again(ask):
    notification_id, before = ask(), inbox.changes("ada")
    press(notification_id)
    assert inbox.changes("ada") > before


def test_what_was_recalled_cannot_be_answered(ask):
    notification_id = ask()
    item = inbox.get("ada", notification_id)
    writing.recall(notification_id)
    assert not writing.set_answer(notification_id, item.answer, replace(item).answer)
