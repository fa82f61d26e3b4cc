"""Profile: the account page: who is signed in, on which devices, and with which password."""

from __future__ import annotations

from flask import Blueprint, flash, make_response, redirect, render_template, request, session, url_for
from flask.typing import ResponseReturnValue
from flask_limiter import Limiter, RateLimitExceeded
from flask_login import current_user, login_required, logout_user

from notiway import security_log
from notiway.host import accounts, password_rules, passwords, sessions
from notiway.host.pages.account import seconds_to_wait
from notiway.values.clock import moment
from notiway.values.errors import NotFound
from notiway.verbs.sign_out import sign_out as close_sockets
from notiway.web import auth, reply


def blueprint(limiter: Limiter, rate: str) -> Blueprint:
    """The routes below `/account`; a user may give a wrong password at most so often (`"10 per minute"`)."""
    routes = Blueprint("profile", __name__)
    reply.register(routes)
    limit = limiter.limit(rate, key_func=lambda: str(current_user.id), methods=["POST"], deduct_when=_has_failed)
    routes.add_url_rule("/account", view_func=login_required(account))
    routes.add_url_rule(
        "/account/password", view_func=login_required(limit(change_password)), methods=["POST"], endpoint="password"
    )
    # Where a refused form leaves its reader: to load that address again leads back.
    routes.add_url_rule("/account/password", "refused", login_required(lambda: redirect(url_for("profile.account"))))
    routes.add_url_rule("/account/sessions/<session_id>/end", view_func=login_required(end_session), methods=["POST"])
    routes.add_url_rule("/account/sign-out-everywhere", view_func=login_required(sign_out_everywhere), methods=["POST"])

    @routes.errorhandler(RateLimitExceeded)
    def too_often(error: RateLimitExceeded) -> ResponseReturnValue:
        wait = seconds_to_wait(limiter, error)
        security_log.note("password_change_throttled", user=current_user.id, address=request.remote_addr)
        response = make_response(_page(f"Too many wrong passwords. Try again in {wait} seconds."), 429)
        response.headers["Retry-After"] = str(wait)
        return response

    return routes


def account() -> ResponseReturnValue:
    """The page."""
    return _page()


def change_password() -> ResponseReturnValue:
    """A new password; every other session of the user ends, since whoever had the old one may have begun it."""
    user = current_user
    found = accounts.find_with_hash(user.email)
    current, new = request.form.get("current", ""), request.form.get("new", "")
    is_known = passwords.matches(found[1] if found else None, current)
    if not is_known:
        fault = "This is not your password."
    elif new == current:
        fault = "The new password is the same as the old one."
    else:
        fault = password_rules.fault(new, (user.email, user.name))
    if fault:
        security_log.note("password_change_refused", user=user.id, address=request.remote_addr)
        return _page(fault, new_is_wrong=is_known), 422
    accounts.keep_hash(user.id, passwords.hash_password(new))
    security_log.note("password_changed", user=user.id, address=request.remote_addr)
    for session_id in sessions.end_all(user.id, but=auth.session_key()):
        close_sockets(user.id, session_id)
    flash("Your password is changed, and every other device is signed out.")
    return redirect(url_for("profile.account"), 303)


def end_session(session_id: str) -> ResponseReturnValue:
    """Sign one device out; its open pages learn of it at once."""
    if not sessions.end(current_user.id, session_id):
        raise NotFound("There is no such session")
    close_sockets(current_user.id, session_id)
    security_log.note("session_ended", user=current_user.id, address=request.remote_addr)
    flash("The device is signed out.")
    return redirect(url_for("profile.account"), 303)


def sign_out_everywhere() -> ResponseReturnValue:
    """End every session and client token of the user, on every device, this one too."""
    user_id = current_user.id
    sessions.end_all(user_id)
    close_sockets(user_id)
    session.clear()
    logout_user()
    flash("You are signed out on every device.")
    return redirect(url_for("account.login"), 303)


def _page(fault: str = "", *, new_is_wrong: bool = False) -> str:
    return render_template(
        "host/account.html",
        user=current_user,
        logins=sessions.of_user(current_user.id),
        here=auth.session_key(),
        moment=moment,
        fault=fault,
        new_is_wrong=new_is_wrong,
        shortest=password_rules.SHORTEST,
    )


def _has_failed(response: object) -> bool:
    return getattr(response, "status_code", 0) != 303
