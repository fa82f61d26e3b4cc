"""Member commands: users in, out, and who is in."""

import pytest


def test_members_are_added_listed_and_removed(notiway, user):
    for to in (user.id, "ADA@example.com"):
        assert notiway("member", "add", to, "group:acme:admins").exit_code == 0
    assert notiway("member", "list", user.id).output == "group:acme:admins\n"
    assert notiway("member", "list", "group:acme:admins").output == f"{user.id}\n"
    assert notiway("member", "remove", user.id, "group:acme:admins").exit_code == 0
    assert notiway("member", "list", user.id).output == ""


@pytest.mark.parametrize(
    ("words", "code", "reason"),
    [
        (("member", "add", "ada@example.com", "global"), 2, "only tenants and groups"),
        (("member", "add", "ada@example.com", "moon"), 2, "is not an audience"),
        (("member", "remove", "ada@example.com", "user:7"), 2, "only tenants and groups"),
        (("member", "list", "group:"), 2, "AUDIENCE"),
        (("member", "add", "nobody@example.com", "tenant:acme"), 1, "no user"),
        (("member", "add", "nobody", "tenant:acme"), 1, "no user"),
    ],
)
def test_what_cannot_be_done_is_refused_with_a_reason(refused, user, words, code, reason):
    assert reason in refused(code, *words)
