"""Authentication: a token where one is given, else the session of this site's own pages; and who is staff."""

import time

import pytest
from flask import session
from flask_login import UserMixin, login_user, logout_user
from flask_wtf.csrf import CSRFError, generate_csrf

from notiway.gateway import client_tokens
from notiway.gateway.client_tokens import Claims
from notiway.live import runtime
from notiway.values.errors import ConfigError, Forbidden, Unauthorized
from notiway.values.principal import Principal
from notiway.web import auth
from notiway.web.sessions import SESSION_END

HOST = "http://localhost"


class User(UserMixin):
    def __init__(self, user_id="7", **more):
        self.id = user_id
        vars(self).update(more)


class OnlyGetId(UserMixin):
    def get_id(self):
        return "seven"


class IdAndToken(User):
    def get_id(self):
        return f"{self.id}|session-token"


@pytest.fixture
def app(make_app):
    """Whose users live elsewhere: a token may be anybody's."""
    return make_app(NOTIWAY_USERS="external")


@pytest.fixture
def request_of(app):
    """A request, with the user who is signed in: `request_of(User(), headers={…})`."""

    def make(user=None, path="/", **options):
        app.login_manager.user_loader(lambda user_id: user)
        context = app.test_request_context(path, **options)
        context.push()
        pushed.append(context)
        if user is not None:
            login_user(user)
        return context

    pushed = []
    yield make
    for context in pushed[::-1]:
        context.pop()


@pytest.fixture
def token(app):
    """Makes client tokens: `token("7", tenant_id="acme")`."""

    def make(user_id, seconds=60, **more):
        secret = app.extensions[runtime.KEY].token_secret
        return client_tokens.mint(secret, Claims(user_id, float(int(time.time()) + seconds), **more))

    return make


def bearer(value):
    return {"Authorization": f"Bearer {value}"}


# Who is asking


@pytest.mark.parametrize(
    ("headers", "path", "given"),
    [
        ({}, "/", None),
        ({"Authorization": "Bearer abc"}, "/", "abc"),
        ({"Authorization": "bearer   abc "}, "/", "abc"),
        ({"Authorization": "Bearer "}, "/", None),
        ({"Authorization": "Basic abc"}, "/", None),
        ({"Authorization": "Bearer"}, "/?access_token=xyz", "xyz"),
        ({}, "/?access_token=xyz", "xyz"),
        ({"Authorization": "Bearer abc"}, "/?access_token=xyz", "abc"),
        ({}, "/?access_token=", ""),
    ],
)
def test_a_token_comes_as_bearer_or_in_the_query(request_of, headers, path, given):
    request_of(path=path, headers=headers)
    assert auth.given_token() == given


def test_a_token_says_who_until_when_and_what_else(request_of, token):
    made = token("7", tenant_id="acme", audiences=("group:acme:ops",))
    request_of(headers=bearer(made))
    found = auth.principal()
    assert (found.user_id, found.session, found.tenant_id, found.grants) == ("7", None, "acme", ("group:acme:ops",))
    assert 0 < found.ends_at - time.time() <= 60


def test_a_token_goes_before_the_session(request_of, token):
    request_of(User("somebody else"), headers=bearer(token("7")))
    assert auth.principal().user_id == "7"


@pytest.mark.parametrize("given", ["", "nonsense", "expired"])
def test_with_a_bad_token_the_session_is_no_second_try(request_of, token, given):
    made = token("7", seconds=-1) if given == "expired" else given
    request_of(User(), path=f"/?access_token={made}")
    with pytest.raises(Unauthorized):
        auth.principal()


def test_a_token_needs_no_origin_of_ours_but_a_cookie_does(request_of, token):
    evil = {"Origin": "https://evil.test"}
    request_of(User(), headers=evil)
    with pytest.raises(Forbidden):
        auth.principal()
    request_of(headers=bearer(token("7")) | evil)
    assert auth.principal().user_id == "7"


def test_nobody_is_nobody(request_of):
    request_of()
    assert auth.principal() is None
    assert auth.current_user_id() is None
    for requires in (auth.require_principal, auth.require_user, auth.require_staff):
        with pytest.raises(Unauthorized):
            requires()


@pytest.mark.parametrize(("permanent", "seconds"), [(False, None), (True, 14 * 24 * 60 * 60)])
def test_a_session_ends_when_its_cookie_would(app, request_of, permanent, seconds):
    request_of(User())
    session.permanent = permanent
    session.pop(SESSION_END)  # of this host, which bounds its sessions
    before, found = time.time(), auth.principal()
    assert found == Principal("7", session[auth.SESSION_KEY], found.ends_at)
    if seconds is None:
        assert found.ends_at is None
    else:
        assert before + seconds <= found.ends_at <= time.time() + seconds


@pytest.mark.parametrize(
    ("user", "user_id"), [(User("7"), "7"), (User(7), "7"), (OnlyGetId(), "seven"), (IdAndToken("7"), "7")]
)
def test_an_id_is_text_and_carries_no_session_token(request_of, user, user_id):
    request_of(user)
    assert auth.current_user_id() == auth.require_user() == user_id


def test_an_application_without_flask_login_is_told_what_is_missing(app, monkeypatch):
    monkeypatch.delattr(app, "login_manager")
    with app.test_request_context(), pytest.raises(ConfigError, match="LoginManager"):
        auth.current_user_id()


# Staff


@pytest.mark.parametrize(
    ("flag", "staff"),
    [
        ({}, False),
        ({"is_staff": True}, True),
        ({"is_staff": False}, False),
        ({"is_staff": None}, False),
        ({"is_staff": lambda: True}, True),
        ({"is_staff": lambda: False}, False),
    ],
)
def test_staff_is_who_the_user_says_it_is(request_of, flag, staff):
    request_of(User(**flag))
    assert auth.is_staff() is staff
    if staff:
        assert auth.require_staff() == "7"
    else:
        with pytest.raises(Forbidden):
            auth.require_staff()


# CSRF and origin


REFUSALS = {"with CSRFProtect": CSRFError, "without": Forbidden}


@pytest.fixture(params=REFUSALS)
def refusal(app, request):
    """The error of a wrong token, in a host that has a CSRFProtect and in one that leaves it to us."""
    if request.param == "without":
        del app.extensions["csrf"]
    return REFUSALS[request.param]


@pytest.fixture
def issued(app):
    """Makes sessions: what one keeps of its token, and the token as its pages carry it."""

    def issue():
        with app.test_request_context():
            token = generate_csrf()
            return session["csrf_token"], token

    return issue


@pytest.mark.parametrize("place", ["header", "form"])
def test_the_sessions_own_token_lets_a_change_through(request_of, refusal, issued, place):
    kept, token = issued()
    given = {"headers": {auth.CSRF_HEADER: token}} if place == "header" else {"data": {auth.CSRF_FIELD: token}}
    request_of(method="POST", **given)
    session["csrf_token"] = kept
    assert auth.check_csrf() is None


@pytest.mark.parametrize("value", [None, "", "nonsense", "that of another session"])
def test_any_other_token_lets_none_through(request_of, refusal, issued, value):
    kept, _ = issued()
    token = issued()[1] if value == "that of another session" else value
    request_of(method="POST", headers={} if token is None else {auth.CSRF_HEADER: token})
    session["csrf_token"] = kept
    with pytest.raises(refusal):
        auth.check_csrf()


def test_a_token_in_the_query_is_none(request_of, refusal, issued):
    kept, token = issued()
    request_of(path=f"/?{auth.CSRF_FIELD}={token}", method="POST")
    session["csrf_token"] = kept
    with pytest.raises(refusal):
        auth.check_csrf()


@pytest.mark.parametrize(
    ("origin", "base"),
    [
        (None, HOST),
        ("http://localhost", HOST),
        ("HTTP://LOCALHOST", HOST),
        ("https://localhost", HOST),
        ("https://localhost", "https://localhost"),
        ("http://localhost:8000", "http://localhost:8000"),
        ("https://shop.example.com", HOST),
    ],
)
def test_this_sites_own_pages_and_allowed_ones_may_connect(make_app, origin, base):
    app = make_app(NOTIWAY_ALLOWED_ORIGINS="https://shop.example.com")
    with app.test_request_context(base_url=base, headers={"Origin": origin} if origin else {}):
        assert auth.check_origin() is None


@pytest.mark.parametrize(
    ("origin", "base"),
    [
        ("", HOST),
        ("null", HOST),
        ("https://evil.test", HOST),
        ("http://localhost.evil.test", HOST),
        ("http://localhost:8000", HOST),
        ("http://localhost", "https://localhost"),
        ("http://shop.example.com", HOST),
        ("https://shop.example.com.evil.test", HOST),
        ("ws://localhost", HOST),
        ("localhost", HOST),
    ],
)
def test_no_other_origin_may(make_app, origin, base):
    app = make_app(NOTIWAY_ALLOWED_ORIGINS="https://shop.example.com")
    with app.test_request_context(base_url=base, headers={"Origin": origin}), pytest.raises(Forbidden):
        auth.check_origin()


# Logins


def test_each_login_has_a_name_of_its_own_that_its_pages_keep(request_of):
    request_of(User())
    first = auth.session_key()
    assert auth.session_key() == first
    assert len(first) >= 22, "128 bits in base64"
    login_user(User())
    assert auth.session_key() != first


def test_a_logout_closes_the_sockets_of_that_session(request_of, heard):
    request_of(User())
    key = auth.session_key()
    logout_user()
    (event,) = heard
    assert (event.kind, event.audience, event.data["session"]) == ("kick", "user:7", key)
    assert auth.SESSION_KEY not in session


def kicked(heard):
    return [(event.audience, event.data["session"]) for event in heard if event.kind == "kick"]


def test_a_logout_closes_the_sockets_of_earlier_logins_of_this_browser_too(request_of, heard):
    request_of(User())
    names = [auth.session_key()]
    for _ in range(2):
        login_user(User())  # an application that asks for the password again, and logs nobody out
        names.append(auth.session_key())
    assert kicked(heard) == [], "they are the same user's, who is still signed in"
    logout_user()
    assert kicked(heard) == [("user:7", name) for name in names]
    login_user(User())
    logout_user()
    assert len(kicked(heard)) == len(names) + 1, "each is closed once"


def test_another_user_in_the_same_browser_closes_the_sockets_of_the_one_before(request_of, heard):
    request_of(User())
    name = auth.session_key()
    other = User()
    other.id = 8
    login_user(other)
    assert kicked(heard) == [("user:7", name)]


def test_a_session_does_not_grow_with_logins(request_of, heard):
    request_of(User())
    names = [auth.session_key()]
    for _ in range(auth.LOGINS_KEPT):
        login_user(User())
        names.append(auth.session_key())
    assert kicked(heard) == [("user:7", names[0])]
    logout_user()
    assert kicked(heard) == [("user:7", name) for name in names]


def test_a_logout_of_nobody_closes_nothing(request_of, heard):
    request_of()
    logout_user()
    assert heard == []


@pytest.fixture
def told(app, monkeypatch):
    """The renewals that reach the broker."""
    events = []
    monkeypatch.setattr(app.extensions["notiway"].broker, "publish", events.extend)
    return lambda: [event for event in events if event.kind == "renewed"]


@pytest.fixture
def later(app, monkeypatch):
    """The pace stands still, long after the sign-in."""
    pace = app.extensions["notiway"].pace
    moment = pace._clock() + 10
    monkeypatch.setattr(pace, "_clock", lambda: moment)


def test_a_page_that_a_person_opens_renews_the_connections_of_its_session(browser, user, told, later):
    browser.get("/account")
    event = told()[-1]
    assert event.audience == f"user:{user.id}"
    assert event.data["session"]
    assert abs(event.data["ends_at"] - time.time() - 14 * 86_400) < 60


def test_many_pages_in_a_second_renew_once(browser, told, later):
    for _ in range(5):
        browser.get("/account")
    assert len(told()) == 1


@pytest.mark.parametrize("path", ["/notifications/recent", "/notifications/announcements"])
def test_what_a_page_does_by_itself_renews_nothing(browser, told, later, path):
    browser.get(path, form="htmx", headers={"X-Notiway-Background": "1"})
    assert told() == []
    browser.get(path, form="htmx")
    assert len(told()) == 1


def test_strangers_renew_nothing(visitor, told):
    visitor.read_token("/login")
    visitor.get("/login")
    assert told() == []


def test_a_renewal_that_fails_leaves_the_page_as_it_is(browser, monkeypatch, caplog):
    def fail(*_):
        raise RuntimeError("no pace")

    monkeypatch.setattr(browser.client.application.extensions["notiway"].pace, "due", fail)
    assert browser.get("/account").status_code == 200
    assert "renewal" in caplog.text
