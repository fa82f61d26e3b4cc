"""The host's users, as its flask-login knows them, for an application that says nothing else about them."""

from __future__ import annotations

from collections.abc import Iterable
from contextlib import nullcontext
from typing import Any

from flask import Flask, has_request_context

from notiway.values.people import UnknownUsers, UserIsActive


def active_by_login(app: Flask, unknown_users: UnknownUsers | None) -> UserIsActive:
    """Whether flask-login would let a user in: the `user_loader` finds one whose `is_active` is true.

    A user who exists, as `unknown_users` says, and whom the loader does not give, is locked out.
    """

    def is_active(user_id: str) -> bool | None:
        if unknown_users is not None and unknown_users([user_id]):
            return None
        user = _load(app, user_id)
        if user is None:
            return None if unknown_users is None else False
        return bool(getattr(user, "is_active", True))

    return is_active


def unknown_to_login(app: Flask) -> UnknownUsers:
    """Ids for which the application's `user_loader` finds nobody; without one there is nobody."""

    def unknown(user_ids: Iterable[str]) -> set[str]:
        return {user_id for user_id in user_ids if _load(app, user_id) is None}

    return unknown


def none_unknown(_user_ids: Iterable[str]) -> set[str]:
    """Of users who live elsewhere none is unknown: any id may be one."""
    return set()


def _load(app: Flask, user_id: str) -> Any:
    load = getattr(getattr(app, "login_manager", None), "_user_callback", None)
    if load is None:
        return None
    with nullcontext() if has_request_context() else app.test_request_context():
        try:
            return load(user_id)
        except (TypeError, ValueError):  # `int(user_id)`: an id of another form is nobody's
            return None
