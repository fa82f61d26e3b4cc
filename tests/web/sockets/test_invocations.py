"""Invocations: a SignalR client shakes hands and invokes what the hub offers; a fault is told by its code."""

import json
import time
from dataclasses import replace

import pytest
from pair import settle
from servers import wait_until

from notiway.live.carriers import replaying
from notiway.live.carriers.hub_protocol import READY
from notiway.live.state import State
from notiway.store import inbox, rows
from notiway.store.database import db
from notiway.store.log import resuming, standing
from notiway.values.audience import Audience
from notiway.values.clock import now_ms
from notiway.values.ids import id_time
from notiway.values.principal import Principal
from notiway.web.sockets import invocations

END = "\x1e"
PING = 6
HANDSHAKE = {"protocol": "json", "version": 1}
OPS = {"audienceType": 3, "audienceValue": "ops", "tenantId": None}


def frame(*messages):
    return "".join((each if isinstance(each, str) else json.dumps(each)) + END for each in messages)


def time_has_passed(notification_id):
    """An id of later carries a later time."""
    wait_until(lambda: now_ms() > id_time(notification_id))


def call(target, *arguments, number="1", **more):
    return {"type": 1, "target": target, "arguments": list(arguments), "invocationId": number, **more}


@pytest.fixture
def handle(app):
    return invocations.handler(app)


@pytest.fixture
def stranger(now, join):
    """A connection that has not shaken hands, and its client."""
    return join(Principal("ada"), None, (time.time() + 60, lambda connection: None), format="signalr")


class Talk:
    """What ada's client says and hears."""

    def __init__(self, now, handle, connection, client):
        self.now, self.handle, self.connection, self.client = now, handle, connection, client
        self._heard = []

    def say(self, *messages):
        settle(self.now.reactor)
        self.handle(self.connection, frame(*messages))

    def hear(self, count=1):
        while len(self._heard) < count:
            (text,) = self.client.read()
            assert text.endswith(END)
            messages = map(json.loads, text[:-1].split(END))
            self._heard += [each for each in messages if each.get("type") != PING]
        heard, self._heard = self._heard[:count], self._heard[count:]
        return heard

    def ask(self, *messages):
        self.say(*messages)
        return self.hear()[0]


@pytest.fixture
def talk(now, handle, stranger):
    """The same after the handshake."""
    made = Talk(now, handle, *stranger)
    assert made.ask(HANDSHAKE) == {}
    return made


# The handshake


def test_a_handshake_is_answered_and_what_stands_is_replayed(now, handle, stranger, notify):
    first = notify("ada", "waits")
    made = Talk(now, handle, *stranger)
    made.say(HANDSHAKE)
    hello, replayed = made.hear(2)
    assert hello == {}
    assert (replayed["target"], replayed["arguments"][0]["id"]) == ("notification", first)
    assert stranger[0].stage == READY


def test_what_was_replayed_is_not_told_again_when_its_event_comes_late(now, handle, stranger, notify, monkeypatch):
    late = []
    with monkeypatch.context() as held:
        held.setattr(now.broker, "publish", late.extend)
        notify("ada", "waits")
    made = Talk(now, handle, *stranger)
    made.say(HANDSHAKE)
    made.hear(2)
    now.hub.deliver(late[0])
    assert made.ask(call("Explode"))["type"] == 3


@pytest.fixture
def returning(now, handle, join):
    """A client that names what it has: `returning("order-1")`; what it hears after the handshake, by `id`."""

    def come(since, count, known_as=lambda call: call["arguments"][0]["id"]):
        connection, client = join(
            Principal("ada"), None, (time.time() + 60, lambda _: None), format="signalr", since=since
        )
        made = Talk(now, handle, connection, client)
        made.say(HANDSHAKE)
        hello, *told = made.hear(1 + count)
        assert hello == {}
        return [known_as(each) for each in told]

    return come


@pytest.fixture
def without_overlap(monkeypatch):
    monkeypatch.setattr(resuming, "OVERLAP_MS", 0)


@pytest.mark.sqlite  # elsewhere the item before comes again, without an overlap too
@pytest.mark.usefixtures("without_overlap")
@pytest.mark.parametrize("by", ["the producer's id", "our id"])
def test_a_client_that_names_what_it_has_is_told_what_it_missed(returning, notify, by):
    notify("ada", dedupe_key="order-0")
    has = notify("ada", dedupe_key="order-1")
    time_has_passed(has)
    for number in range(2, 5):
        notify("ada", dedupe_key=f"order-{number}")
    notify("bob", dedupe_key="order-5")
    assert returning("order-1" if by.startswith("the producer") else has, 3) == ["order-2", "order-3", "order-4"]


def test_a_cursor_of_an_empty_list_is_a_place_to_go_on_from(returning, notify):
    place = resuming.page("ada", resuming.beginning(), 50).cursor.as_text()
    notify("ada", dedupe_key="order-1")
    assert returning(place, 1) == ["order-1"]


def test_what_it_has_not_named_rightly_is_everything(returning, notify):
    notify("ada", dedupe_key="order-1")
    notify("bob", dedupe_key="order-2")
    assert returning("order-2", 1) == ["order-1"]
    assert returning("x" * 500, 1) == ["order-1"]


def test_what_it_missed_comes_page_by_page_without_an_end(returning, notify, monkeypatch):
    monkeypatch.setattr(replaying, "PAGE_ITEMS", 2)
    monkeypatch.setattr(standing, "REPLAY_LIMIT", 3)
    sent = [notify("ada") for _ in range(8)]
    assert returning(sent[0], 7) == sent[1:]


def test_a_replay_that_does_not_hold_everything_says_so(returning, notify, now, monkeypatch):
    monkeypatch.setattr(standing, "REPLAY_LIMIT", 3)
    for to in ("ada", Audience.everyone(), ["ada", "bob"], "ada", Audience.everyone(), "ada"):
        last = notify(to)
    told = returning(None, 5, lambda call: (call["target"], call["arguments"][0]))
    assert [each for each in told if each[0] == "ReplayIncomplete"] == told[:2]
    missing = {arguments["audienceId"]: arguments["missing"] for _, arguments in told[:2]}
    assert missing == {"user:ada": 2, "global": 1}
    assert told[-1][1]["id"] == last
    monkeypatch.setattr(standing, "REPLAY_LIMIT", 6)
    assert returning(None, 6, lambda call: call["target"]) == ["notification"] * 6


def test_a_subscription_that_does_not_replay_everything_says_so(talk, notify, now, monkeypatch):
    monkeypatch.setattr(standing, "REPLAY_LIMIT", 3)
    now.config = replace(now.config, open_groups=("ops",))
    for _ in range(5):
        notify(Audience.group("ops"))
    talk.say(call("Subscribe", OPS))
    completed, incomplete, *_ = talk.hear(5)
    assert completed["type"] == 3
    assert (incomplete["target"], incomplete["arguments"]) == (
        "ReplayIncomplete", [{"audienceId": "group:ops", "missing": 2}]
    )  # fmt: skip


def test_after_the_handshake_the_connection_ends_with_its_token(now, handle, join):
    ends_at = time.time() + 3_600
    principal = Principal("ada", ends_at=ends_at)
    connection, client = join(principal, None, (time.time() + 60, lambda each: None), format="signalr")
    made = Talk(now, handle, connection, client)
    assert made.ask(HANDSHAKE) == {}
    assert connection.ends_at == ends_at


def test_messages_may_share_the_frame_of_the_handshake(now, handle, stranger):
    made = Talk(now, handle, *stranger)
    made.say(HANDSHAKE, call("Explode"))
    hello, answer = made.hear(2)
    assert (hello, answer["type"]) == ({}, 3)


@pytest.mark.parametrize(
    "text",
    [
        frame({"protocol": "messagepack", "version": 1}),
        frame({"protocol": "json", "version": 2}),
        frame(call("ConnectionId")),
        frame({}),
        "{}",
        "",
        "no" + END,
    ],
)
def test_a_bad_handshake_is_answered_with_an_error_and_the_end(handle, stranger, text):
    connection, client = stranger
    handle(connection, text)
    error, farewell, close = client.read_all()
    assert json.loads(error[:-1])["error"]
    assert json.loads(farewell[:-1])["allowReconnect"] is False
    assert close == ("close", 1002)


# Invocations


@pytest.mark.parametrize(("target", "state"), [("MarkAsRead", "read_at"), ("MarkAsDeleted", "deleted_at")])
@pytest.mark.parametrize("known_as", ["our id", "the producer's id"])
def test_an_item_is_marked_by_either_id(talk, notify, target, state, known_as):
    ours = notify("ada", dedupe_key="order-1")
    talk.hear()
    told, answer = None, None
    talk.say(call(target, "user:ada", ours if known_as == "our id" else "order-1"))
    for message in talk.hear(2):
        told, answer = (message, answer) if message["type"] == 1 else (told, message)
    assert answer == {"type": 3, "invocationId": "1", "result": None}
    assert told["arguments"][0]["eventId"] == "order-1"
    row = rows.read_items(f"{rows.FROM_INBOX} AND n.id = ?", ("ada", ours))[0]
    assert getattr(row, state) is not None


def test_a_broadcast_that_was_never_listed_is_marked_too(talk, notify, now, monkeypatch):
    monkeypatch.setattr(now.badges, "_run", lambda work: None)  # else it comes into the inbox by itself
    sent = notify(Audience.everyone(), "to all")
    talk.hear()
    talk.say(call("MarkAsRead", "global", sent))
    assert {message["type"] for message in talk.hear(2)} == {1, 3}
    assert inbox.get("ada", sent).is_read


def test_a_subscription_is_answered_replayed_and_heard_until_it_ends(talk, notify):
    talk.connection.grants = ("group:ops",)
    stands = notify(Audience.group("ops"), "stands")
    talk.say(call("Subscribe", OPS))
    answer, replayed = talk.hear(2)
    assert answer == {"type": 3, "invocationId": "1", "result": None}
    assert replayed["arguments"][0]["id"] == stands
    assert talk.ask(call("Unsubscribe", OPS, number="2"))["invocationId"] == "2"
    notify(Audience.group("ops"), "too late", persist=False)
    last = notify("ada", "to ada", persist=False)
    assert talk.hear()[0]["arguments"][0]["id"] == last


@pytest.mark.parametrize(
    "routing",
    [
        {"audienceType": 2, "audienceValue": "acme"},
        {"audienceType": 2, "tenantId": "acme"},
        {"audienceType": 2, "audienceValue": "acme", "tenantId": "acme"},
    ],
)
def test_a_tenant_is_named_by_either_field(talk, routing):
    talk.connection.grants = ("tenant:acme",)
    assert talk.ask(call("Subscribe", routing))["result"] is None
    assert "tenant:acme" in talk.connection.audiences


def test_a_newer_token_is_taken(talk, token):
    assert talk.ask(call("Renew", token("ada", audiences=("group:x",))))["result"] is None
    assert talk.connection.grants == ("group:x",)


@pytest.mark.parametrize(
    ("message", "code"),
    [
        (call("Explode"), "NotSupported"),
        (call("subscribe", OPS), "NotSupported"),
        (call(7), "NotSupported"),
        (call("Subscribe"), "WrongInput"),
        (call("Subscribe", OPS, OPS), "WrongInput"),
        (call("Subscribe", "group:ops"), "WrongInput"),
        (call("Subscribe", {}), "WrongInput"),
        (call("Subscribe", OPS | {"audienceType": True}), "WrongInput"),
        (call("Subscribe", OPS | {"audienceType": 6}), "WrongInput"),
        (call("Subscribe", OPS | {"audienceType": "3"}), "WrongInput"),
        (call("Subscribe", OPS | {"audienceValue": 7}), "WrongInput"),
        (call("Subscribe", OPS | {"audienceValue": None}), "WrongInput"),
        (call("Subscribe", OPS | {"tenantId": ["acme"]}), "WrongInput"),
        (call("Subscribe", {"audienceType": 2}), "WrongInput"),
        (call("Subscribe", {"audienceType": 2, "audienceValue": "acme", "tenantId": "globex"}), "WrongInput"),
        (call("Subscribe", OPS), "Forbidden"),
        (call("Subscribe", {"audienceType": 1}), "NotSupported"),
        (call("Subscribe", {"audienceType": 4, "audienceValue": "bob"}), "NotSupported"),
        (call("Unsubscribe", {"audienceType": 5, "audienceValue": "c"}), "NotSupported"),
        (call("MarkAsRead", "user:ada"), "WrongInput"),
        (call("MarkAsRead", "user:ada", 7), "WrongInput"),
        (call("MarkAsDeleted", "user:ada", "nothing"), "NotFound"),
        (call("Renew", "nonsense"), "Unauthorized"),
        (call("Renew", None), "WrongInput"),
        ({"type": 1, "target": "Subscribe", "arguments": OPS, "invocationId": "1"}, "WrongInput"),
        ({"type": 1, "target": "Subscribe", "invocationId": "1"}, "WrongInput"),
        ({"type": 4, "target": "Subscribe", "arguments": [], "invocationId": "1"}, "NotSupported"),
    ],
)
def test_a_fault_completes_the_invocation_with_its_code(talk, message, code):
    answer = talk.ask(message)
    assert (answer["type"], answer["invocationId"]) == (3, "1")
    assert answer["error"].startswith(f"{code}: ")
    assert talk.connection.state is State.OPEN


@pytest.mark.parametrize("target", ["MarkAsRead", "MarkAsDeleted"])
@pytest.mark.parametrize("audience", ["user:bob", "user:ada", "global"])
def test_another_users_item_is_not_found(talk, notify, target, audience):
    theirs = notify("bob", dedupe_key="order-1")
    for known_as in (theirs, "order-1"):
        assert talk.ask(call(target, audience, known_as))["error"].startswith("NotFound: ")
    item = inbox.get("bob", theirs)
    assert (item.read_at, item.deleted_at) == (None, None)


def test_a_fault_of_ours_tells_nothing_about_the_inside(talk, monkeypatch, caplog):
    def fail(*given):
        raise RuntimeError("hunter2")

    monkeypatch.setattr(invocations.items, "mark_read", fail)
    monkeypatch.setattr(invocations.standing, "find", lambda *given: ["x"])
    answer = talk.ask(call("MarkAsRead", "user:ada", "x"))
    assert answer["error"] == "Error: An error occurred on the server. It has been logged."
    assert "hunter2" in caplog.text


def test_without_an_invocation_id_nothing_is_answered(talk):
    nameless = {"type": 1, "target": "Explode", "arguments": []}
    assert talk.ask(nameless, nameless | {"invocationId": 7}, call("Explode", number="last"))["invocationId"] == "last"


@pytest.mark.parametrize("kind", [2, 3, 5, 6, 8, 99, None, "1"])
def test_a_message_of_another_type_is_passed_over(talk, kind):
    assert talk.ask({"type": kind}, call("Explode", number="next"))["invocationId"] == "next"


def test_a_client_may_say_goodbye(talk):
    talk.say({"type": 7})
    assert talk.client.read_all()[-1] == ("close", 1000)


def test_one_that_was_turned_away_learns_why_when_it_shakes_hands(handle, stranger):
    connection, client = stranger
    connection.format.transport.turn_away(connection, 4008, "too many connections")
    handle(connection, frame({"protocol": "json", "version": 1}))
    error, _farewell, close = client.read_all()
    assert json.loads(error[:-1]) == {"error": "too many connections"}
    assert close == ("close", 4008)


@pytest.mark.parametrize("text", ["no end", "no" + END, "[]" + END])
def test_what_is_no_message_ends_the_connection_with_a_reason(talk, text):
    talk.handle(talk.connection, text)
    *_, farewell, close = talk.client.read_all()
    assert json.loads(farewell[:-1])["error"]
    assert close == ("close", 1002)


def test_no_database_connection_is_held_after_a_message(talk):
    db.close()
    talk.say({"type": 6}, call("Explode"))
    assert db.is_closed()


END = "\x1e"


def test_every_invocation_of_a_frame_is_completed_with_unavailable(app, running, connection, trouble, user):
    message = {"type": 1, "target": "MarkAsRead", "arguments": [f"user:{user.id}", trouble]}
    frame = "".join(json.dumps(message | {"invocationId": str(number)}) + END for number in range(3))
    invocations.handler(app)(connection("signalr", READY), frame)
    answers = [json.loads(text.rstrip(END)) for text in running.told]
    assert [answer["invocationId"] for answer in answers] == ["0", "1", "2"]
    assert all(answer["error"].startswith("Unavailable: ") for answer in answers)


def test_a_handshake_is_refused_with_unavailable_instead_of_never_answered(app, running, connection, exhausted):
    invocations.handler(app)(connection("signalr"), json.dumps({"protocol": "json", "version": 1}) + END)
    assert [name for name, *_ in running.closed][-1:] == ["refuse_handshake"]
    assert running.closed[-1][1].startswith("Unavailable: ")
    assert running.told == []


def test_a_handshake_that_meets_a_fault_of_ours_is_refused_too(app, running, connection, monkeypatch, caplog):
    def fail(*args):
        raise ZeroDivisionError

    monkeypatch.setattr(invocations.standing, "items", fail)
    invocations.handler(app)(connection("signalr"), json.dumps({"protocol": "json", "version": 1}) + END)
    assert running.closed[-1][0] == "refuse_handshake"
    assert running.closed[-1][1].startswith("Error: ")
    assert "ZeroDivisionError" in caplog.text


@pytest.fixture
def invoke(open_socket):
    """Calls a method of the hub, and returns its completion."""
    connection, client = open_socket(format="signalr")
    connection.stage = "ready"

    def call(target, *arguments):
        message = {"type": 1, "invocationId": "1", "target": target, "arguments": list(arguments)}
        connection.format.handle(connection, json.dumps(message) + END)
        while (answer := json.loads(client.read()[0].removesuffix(END))).get("type") == PING:
            pass
        return answer

    return call


@pytest.mark.parametrize(
    ("routing", "words"),
    [
        ({"audienceType": 3}, "audienceValue: is required for a group"),
        ({"audienceType": 2}, "audienceValue: is required for a tenant"),
        ({"audienceType": 2, "audienceValue": "a", "tenantId": "b"}, "tenantId: must equal audienceValue"),
        ({"audienceType": 3, "audienceValue": "a:b", "tenantId": "c:d"}, "tenantId: must not contain a colon"),
        ({"audienceType": 3, "audienceValue": "x" * 201}, "1 to 200"),
        ({"audienceType": 7}, "audienceType must be a number from 1 to 5"),
        ("group:ops", "{audienceType, audienceValue, tenantId}"),
    ],
)
def test_a_routing_that_names_no_audience_is_refused_with_its_faults(invoke, routing, words):
    error = invoke("Subscribe", routing)["error"]
    assert error.startswith("WrongInput: ")
    assert words in error


def test_a_subscription_that_fails_is_answered_once_with_its_error(talk, monkeypatch):
    talk.connection.grants = ("group:ops",)

    def fail(*_, **__):
        raise RuntimeError("the database is away")

    with monkeypatch.context() as broken:
        broken.setattr(standing, "items", fail)
        talk.say(call("Subscribe", OPS, number="1"), call("Nothing", number="2"))
        first, second = talk.hear(2)
    assert first["invocationId"] == "1"
    assert first["error"].startswith("Error: ")
    assert second["invocationId"] == "2"
    assert talk.ask(call("Subscribe", OPS, number="3")) == {"type": 3, "invocationId": "3", "result": None}


@pytest.mark.usefixtures("picky")
@pytest.mark.parametrize(
    ("target", "arguments", "code"),
    [
        ("MarkAsRead", ["user:ada", "a\0b"], "NotFound"),
        ("MarkAsDeleted", ["user:\0", "a"], "NotFound"),
        ("MarkAsRead", ["\ud800", "\ud800"], "NotFound"),
        ("Renew", ["\ud800.a.b"], "Unauthorized"),
        ("Subscribe", [{"audienceType": 3, "audienceValue": "a\0b"}], "WrongInput"),
    ],
)
def test_what_no_database_could_look_up_is_answered_too(invoke, target, arguments, code):
    assert invoke(target, *arguments)["error"].startswith(f"{code}: ")
