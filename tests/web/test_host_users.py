"""The host's users, asked of its own flask-login."""

from __future__ import annotations

from types import SimpleNamespace

import pytest
from flask import Flask
from flask_login import LoginManager

from notiway.web.host_users import active_by_login, none_unknown, unknown_to_login

USERS = {1: SimpleNamespace(is_active=True), 2: SimpleNamespace(is_active=False)}


@pytest.fixture
def host():
    app = Flask("host")
    LoginManager(app).user_loader(lambda user_id: USERS.get(int(user_id)))
    return app


def test_whom_the_loader_does_not_find_is_unknown(host):
    assert unknown_to_login(host)(["1", "2", "3"]) == {"3"}


def test_an_id_that_the_loader_cannot_read_is_nobodys(host):
    assert unknown_to_login(host)(["ada"]) == {"ada"}


def test_without_a_loader_there_is_nobody():
    assert unknown_to_login(Flask("host"))(["1"]) == {"1"}


def test_active_is_what_the_user_says(host):
    is_active = active_by_login(host, unknown_to_login(host))
    assert (is_active("1"), is_active("2"), is_active("3")) == (True, False, None)


def test_a_user_who_exists_and_is_not_loaded_is_locked_out(host):
    assert active_by_login(host, none_unknown)("3") is False


def test_without_a_directory_one_who_is_not_loaded_may_live_elsewhere(host):
    assert active_by_login(host, None)("3") is None
