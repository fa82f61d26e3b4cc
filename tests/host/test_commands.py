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
    assert notiway("user", "add", "a@example.com", input="secret one\nsecret one\n").exit_code == 0
    result = notiway("user", "add", "b@example.com", input="secret one\nsecret two\n" * 3)
    assert result.exit_code == 1
    assert "secret" not in result.output


def test_demo_users_are_made_on_an_empty_database_only(notiway):
    assert "staff@example.com" in notiway("demo").output
    assert notiway("user", "list").output.count("\n") == 2
    assert notiway("member", "list", "demo@example.com").output == "tenant:acme\n"
    assert set(notiway("member", "list", "staff@example.com").output.split()) == {"tenant:acme", "group:admins"}
    again = notiway("demo", "--if-empty")
    assert (again.exit_code, again.output) == (0, "")


@pytest.mark.parametrize(
    ("words", "code", "reason"),
    [
        (("user", "add", "ada@example.com", "--password", "x"), 1, "already"),
        (("user", "add", "nobody", "--password", "x"), 2, "no e-mail address"),
        (("user", "deactivate", "nobody@example.com"), 1, "no user"),
        (("demo",), 1, "users already"),
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
