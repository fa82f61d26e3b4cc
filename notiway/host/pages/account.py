"""Account: signing in and out of this repository's own host application."""

from __future__ import annotations

import ipaddress
from collections.abc import Callable
from time import time

from flask import Blueprint, Response, flash, make_response, redirect, render_template, request, session, url_for
from flask.typing import ResponseReturnValue
from flask_limiter import Limiter, RateLimitExceeded
from flask_login import current_user, login_user, logout_user
from limits import RateLimitItem, parse

from notiway import security_log
from notiway.host import accounts, passwords
from notiway.host.devices import is_known, remember
from notiway.live import runtime
from notiway.values.text.urls import local_path

ADDRESS_FACTOR = 6  # one address may fail this many times as often as one address with one e-mail
ACCOUNT_RATE = "100 per hour"  # wrong passwords for one account, from wherever (NIST SP 800-63B, 5.2.2)
IPV6_NETWORK = 64  # bits that one customer shares


def blueprint(limiter: Limiter, login_rate: str) -> Blueprint:
    """The routes `/login` and `/logout`, with at most `login_rate` attempts (`"10 per minute"`)."""
    routes = Blueprint("account", __name__)
    rate = parse(login_rate)
    address_rate = str(_times(rate, ADDRESS_FACTOR))
    # Of one address only failures count: an office full of people signs in from behind one.
    limit_address = limiter.limit(address_rate, key_func=_address, methods=["POST"], deduct_when=_has_failed)
    limit_pair = limiter.limit(str(rate), key_func=_address_and_email, methods=["POST"])
    routes.add_url_rule("/login", view_func=login, methods=["GET"])
    # Whoever has signed in with this browser before is no stranger to the account, and is not locked out by strangers.
    limit_account = limiter.limit(
        ACCOUNT_RATE,
        key_func=_account,
        methods=["POST"],
        deduct_when=_has_failed,
        exempt_when=lambda: is_known(_email()),
    )
    view = limit_address(limit_pair(limit_account(_try_login(limiter))))
    routes.add_url_rule("/login", "try_login", view, methods=["POST"])
    routes.add_url_rule("/logout", view_func=logout, methods=["POST"])

    @routes.errorhandler(RateLimitExceeded)
    def too_often(error: RateLimitExceeded) -> ResponseReturnValue:
        wait = seconds_to_wait(limiter, error)
        security_log.note("sign_in_throttled", address=request.remote_addr)
        fault = f"Too many attempts to sign in. Try again in {wait} seconds."
        response = make_response(_login_page(fault), 429)
        response.headers["Retry-After"] = str(wait)
        return response

    return routes


def login() -> ResponseReturnValue:
    """The sign-in page."""
    if current_user.is_authenticated:
        return redirect(_after_login())
    return _login_page()


def logout() -> ResponseReturnValue:
    """End this session; `auth.follow_logins` closes its sockets in every tab."""
    if current_user.is_authenticated:
        security_log.note("signed_out", user=current_user.id, address=request.remote_addr)
    logout_user()
    session.clear()
    flash("You are signed out.")
    return redirect(url_for("account.login"), 303)


def _try_login(limiter: Limiter) -> Callable[[], ResponseReturnValue]:
    def try_login() -> ResponseReturnValue:
        found = accounts.find_with_hash(_email())
        password = request.form.get("password", "")
        if not passwords.matches(found[1] if found else None, password) or found is None:
            security_log.note("sign_in_refused", user=found[0].id if found else None, address=request.remote_addr)
            return make_response(_login_page("This e-mail address and password do not match."), 401)
        user, stored = found
        if passwords.is_outdated(stored):
            accounts.keep_hash(user.id, passwords.hash_password(password))
        target = _after_login()
        logout_user()  # whoever was signed in here: that session and its sockets end (ASVS 5.0, 7.2.4)
        session.clear()  # nothing of the visitor before lives on: no fixed session, no old CSRF token
        session.permanent = True
        login_user(user)
        security_log.note("signed_in", user=user.id, address=request.remote_addr)
        _forget_attempts(limiter)
        return remember(redirect(target, 303), user.email)

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


def _account() -> str:
    return f"account {_email() or '-'}"


def _address_and_email() -> str:
    return f"{_address()} {_email() or '-'}"


def _times(rate: RateLimitItem, factor: int) -> RateLimitItem:
    return type(rate)(rate.amount * factor, rate.multiples)


def seconds_to_wait(limiter: Limiter, error: RateLimitExceeded) -> int:
    """When a limit lets the next attempt through."""
    current = limiter.current_limit
    return max(1, int(current.reset_at - time()) if current else error.limit.limit.get_expiry())


def _has_failed(response: Response) -> bool:
    return response.status_code != 303


def _forget_attempts(limiter: Limiter) -> None:
    """Whoever knows the password starts counting anew; what failed from this address still counts."""
    for limit in limiter.current_limits:
        if _address_and_email() in limit.request_args:
            limit.limiter.clear(limit.limit, *limit.request_args)
