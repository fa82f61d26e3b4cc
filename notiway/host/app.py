"""The host application of this repository: it uses the extension as any other Flask application would."""

from __future__ import annotations

import os
from collections.abc import Mapping
from datetime import timedelta
from pathlib import Path
from typing import Any, cast

from flask import Blueprint, Flask, request
from flask.cli import AppGroup
from flask.sessions import SecureCookieSessionInterface
from flask_limiter import Limiter
from flask_limiter.util import get_remote_address
from flask_wtf.csrf import CSRFProtect
from itsdangerous import URLSafeTimedSerializer
from werkzeug.middleware.proxy_fix import ProxyFix

from notiway.extension import Notiway
from notiway.folders import resources
from notiway.host import accounts, commands, contacts, headers, login
from notiway.host.live_numbers import GROUP, INTERVAL_SECONDS, LiveNumbers
from notiway.host.pages import account, dashboard, errors, profile, sending, usecases
from notiway.host.secret import development_wanted, find_secret
from notiway.host.sessions import IDLE_DAYS
from notiway.live.runtime import Runtime
from notiway.ops import jobs, logs
from notiway.store.schema import Migrations
from notiway.values.config import KIB, Config
from notiway.web import body, reply
from notiway.web.sessions import LIVE

HERE = Path(__file__).resolve().parent
MIGRATIONS = Migrations(resources("migrations", HERE) / "host", "notiway_host_migration")
DEFAULTS: dict[str, Any] = {
    "NOTIWAY_BASE_TEMPLATE": "host/base.html",
    "MAX_CONTENT_LENGTH": 1024 * KIB,
    "PERMANENT_SESSION_LIFETIME": timedelta(days=IDLE_DAYS),
    "SESSION_COOKIE_NAME": "notiway_session",
    "SESSION_COOKIE_HTTPONLY": True,
    "SESSION_COOKIE_SAMESITE": "Lax",
    "WTF_CSRF_TIME_LIMIT": None,  # as long as the session: a page may stay open all day
}


class SecureBehindTls(SecureCookieSessionInterface):
    """The session cookie is marked Secure whenever the request came over TLS; on plain http it could not come back.

    The serializer is kept: to make it anew for every request costs as much as the check of the cookie itself.
    """

    _made_of: tuple[object, ...] = ()
    _serializer: URLSafeTimedSerializer | None = None

    def get_signing_serializer(self, app: Flask) -> URLSafeTimedSerializer | None:
        made_of = (app.secret_key, *(app.config["SECRET_KEY_FALLBACKS"] or ()))
        if made_of != self._made_of:
            self._serializer = super().get_signing_serializer(app)
            self._made_of = made_of
        return self._serializer

    def get_cookie_secure(self, app: Flask) -> bool:
        return super().get_cookie_secure(app) or request.is_secure


class MarkedRoutesLimiter(Limiter):
    """Looks only at the routes that are marked with a limit; by itself it would look at every request.

    What it does after a request, it does for the blueprints that it is told to `follow`: those with such routes.
    """

    def init_app(self, app: Flask) -> None:
        super().init_app(app)
        app.before_request_funcs[None].remove(self._check_request_limit)
        self._after, self._release = app.after_request_funcs[None].pop(), app.teardown_request_funcs[None].pop()

    def follow(self, blueprint: Blueprint) -> Blueprint:
        """Let the blueprint's own limits count failed attempts, and forget each request when it is over."""
        blueprint.after_request(self._after)
        blueprint.teardown_request(self._release)
        return blueprint


def create_app(settings: Mapping[str, Any] | None = None) -> Flask:
    """The application, ready to serve. `settings` go into `app.config`, before the environment.

    Raises `ConfigError` when a setting is wrong, or SECRET_KEY is missing in production.

    >>> create_app({"SECRET_KEY": "dev", "NOTIWAY_DATABASE_URL": "sqlite:////tmp/demo.db"})  # doctest: +SKIP
    <Flask 'notiway.host.app'>
    """
    app = Flask(
        __name__, template_folder=str(resources("templates", HERE)), static_folder=str(resources("static", HERE))
    )
    development = development_wanted(os.environ)
    app.config.from_mapping(DEFAULTS)
    app.config.from_mapping(
        SECRET_KEY=os.environ.get("SECRET_KEY"),
        NOTIWAY_ENV="development" if development else "production",
        NOTIWAY_OPEN_GROUPS=os.environ.get("NOTIWAY_OPEN_GROUPS", GROUP),  # the dashboard's live numbers
    )
    app.config.from_mapping(settings or {})
    config = Config.load(app.config)
    logs.set_up(development=config.development)
    lenient = config.development or (app.testing and bool(app.secret_key))
    app.secret_key = find_secret(app.secret_key, Path(app.instance_path), development=lenient)
    if config.trusted_proxies:
        # Not the host: proxies pass Host on, and a client may send X-Forwarded-Host itself.
        app.wsgi_app = ProxyFix(app.wsgi_app, config.trusted_proxies, config.trusted_proxies, x_host=0)  # type: ignore[method-assign]
    app.session_interface = SecureBehindTls()
    login.set_up(app)
    app.before_request(_take_body)  # before the CSRF check, which looks into it
    CSRFProtect(app)
    running = Notiway(
        unknown_users=accounts.unknown_users, people=accounts.HostPeople(), user_is_active=accounts.is_active
    ).init_app(app)
    running.migrations += (MIGRATIONS,)
    group = cast("AppGroup", app.cli.commands["notiway"])
    for command in (commands.USER, commands.DEMO):
        group.add_command(command)
    limiter = _limiter(app, config)
    app.register_blueprint(limiter.follow(account.blueprint(limiter, config.login_rate)))
    app.register_blueprint(limiter.follow(profile.blueprint(limiter, config.login_rate)))
    app.register_blueprint(dashboard.blueprint())
    app.register_blueprint(sending.blueprint())
    app.register_blueprint(usecases.blueprint(_live_numbers(running)))
    jobs.add(app, contacts.import_contacts)
    errors.register(app)
    headers.protect(app, config.live_url)
    return app


def _take_body() -> None:
    """The API takes its own, which may be larger."""
    if request.method not in reply.SAFE_METHODS and request.blueprint != LIVE:
        body.take()


def _live_numbers(now: Runtime) -> LiveNumbers:
    numbers = LiveNumbers(now.hub, now.presence)
    now.reactor.every(INTERVAL_SECONDS, numbers.tick)
    return numbers


def _limiter(app: Flask, config: Config) -> MarkedRoutesLimiter:
    storage: dict[str, Any] = {"storage_uri": "memory://"}
    if config.broker_is_shared:
        from notiway.live.broker.redis_client import open_client

        # Whatever kind of URL it is, and with bounded waits.
        options = {"connection_pool": open_client(config.broker_url).connection_pool, "key_prefix": "notiway:limits"}
        storage = {"storage_uri": "redis://", "storage_options": options}
    return MarkedRoutesLimiter(
        get_remote_address,
        app=app,
        strategy="moving-window",
        in_memory_fallback_enabled=config.broker_is_shared,
        **storage,
    )
