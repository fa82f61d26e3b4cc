"""Admission: a token with a good signature opens nothing once its user or its key is out."""

import time

import flask_login
import pytest
from conftest import SECRET_KEY
from flask import Flask

from notiway import Notiway
from notiway.gateway import admission, client_tokens
from notiway.gateway.client_tokens import Claims
from notiway.host import accounts
from notiway.live import runtime
from notiway.store import schema
from notiway.store.credentials import api_keys, tokens
from notiway.store.database import db
from notiway.values.clock import now_ms
from notiway.values.errors import Forbidden, Unauthorized, WrongInput
from notiway.verbs.sign_out import sign_out


@pytest.fixture
def now(app):
    with app.app_context():
        yield runtime.current()


def token(now, user_id, **more):
    return client_tokens.mint(now.token_secret, Claims(user_id, time.time() + 60, **more))


def test_the_token_of_an_active_user_is_good(now, user):
    assert admission.admit(now, token(now, user.id)).user_id == user.id


def test_the_tokens_of_a_deactivated_user_are_refused(now, user):
    given = token(now, user.id)
    accounts.deactivate(user.id)
    with pytest.raises(Unauthorized, match="deactivated"):
        admission.admit(now, given)


def test_after_signing_out_everywhere_older_tokens_are_refused_and_newer_ones_are_not(now, user, other):
    older, others = token(now, user.id), token(now, other.id)
    sign_out(user.id)
    with pytest.raises(Unauthorized, match="signed out"):
        admission.admit(now, older)
    assert admission.admit(now, others).user_id == other.id
    later = now_ms() + 1
    while now_ms() < later:
        pass
    assert admission.admit(now, token(now, user.id)).user_id == user.id


def test_signing_out_of_one_session_leaves_tokens_alone(now, user):
    given = token(now, user.id)
    sign_out(user.id, "one-session")
    assert admission.admit(now, given).user_id == user.id


def test_a_revoked_key_takes_its_tokens_along(now, user):
    producer, _ = api_keys.add("portal", ["token"])
    given, own = token(now, user.id, key_id=producer.id), token(now, user.id)
    assert admission.admit(now, given).key_id == producer.id
    api_keys.revoke("portal")
    with pytest.raises(Unauthorized, match="revoked"):
        admission.admit(now, given)
    assert admission.admit(now, own).user_id == user.id


def test_a_sign_out_that_is_undone_by_a_rollback_ends_no_token(now, user):
    given = token(now, user.id)
    with pytest.raises(RuntimeError), db.atomic():
        sign_out(user.id)
        raise RuntimeError
    assert admission.admit(now, given).user_id == user.id


@pytest.mark.parametrize("users", ["host", "external"])
def test_a_user_whom_the_host_does_not_know_is_let_in_only_where_users_are_external(make_app, users):
    app = make_app(NOTIWAY_USERS=users)
    with app.app_context():
        now = runtime.current()
        given = token(now, "user-123")
        if users == "external":
            assert admission.admit(now, given).user_id == "user-123"
            admission.check_user(now, "user-123")
            return
        with pytest.raises(Unauthorized, match="no such user"):
            admission.admit(now, given)
        with pytest.raises(WrongInput) as refused:
            admission.check_user(now, "user-123")
        assert [fault.path for fault in refused.value.faults] == ["userId"]


def test_external_users_can_be_signed_out_too(make_app):
    app = make_app(NOTIWAY_USERS="external")
    with app.app_context():
        now = runtime.current()
        given = token(now, "user-123")
        sign_out("user-123")
        with pytest.raises(Unauthorized):
            admission.admit(now, given)


@pytest.mark.parametrize("users", ["host", "external"])
def test_no_token_is_made_for_a_deactivated_user(make_app, users):
    app = make_app(NOTIWAY_USERS=users)
    with app.app_context():
        account = accounts.add("eve@example.com", "Eve", "x")
        accounts.deactivate(account.id)
        with pytest.raises(Forbidden, match="deactivated"):
            admission.check_user(runtime.current(), account.id)


def test_no_token_is_made_that_would_be_refused_at_once_and_the_clock_is_named(now, user):
    tokens.end(user.id, now=now_ms() + 3_600_000)  # the clock was an hour ahead when the user signed out
    with pytest.raises(Forbidden, match="clock"):
        admission.check_user(now, user.id)


class Member(flask_login.UserMixin):
    def __init__(self, number, is_active=True):
        self.id = number
        self._is_active = is_active

    @property
    def is_active(self):
        return self._is_active


MEMBERS = {"7": Member("7"), "8": Member("8", is_active=False)}


@pytest.fixture
def shop(tmp_path):
    """Makes applications of others: `shop(user_is_active=…)`."""
    made = []

    def make(**options):
        app = Flask("shop", instance_path=str(tmp_path))
        app.config.update(TESTING=True, SECRET_KEY=SECRET_KEY, NOTIWAY_JOBS="off")
        flask_login.LoginManager(app).user_loader(MEMBERS.get)
        Notiway(app, **options)
        made.append(app)
        with app.app_context():
            schema.migrate(db.obj)
        return app

    yield make
    for app in made:
        with app.app_context():
            runtime.current().stop()
            runtime.current().database.close_all()


def test_without_a_hook_the_user_loader_says_who_is_active(shop):
    with shop().app_context():
        active = runtime.current().user_is_active
        assert [active(user_id) for user_id in ("7", "8", "9")] == [True, False, None]


def test_a_hook_of_the_application_says_it_instead(shop):
    with shop(user_is_active=lambda user_id: {"ann": True, "bob": False}.get(user_id)).app_context():
        active = runtime.current().user_is_active
        assert [active(user_id) for user_id in ("ann", "bob", "7")] == [True, False, None]


def test_where_unknown_users_knows_one_whom_the_loader_does_not_give_that_one_is_locked_out(shop):
    """A loader that gives active users only, as ours: who exists without being given is deactivated."""
    with shop(unknown_users=lambda ids: set(ids) - {"7", "gone"}).app_context():
        active = runtime.current().user_is_active
        assert [active(user_id) for user_id in ("7", "gone", "9")] == [True, False, None]


def test_a_loader_that_cannot_read_an_id_knows_nobody_of_it(shop, monkeypatch):
    app = shop()
    app.login_manager.user_loader(lambda user_id: MEMBERS.get(str(int(user_id))))
    with app.app_context():
        assert runtime.current().user_is_active("ada") is None
