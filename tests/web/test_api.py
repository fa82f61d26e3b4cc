"""The HTTP API: publishing, client tokens, catching up. Every refusal is JSON with a code."""

import json
import time
from concurrent.futures import ThreadPoolExecutor

import jwt
import pytest

from notiway.gateway import client_tokens
from notiway.gateway.client_tokens import Claims
from notiway.host import accounts
from notiway.live import runtime
from notiway.store import inbox, membership
from notiway.store.credentials import api_keys
from notiway.store.log import counting, resuming
from notiway.store.tables import Notification
from notiway.values.audience import Audience
from notiway.values.clock import now_ms
from notiway.values.errors import ConfigError
from notiway.verbs import keys
from notiway.verbs.send import send_notification


@pytest.fixture
def app(make_app):
    """A gateway whose producers bring their own users."""
    return make_app(NOTIWAY_USERS="external")


@pytest.fixture
def make_key(app):
    """Makes API keys: `make_key("publish")`."""
    made = []

    def make(*scopes):
        with app.app_context():
            made.append(api_keys.add(f"key {len(made)}", scopes)[1])
        return made[-1]

    return make


@pytest.fixture
def publish(client, make_key):
    """Publishes as a producer with all scopes, or with the given key."""
    own = make_key("publish", "token")

    def post(body, key=own, path="/api/notifications", **options):
        data = body if isinstance(body, str | bytes) else json.dumps(body)
        headers = {"Authorization": f"Bearer {key}"} if key else {}
        return client.post(path, data=data, content_type="application/json", headers=headers, **options)

    return post


@pytest.fixture
def token(app):
    """Makes client tokens: `token("user-1")`."""

    def make(user_id, ttl=60, **more):
        with app.app_context():
            return client_tokens.mint(runtime.current().token_secret, Claims(user_id, time.time() + ttl, **more))

    return make


def envelope(number=1, **changes):
    return {
        "id": f"order-{number}",
        "type": "order-shipped",
        "body": {"orderId": number},
        "routing": {"audienceType": 4, "audienceValue": "user-1"},
        "metadata": {"producer": "orders", "isPersisted": True},
    } | changes


def error_of(response):
    body = response.json["error"]
    assert set(body) == {"code", "message", "fields"}
    return response.status_code, body["code"]


def test_a_good_envelope_is_taken_and_stored_once(publish, app, heard):
    first, again = publish(envelope()), publish(envelope())
    assert (first.status_code, again.status_code) == (201, 200)
    assert first.json == {"id": "order-1", "audienceId": "user:user-1", "persisted": True, "duplicate": False}
    assert again.json["duplicate"] is True
    assert [event.kind for event in heard] == ["created"]
    with app.app_context():
        assert inbox.unread_count("user-1") == 1


def test_what_is_odd_is_taken_and_named_in_warnings(publish):
    raw = envelope(body={"severity": "loud"})
    (alone,) = publish(raw).json["warnings"]
    (in_a_batch,) = publish([raw | {"id": "other"}]).json[0]["warnings"]
    assert alone["path"] == in_a_batch["path"] == "body.severity"
    assert "info, success, warning, error, critical" in alone["message"]


def test_an_unpersisted_one_is_delivered_once_and_stored_nowhere(publish, app, heard):
    raw = envelope(metadata={"producer": "orders"})
    assert publish(raw).json["persisted"] is False
    assert publish(raw).json["duplicate"] is True
    assert len(heard) == 1
    with app.app_context():
        assert Notification.select().count() == 0


@pytest.mark.parametrize("persisted", [True, False])
def test_ids_are_kept_apart_by_key_and_not_by_what_a_producer_calls_itself(publish, make_key, heard, persisted):
    metadata = {"producer": "orders", "isPersisted": persisted}
    rival = make_key("publish:group:rival:*")
    routing = {"audienceType": 3, "audienceValue": "ops", "tenantId": "rival"}
    assert publish(envelope(routing=routing, metadata=metadata), key=rival).status_code == 201
    assert publish(envelope(metadata=metadata)).status_code == 201, "nobody else can use up its ids"
    again = publish(envelope(metadata=metadata | {"producer": "billing"}))
    assert (again.status_code, again.json["duplicate"]) == (200, True)
    assert len(heard) == 2


def test_no_key_can_use_up_the_applications_own_ids(publish, app, heard):
    metadata = {"producer": "app", "isPersisted": True}
    publish(envelope(id="k", metadata=metadata))
    with app.app_context():
        send_notification("user-1", "Hi", dedupe_key="k")
    assert len(heard) == 2


@pytest.mark.parametrize("first", [True, False])
def test_an_id_is_taken_once_kept_or_not(publish, heard, first):
    assert publish(envelope(metadata={"isPersisted": first})).status_code == 201
    again = publish(envelope(metadata={"isPersisted": not first}))
    assert (again.status_code, again.json["duplicate"]) == (200, True)
    assert [warning["path"] for warning in again.json["warnings"]] == ["metadata.isPersisted"]
    assert len(heard) == 1


def test_a_duplicate_for_somebody_else_says_that_it_was_not_delivered(publish):
    publish(envelope())
    again = publish(envelope(routing={"audienceType": 4, "audienceValue": "user-2"}, body={"orderId": 9}))
    assert again.json["duplicate"] is True
    warnings = {warning["path"]: warning["message"] for warning in again.json["warnings"]}
    assert set(warnings) == {"routing", "body"}
    assert "user:user-1" in warnings["routing"]


def test_unknown_fields_are_named_in_warnings(publish):
    answer = publish(envelope(metadata={"ispersisted": True}))
    assert answer.json["persisted"] is False
    assert [warning["path"] for warning in answer.json["warnings"]] == ["metadata.ispersisted"]


@pytest.fixture
def with_users(make_app):
    """An application that knows its users, one of them, and a key of it: `post, user_id`."""
    app = make_app()
    with app.app_context():
        key = api_keys.add("key", ["publish", "token"])[1]
        user_id = accounts.add("ada@example.com", "Ada", "x").id

    def post(body, path="/api/notifications"):
        return app.test_client().post(path, json=body, headers={"Authorization": f"Bearer {key}"})

    return app, post, user_id


def to_user(number, user_id):
    return envelope(number, routing={"audienceType": 4, "audienceValue": user_id})


def test_users_that_the_application_does_not_know_are_named_in_warnings(with_users):
    _, post, user_id = with_users
    known, unknown = post([to_user(1, user_id), to_user(2, "user-1")]).json
    assert "warnings" not in known
    assert [warning["path"] for warning in unknown["warnings"]] == ["routing.audienceValue"]
    assert unknown["persisted"] is True


def test_users_that_the_application_does_not_know_get_no_token(with_users):
    _, post, user_id = with_users
    assert post({"userId": user_id}, "/api/tokens").status_code == 201
    refused = post({"userId": "user-1"}, "/api/tokens")
    assert error_of(refused) == (400, "WrongInput")
    assert refused.json["error"]["fields"][0]["path"] == "userId"


def test_an_application_that_cannot_say_who_exists_holds_up_nothing(with_users, monkeypatch, caplog):
    app, post, user_id = with_users

    def fail(_):
        raise RuntimeError("the directory is away")

    with app.app_context():
        monkeypatch.setattr(runtime.current(), "unknown_users", fail)
    answer = post(to_user(1, user_id))
    assert answer.status_code == 201
    assert "the directory is away" in caplog.text


@pytest.mark.parametrize(
    ("label", "status"), [("billing", 201), ("shop-eu", 201), (None, 201), ("orders", 403), ("shop", 403)]
)
def test_a_key_may_be_bounded_to_what_it_calls_itself(publish, make_key, label, status):
    key = make_key("publish", "producer:billing", "producer:shop-*")
    answer = publish(envelope(metadata={"producer": label}), key=key)
    assert answer.status_code == status
    if status == 403:
        assert answer.json["error"]["fields"][0]["path"] == "metadata.producer"


def test_every_reason_why_a_key_may_not_is_named(publish, make_key):
    answer = publish(envelope(), key=make_key("publish:global", "producer:billing"))
    assert {field["path"] for field in answer.json["error"]["fields"]} == {"routing", "metadata.producer"}


@pytest.mark.parametrize("persisted", [True, False])
def test_fifty_times_from_ten_threads_delivers_and_stores_once(app, make_key, heard, persisted):
    key = make_key("publish")
    raw = json.dumps(envelope(metadata={"isPersisted": persisted}))

    def post(_):
        headers = {"Authorization": f"Bearer {key}"}
        return app.test_client().post("/api/notifications", data=raw, headers=headers).status_code

    with ThreadPoolExecutor(10) as pool:
        answers = list(pool.map(post, range(50)))
    assert sorted(answers) == [200] * 49 + [201]
    assert len(heard) == 1
    with app.app_context():
        assert Notification.select().count() == persisted


def test_a_bad_item_among_a_thousand_harms_none_of_the_others(publish, app):
    batch = [envelope(number) for number in range(1_000)]
    batch[500] = envelope(500, routing={"audienceType": 3})
    answer = publish(batch)
    assert answer.status_code == 200
    assert answer.json[500]["error"]["fields"] == [
        {"path": "routing.audienceValue", "message": "is required for a group"}
    ]
    assert sum("id" in item for item in answer.json) == 999
    with app.app_context():
        assert Notification.select().count() == 999


def test_more_than_a_thousand_are_refused_as_a_whole(publish, app):
    assert error_of(publish([envelope(number) for number in range(1_001)])) == (413, "TooLarge")
    with app.app_context():
        assert Notification.select().count() == 0


def test_an_empty_array_answers_an_empty_array(publish):
    assert publish([]).json == []


@pytest.mark.parametrize(
    ("body", "status"),
    [("", 400), ("{", 400), ("NaN", 400), (b"\xff", 400), ("[" * 100_000, 400), ("5", 422), ("{}", 422), ("null", 422)],
)
def test_what_is_no_envelope_gets_a_clear_refusal(publish, body, status):
    assert error_of(publish(body)) == (status, "WrongInput")


def test_a_body_over_the_limit_is_refused(publish):
    assert error_of(publish(b" " * (16 * 1024 * 1024 + 1))) == (413, "TooLarge")


@pytest.mark.parametrize("key", [None, "", "nw_wrong", "Bearer x"])
def test_without_a_good_key_nothing_is_published(publish, key):
    assert error_of(publish(envelope(), key=key)) == (401, "Unauthorized")


def test_no_key_and_a_wrong_key_are_told_apart(publish):
    assert "Send an API key" in publish(envelope(), key=None).json["error"]["message"]
    assert "unknown or was revoked" in publish(envelope(), key="nw_wrong").json["error"]["message"]


def test_a_revoked_key_publishes_nothing(publish, make_key, app):
    key = make_key("publish")
    with app.app_context():
        api_keys.revoke("key 1")
    assert error_of(publish(envelope(), key=key)) == (401, "Unauthorized")


def test_a_key_does_only_what_its_scopes_say(publish, make_key):
    assert error_of(publish(envelope(), key=make_key("token"))) == (403, "Forbidden")
    asked = publish({"userId": "user-1"}, key=make_key("publish"), path="/api/tokens")
    assert error_of(asked) == (403, "Forbidden")


@pytest.mark.parametrize(
    ("routing", "allowed"),
    [
        ({"audienceType": 3, "audienceValue": "ops", "tenantId": "acme"}, True),
        ({"audienceType": 3, "audienceValue": "ops", "tenantId": "umbrella"}, False),
        ({"audienceType": 3, "audienceValue": "ops"}, False),
        ({"audienceType": 1}, False),
        ({"audienceType": 4, "audienceValue": "user-1"}, False),
    ],
)
def test_a_bounded_key_publishes_only_within_its_pattern(publish, make_key, routing, allowed):
    answer = publish(envelope(routing=routing), key=make_key("publish:group:acme:*"))
    assert answer.status_code == (201 if allowed else 403)
    if not allowed:
        assert answer.json["error"]["fields"][0]["path"] == "routing"


def test_the_rate_limit_says_when_to_come_back(make_app, monkeypatch):
    app = make_app(NOTIWAY_PUBLISH_RATE="2 per minute")
    with app.app_context():
        key = api_keys.add("key", ["publish"])[1]
    headers = {"Authorization": f"Bearer {key}"}

    def post(number):
        return app.test_client().post("/api/notifications", json=envelope(number), headers=headers)

    answers = [post(number) for number in range(3)]
    assert [answer.status_code for answer in answers] == [201, 201, 429]
    assert error_of(answers[-1]) == (429, "Throttled")
    assert 1 <= int(answers[-1].headers["Retry-After"]) <= 60


def test_a_list_that_is_empty_says_from_where_to_go_on(app, client, token):
    headers = {"Authorization": f"Bearer {token('ada')}"}
    empty = client.get("/api/notifications", headers=headers).json
    assert (empty["notifications"], empty["nextCursor"]) == ([], None)
    with app.app_context():
        sent = send_notification("ada", "Hello").id
    then = client.get(f"/api/notifications?since={empty['cursor']}", headers=headers).json
    assert [each["id"] for each in then["notifications"]] == [sent]
    assert client.get(f"/api/notifications?since={then['cursor']}", headers=headers).json["notifications"] == []


def test_what_came_after_an_id_is_listed_oldest_first(client, publish, token):
    publish([envelope(number) for number in range(5)])
    headers = {"Authorization": f"Bearer {token('user-1')}"}
    page = client.get("/api/notifications?limit=3", headers=headers).json
    assert [item["body"]["orderId"] for item in page["notifications"]] == [0, 1, 2]
    assert page["unreadCount"] == 5
    rest = client.get(f"/api/notifications?since={page['nextCursor']}", headers=headers).json
    assert [item["body"]["orderId"] for item in rest["notifications"]] == [3, 4]
    assert rest["nextCursor"] is None


@pytest.mark.parametrize("query", ["since=x", "limit=0", "limit=201", "limit=-1", "limit=x", "limit=%C2%B2"])
def test_a_query_that_is_not_understood_is_refused(client, token, query):
    answer = client.get(f"/api/notifications?{query}", headers={"Authorization": f"Bearer {token('user-1')}"})
    assert error_of(answer) == (400, "WrongInput")


def test_a_broadcast_costs_one_row_however_many_members(publish, app):
    with app.app_context():
        for number in range(50):
            membership.join(f"user-{number}", Audience.group("ops"))
    publish(envelope(routing={"audienceType": 3, "audienceValue": "ops"}))
    with app.app_context():
        assert Notification.select().count() == 1
        assert inbox.unread_count("user-7") == 0
        assert len(inbox.feed("user-7").items) == 1
        assert inbox.feed("stranger").items == []


def test_what_has_expired_is_gone_at_once(publish, app, monkeypatch):
    publish(envelope())
    later = now_ms() + 31 * 60 * 1000
    for module in (inbox, counting, resuming):
        monkeypatch.setattr(module, "now_ms", lambda: later)
    with app.app_context():
        assert inbox.unread_count("user-1") == 0
        assert inbox.feed("user-1").items == []
        assert resuming.page("user-1", resuming.beginning(), 10).items == []


def test_a_token_is_made_and_opens_the_api(client, publish):
    answer = publish({"userId": "user-1", "tenantId": "acme", "audiences": ["group:acme:ops"]}, path="/api/tokens")
    assert answer.status_code == 201
    assert answer.json["expiresAt"] > time.time()
    made = answer.json["token"]
    assert client.get("/api/notifications", headers={"Authorization": f"Bearer {made}"}).status_code == 200
    assert client.get(f"/api/notifications?access_token={made}").status_code == 200


def test_a_token_ends_with_the_key_that_asked_for_it(app, client, publish, make_key):
    key = make_key("token")
    made = publish({"userId": "user-1"}, key=key, path="/api/tokens").json["token"]
    headers = {"Authorization": f"Bearer {made}"}
    assert client.get("/api/notifications", headers=headers).status_code == 200
    with app.app_context():
        keys.revoke("key 1")
    assert error_of(client.get("/api/notifications", headers=headers)) == (401, "Unauthorized")


@pytest.mark.parametrize(("is_known", "status"), [(True, 403), (False, 400)])
def test_no_token_is_made_for_a_user_who_may_not_come_in(make_app, is_known, status):
    app = make_app()
    with app.app_context():
        key = api_keys.add("portal", ["token"])[1]
        user_id = accounts.add("eve@example.com", "Eve", "x").id if is_known else "user-123"
        accounts.deactivate(user_id)
    answer = app.test_client().post("/api/tokens", json={"userId": user_id}, headers={"Authorization": f"Bearer {key}"})
    assert answer.status_code == status
    assert [field["path"] for field in answer.json["error"]["fields"]] == ["userId"]


@pytest.mark.parametrize(
    ("body", "path"),
    [
        ({}, "userId"),
        ({"userId": 5}, "userId"),
        ({"userId": ""}, "userId"),
        ({"userId": "a", "ttl": 0}, "ttl"),
        ({"userId": "a", "ttl": True}, "ttl"),
        ({"userId": "a", "ttl": 10**9}, "ttl"),
        ({"userId": "a", "tenantId": "a:b"}, "tenantId"),
        ({"userId": "a", "tenantId": 5}, "tenantId"),
        ({"userId": "a", "audiences": "group:x"}, "audiences"),
        ({"userId": "a", "audiences": ["user:b"]}, "audiences.0"),
        ({"userId": "a", "audiences": ["group:x", "nonsense"]}, "audiences.1"),
    ],
)
def test_a_token_request_names_its_faults(publish, body, path):
    answer = publish(body, path="/api/tokens")
    assert error_of(answer) == (400, "WrongInput")
    assert path in {field["path"] for field in answer.json["error"]["fields"]}


def test_a_bounded_token_key_hands_out_only_what_it_may(publish, make_key):
    key = make_key("token:user:*", "token:group:acme:*")
    assert publish({"userId": "a", "audiences": ["group:acme:x"]}, key=key, path="/api/tokens").status_code == 201
    refused = publish({"userId": "a", "audiences": ["group:umbrella:x"]}, key=key, path="/api/tokens")
    assert error_of(refused) == (403, "Forbidden")


def claims(**changes):
    """As a backend that shares the secret makes them; a change to None leaves a claim out."""
    now = int(time.time())
    found = {"sub": "user-1", "exp": now + 60, "iat": now, "iss": "notiway", "aud": "notiway", "jti": "1"} | changes
    return {name: value for name, value in found.items() if value is not None}


def bad_tokens(secret):
    return {
        "expired": jwt.encode(claims(exp=int(time.time()) - 1), secret, algorithm="HS256"),
        "unsigned": jwt.encode(claims(), None, algorithm="none"),
        "signed by somebody else": jwt.encode(claims(), "x" * 64, algorithm="HS256"),
        "without an end": jwt.encode(claims(exp=None), secret, algorithm="HS256"),
        "without a user": jwt.encode(claims(sub=None), secret, algorithm="HS256"),
        "for nobody": jwt.encode(claims(sub=""), secret, algorithm="HS256"),
        "for another service": jwt.encode(claims(aud="billing"), secret, algorithm="HS256"),
        "by another algorithm": jwt.encode(claims(), secret, algorithm="HS512"),
        "with an end beyond all years": jwt.encode(claims(exp=10**400), secret, algorithm="HS256"),
        "no token": "x.y.z",
    }


@pytest.mark.parametrize("name", sorted(bad_tokens("s" * 64)))
def test_a_bad_token_opens_nothing(app, client, name):
    with app.app_context():
        made = bad_tokens(runtime.current().token_secret)[name]
    answer = client.get("/api/notifications", headers={"Authorization": f"Bearer {made}"})
    assert error_of(answer) == (401, "Unauthorized")


def test_any_backend_that_shares_the_secret_can_make_tokens(make_app):
    secret = "a secret that the backend knows as well"
    app = make_app(NOTIWAY_TOKEN_SECRET=secret, NOTIWAY_USERS="external")
    made = jwt.encode(claims(), secret, algorithm="HS256")
    answer = app.test_client().get("/api/notifications", headers={"Authorization": f"Bearer {made}"})
    assert answer.status_code == 200


def test_a_token_for_one_user_reads_nothing_of_another(client, publish, token):
    publish(envelope())
    answer = client.get("/api/notifications", headers={"Authorization": f"Bearer {token('user-2')}"})
    assert answer.json["notifications"] == []


def test_the_description_names_every_route_of_the_api(client, app):
    described = client.get("/api/openapi.json").json
    routes = {rule.rule for rule in app.url_map.iter_rules() if rule.rule.startswith("/api/")}
    paths = set(described["paths"]) - {"/notifications/settings"}
    assert paths == routes - {
        "/api/openapi.json",
        "/api/docs",
        "/api/notifications/stream",
    }
    assert client.get("/api/docs").status_code == 200


def test_the_error_of_a_wrong_method_is_json_too(client):
    assert client.delete("/api/notifications").status_code == 405


def test_a_failed_transaction_leaves_an_unstored_envelope_to_be_tried_again(publish, app, heard, monkeypatch):
    batch = [envelope(1, metadata={"producer": "orders"}), envelope(2)]

    def fail(*_):
        raise OSError("the disk is full")

    with monkeypatch.context() as broken:
        broken.setattr("notiway.store.batches.insert", fail)
        app.config["PROPAGATE_EXCEPTIONS"] = False
        assert publish(batch).status_code == 500
    assert [item["duplicate"] for item in publish(batch).json] == [False, False]
    assert len(heard) == 2


@pytest.mark.parametrize("name", ["NOTIWAY_PUBLISH_RATE", "NOTIWAY_TOKEN_RATE", "NOTIWAY_LOGIN_RATE"])
def test_a_rate_that_cannot_be_read_is_named_at_the_start(make_app, name):
    with pytest.raises(ConfigError, match=name):
        make_app(**{name: "often"})


def test_a_page_of_what_came_after_is_bounded_in_bytes_and_the_next_one_goes_on(client, user, send, token):
    sent = [send(user, f"Large {number}", body={"text": "x" * 30_000}).id for number in range(60)]
    query, heard, sizes = "", [], []
    while query is not None:
        answer = client.get(
            f"/api/notifications?limit=200&since={query}", headers={"Authorization": f"Bearer {token(user.id)}"}
        )
        sizes.append(len(answer.data))
        heard += [each["id"] for each in answer.json["notifications"]]
        query = answer.json["nextCursor"]
    assert heard == sent
    assert max(sizes) < 1.9 * 1024 * 1024
    assert len(sizes) > 1


@pytest.mark.parametrize("body", [envelope("late"), [envelope("late")], {}, "no JSON"])
def test_a_publisher_is_refused_before_anything_is_read_or_stored_while_events_wait_for_too_long(
    app, publish, monkeypatch, body
):
    waiting = type(app.extensions["notiway"].hub.waiting)
    with monkeypatch.context() as overloaded:
        overloaded.setattr(waiting, "is_too_long", True)
        overloaded.setattr(api_keys, "find", None)
        response = publish(body)
    assert response.status_code == 503
    assert response.headers["Retry-After"] == "1"
    assert response.json["error"]["code"] == "Unavailable"
    with app.app_context():
        assert Notification.select().count() == 0
    assert publish(envelope("late")).status_code == 201


def test_what_the_application_sends_itself_is_never_refused(app, monkeypatch):
    with app.app_context():
        monkeypatch.setattr(type(runtime.current().hub.waiting), "is_too_long", True)
        send_notification(Audience.everyone(), "Still sent")
        assert Notification.select().count() == 1
