"""Account: signing in and out of this repository's own host application."""

from __future__ import annotations

import ipaddress
import logging
from collections.abc import Callable
from time import time
from typing import Any

from flask import Blueprint, Flask, Response, flash, make_response, redirect, render_template, request, session, url_for
from flask.typing import ResponseReturnValue
from flask_limiter import Limiter, RateLimitExceeded
from flask_login import LoginManager, current_user, login_required, login_user, logout_user, user_logged_in
from limits import RateLimitItem, parse

from notiway.host import accounts, passwords
from notiway.live import runtime
from notiway.values.clock import moment, now_ms
from notiway.values.urls import local_path
from notiway.verbs.sign_out import sign_out as close_sockets

log = logging.getLogger(__name__)

SIGNED_IN_AT = "signed_in_at"  # in the session: milliseconds since the epoch
ADDRESS_FACTOR = 6  # one address may fail this many times as often as one address with one e-mail
IPV6_NETWORK = 64  # bits that one customer shares


def blueprint(limiter: Limiter, login_rate: str) -> Blueprint:
    """The routes `/login`, `/logout` and `/account`, with at most `login_rate` attempts (`"10 per minute"`)."""
    routes = Blueprint("account", __name__)
    rate = parse(login_rate)
    address_rate = str(_times(rate, ADDRESS_FACTOR))
    # Of one address only failures count: an office full of people signs in from behind one.
    limit_address = limiter.limit(address_rate, key_func=_address, methods=["POST"], deduct_when=_has_failed)
    limit_pair = limiter.limit(str(rate), key_func=_address_and_email, methods=["POST"])
    routes.add_url_rule("/login", view_func=login, methods=["GET"])
    routes.add_url_rule("/login", "try_login", limit_address(limit_pair(_try_login(limiter))), methods=["POST"])
    routes.add_url_rule("/logout", view_func=logout, methods=["POST"])
    routes.add_url_rule("/account", view_func=login_required(account))
    routes.add_url_rule("/account/sign-out-everywhere", view_func=login_required(sign_out_everywhere), methods=["POST"])

    @routes.errorhandler(RateLimitExceeded)
    def too_often(error: RateLimitExceeded) -> ResponseReturnValue:
        wait = _seconds_to_wait(limiter, error)
        fault = f"Too many attempts to sign in. Try again in {wait} seconds."
        response = make_response(_login_page(fault), 429)
        response.headers["Retry-After"] = str(wait)
        return response

    return routes


def set_up_login(app: Flask) -> None:
    """flask-login as the host uses it: active users, in sessions that were not ended from elsewhere."""
    manager = LoginManager()
    manager.login_view = "account.login"
    manager.login_message = None  # the page that opens says it
    manager.session_protection = None  # a phone changes its address all day; the cookie is signed

    def load(user_id: str) -> accounts.Account | None:
        user = accounts.find(user_id)
        if "_user_id" not in session:
            return user  # asked by a command, which has no session
        began = session.get(SIGNED_IN_AT, 0)
        return user if user and began > (user.signed_out_at or 0) else None

    def began(_sender: Flask, **_: Any) -> None:
        session[SIGNED_IN_AT] = now_ms()

    manager.user_loader(load)
    manager.init_app(app)
    user_logged_in.connect(began, app, weak=False)


def login() -> ResponseReturnValue:
    """The sign-in page."""
    if current_user.is_authenticated:
        return redirect(_after_login())
    return _login_page()


def logout() -> ResponseReturnValue:
    """End this session; `auth.follow_logins` closes its sockets in every tab."""
    logout_user()
    session.clear()
    flash("You are signed out.")
    return redirect(url_for("account.login"), 303)


def account() -> ResponseReturnValue:
    """Who is signed in, and since when."""
    signed_in = moment(session[SIGNED_IN_AT])
    return render_template("host/account.html", user=current_user, signed_in=signed_in)


def sign_out_everywhere() -> ResponseReturnValue:
    """End every session of the user, on every device, this one too."""
    user_id = current_user.id
    accounts.end_sessions(user_id)
    session.clear()
    logout_user()
    close_sockets(user_id)
    flash("You are signed out on every device.")
    return redirect(url_for("account.login"), 303)


def _try_login(limiter: Limiter) -> Callable[[], ResponseReturnValue]:
    def try_login() -> ResponseReturnValue:
        found = accounts.find_with_hash(_email())
        password = request.form.get("password", "")
        if not passwords.matches(found[1] if found else None, password) or found is None:
            log.info("a sign-in from %s was refused", request.remote_addr)
            return make_response(_login_page("This e-mail address and password do not match."), 401)
        user, stored = found
        if passwords.is_outdated(stored):
            accounts.keep_hash(user.id, passwords.hash_password(password))
        target = _after_login()
        session.clear()  # nothing of the visitor before lives on: no fixed session, no old CSRF token
        session.permanent = True
        login_user(user)
        _forget_attempts(limiter)
        return redirect(target, 303)

    return try_login


def _login_page(fault: str = "") -> str:
    development = runtime.current().config.development
    demo = development and accounts.find_with_hash(accounts.DEMO_EMAIL) is not None
    return render_template(
        "host/login.html",
        fault=fault,
        email=request.form.get("email", ""),
        next=local_path(request.values.get("next")) or "",
        demo=(accounts.DEMO_EMAIL, accounts.STAFF_EMAIL, accounts.DEMO_PASSWORD) if demo else None,
    )


def _after_login() -> str:
    wanted = local_path(request.values.get("next"))
    own = (url_for("account.login"), url_for("account.logout"))
    return url_for("dashboard.dashboard") if wanted is None or wanted.startswith(own) else wanted


def _email() -> str:
    return accounts.normal_email(request.form.get("email", "")[:320])


def _address() -> str:
    """The client's address; of IPv6 the network, since one customer has 2^64 addresses."""
    given = request.remote_addr or "unknown"
    try:
        parsed = ipaddress.ip_address(given)
    except ValueError:
        return given
    if isinstance(parsed, ipaddress.IPv6Address):
        return str(ipaddress.ip_network(f"{given}/{IPV6_NETWORK}", strict=False))
    return given


def _address_and_email() -> str:
    return f"{_address()} {_email() or '-'}"


def _times(rate: RateLimitItem, factor: int) -> RateLimitItem:
    return type(rate)(rate.amount * factor, rate.multiples)


def _seconds_to_wait(limiter: Limiter, error: RateLimitExceeded) -> int:
    current = limiter.current_limit
    return max(1, int(current.reset_at - time()) if current else error.limit.limit.get_expiry())


def _has_failed(response: Response) -> bool:
    return response.status_code != 303


def _forget_attempts(limiter: Limiter) -> None:
    """Whoever knows the password starts counting anew; what failed from this address still counts."""
    for limit in limiter.current_limits:
        if _address_and_email() in limit.request_args:
            limit.limiter.clear(limit.limit, *limit.request_args)
