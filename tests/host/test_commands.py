"""The host's own commands: its users, and the demo."""

import pytest

from notiway.host import accounts, passwords


def test_users_are_added_listed_by_id_and_deactivated(notiway, app):
    added = notiway("user", "add", "Ada@Example.com", "--name", "Ada", "--staff", "--password", "a long password")
    assert added.exit_code == 0
    user_id = added.output.split("\t")[0]
    assert notiway("user", "list").output == f"{user_id}\tada@example.com\tAda\tstaff\tactive\n"
    with app.app_context():
        _, stored = accounts.find_with_hash("ada@example.com")
        assert passwords.matches(stored, "a long password")
    assert notiway("user", "deactivate", "ada@example.com").exit_code == 0
    assert notiway("user", "list").output.endswith("\tdeactivated\n")
    with app.app_context():
        assert accounts.find(user_id) is None


def test_a_password_is_asked_for_twice_when_it_is_not_given(notiway):
    good, other = "secret zwieback words", "secret zwieback terms"
    assert notiway("user", "add", "a@example.com", input=f"{good}\n{good}\n").exit_code == 0
    result = notiway("user", "add", "b@example.com", input=f"{good}\n{other}\n" * 3)
    assert result.exit_code == 1
    assert "secret" not in result.output


@pytest.mark.parametrize("words", [("user", "add", "ada@example.com"), ("user", "password", "bob@example.com")])
@pytest.mark.parametrize(
    ("password", "reason"),
    [
        ("x", "at least 12"),
        ("passwordpassword", "easy to guess"),
        ("notiway", "at least 12"),
        ("bob@example.com", "easy"),
    ],
)
def test_a_weak_password_is_refused_and_not_shown(notiway, other, words, password, reason):
    if password == "bob@example.com" and "add" in words:
        words = ("user", "add", "carl.bob@example.com")
        password = "carl.bob@example.com"
    result = notiway(*words, "--password", password)
    assert result.exit_code == 1
    assert reason in result.output
    assert "Traceback" not in result.output


def test_a_new_password_ends_every_session_of_the_user(notiway, heard, auth, user):
    browser = auth(user)
    result = notiway("user", "password", "ada@example.com", "--password", "unusual words like zwieback")
    assert result.exit_code == 0, result.output
    assert browser.get("/account").status_code == 302
    assert browser.sign_in(user.email).status_code == 401
    assert browser.sign_in(user.email, "unusual words like zwieback").status_code == 303
    assert [event.audience for event in heard if event.kind == "kick"] == [f"user:{user.id}"]


def test_a_user_who_was_locked_out_is_let_in_again_and_must_sign_in(notiway, auth, user):
    browser = auth(user)
    notiway("user", "deactivate", user.id)
    assert browser.sign_in(user.email).status_code == 401
    assert notiway("user", "activate", "ada@example.com").exit_code == 0
    assert "\tactive\n" in notiway("user", "list").output
    assert browser.get("/account").status_code == 302
    assert browser.sign_in(user.email).status_code == 303


def test_a_user_becomes_staff_and_ceases_to_be(notiway, auth, user):
    browser = auth(user)
    assert browser.get("/staff/send").status_code == 403
    assert notiway("user", "staff", user.id).exit_code == 0
    assert browser.get("/staff/send").status_code == 200
    assert notiway("user", "staff", user.id, "--remove").exit_code == 0
    assert browser.get("/staff/send").status_code == 403


@pytest.fixture
def in_development(make_app):
    """Runs commands of an application in development, where the demo may be made."""
    runner = make_app(NOTIWAY_ENV="development").test_cli_runner()
    return lambda *words: runner.invoke(args=["notiway", *words])


def test_demo_users_are_made_on_an_empty_database_only(in_development):
    assert "staff@example.com" in in_development("demo").output
    assert in_development("user", "list").output.count("\n") == 2
    assert in_development("member", "list", "demo@example.com").output == "tenant:acme\n"
    assert set(in_development("member", "list", "staff@example.com").output.split()) == {"tenant:acme", "group:admins"}
    again = in_development("demo", "--if-empty")
    assert (again.exit_code, again.output) == (0, "")
    assert "users already" in in_development("demo").output


@pytest.mark.parametrize("options", [(), ("--if-empty",)])
def test_in_production_no_demo_user_is_made_on_an_empty_database_either(notiway, options):
    result = notiway("demo", *options)
    assert result.exit_code == 1
    assert "production" in result.output
    assert notiway("user", "list").output == ""


@pytest.mark.parametrize(
    ("words", "code", "reason"),
    [
        (("user", "add", "ada@example.com", "--password", "unusual words like zwieback"), 1, "already"),
        (("user", "add", "nobody", "--password", "x"), 2, "not an e-mail address"),
        (("user", "deactivate", "nobody@example.com"), 1, "no user"),
        (("user", "activate", "nobody@example.com"), 1, "no user"),
        (("user", "staff", "nobody@example.com"), 1, "no user"),
        (("user", "password", "nobody@example.com", "--password", "unusual words like zwieback"), 1, "no user"),
    ],
)
def test_what_cannot_be_done_is_refused_with_a_reason(refused, user, words, code, reason):
    assert reason in refused(code, *words)


def test_who_is_deactivated_loses_every_open_page(notiway, heard, user):
    result = notiway("user", "deactivate", user.id)
    assert result.exit_code == 0
    (kick,) = heard
    assert (kick.kind, kick.audience, kick.data["session"]) == ("kick", f"user:{user.id}", None)
    assert "heartbeat" in result.stderr, "no server hears a command of this application, which runs no jobs"
