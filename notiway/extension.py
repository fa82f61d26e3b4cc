"""The extension: `Notiway(app)` mounts the notification center into any Flask application."""

from __future__ import annotations

import logging
import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Any

import peewee
from flask import Blueprint, Flask, request

from notiway.cli import make_commands
from notiway.folders import resources
from notiway.gateway.client_tokens import derive_secret
from notiway.live.badges import Badges
from notiway.live.broker import open_broker
from notiway.live.carriers.hub_protocol import SignalRTransport
from notiway.live.carriers.inbound import Inbound
from notiway.live.carriers.replaying import Replaying
from notiway.live.carriers.sse import FrameStreamTransport, StreamTransport
from notiway.live.carriers.websocket import WebSocketTransport, take_over_upgrades
from notiway.live.delivery.format import Format
from notiway.live.hub import Hub
from notiway.live.limits.gate import Gate
from notiway.live.limits.throttle import Throttle
from notiway.live.reactor import Reactor
from notiway.live.runtime import KEY, Runtime, database_in_context
from notiway.live.shared.parts import open_parts
from notiway.live.wires.html import HtmlWire
from notiway.live.wires.json import JsonWire
from notiway.live.wires.parts import draw_each, draw_toast
from notiway.live.wires.signalr import SignalRWire
from notiway.live.wires.sse import SseWire
from notiway.ops import jobs, relay
from notiway.ops.alone import check_alone, let_go
from notiway.ops.rounds.snoozes import Snoozes
from notiway.ops.workers import check_workers
from notiway.store import database
from notiway.store.database import db
from notiway.store.engine.server_address import Patience
from notiway.store.log import pulling
from notiway.values.config import EXTERNAL_USERS, Config, unknown_settings
from notiway.values.kinds.declaring import Declaring
from notiway.values.people import People, UnknownUsers, UserIsActive
from notiway.verbs import reach, untold
from notiway.web import api, auth, caching, connections, cross_origin, first_request, health, reply
from notiway.web.assets.files import Assets
from notiway.web.host_users import active_by_login, none_unknown, unknown_to_login
from notiway.web.pages import history
from notiway.web.pages.parts import Parts
from notiway.web.sessions import LIVE, QuietSessions
from notiway.web.sockets import actions, invocations, presence, signalr, sse, ticket, websocket
from notiway.web.staff import page as staff_page

log = logging.getLogger(__name__)


class Notiway(Declaring, Parts):
    """The notification center as a Flask extension.

    >>> app = Flask(__name__)
    >>> notiway = Notiway(app)  # doctest: +SKIP

    The users are the application's own: flask-login says who is signed in, its `user_loader` who exists.
    For many recipients at once give `unknown_users`, which takes ids and returns those that do not exist.
    `user_is_active` takes an id and says whether that user may come in, None for nobody; without it the loader's
    user says so (`is_active`). Client tokens of anybody else are refused.
    `database` is the application's own Peewee database, where transactions are to be shared. With `sqlalchemy`
    (Flask-SQLAlchemy's object, a scoped_session, a sessionmaker or a Session) they are those of the session. Without
    both NOTIWAY_DATABASE_URL is opened. `people` lets staff find users by name (`notiway.Person`). In templates
    `{{ notiway.bell() }}` draws the bell.
    """

    online = staticmethod(reach.online)
    online_among = staticmethod(reach.online_among)
    online_in = staticmethod(reach.online_in)

    def __init__(
        self,
        app: Flask | None = None,
        *,
        database: peewee.Database | None = None,
        sqlalchemy: Any = None,
        unknown_users: UnknownUsers | None = None,
        people: People | None = None,
        user_is_active: UserIsActive | None = None,
    ) -> None:
        super().__init__()
        self._database = database
        self._sqlalchemy = sqlalchemy
        self._people = people
        self._unknown_users = unknown_users
        self._user_is_active = user_is_active
        if app is not None:
            self.init_app(app)

    def init_app(self, app: Flask) -> Runtime:
        """Mount routes, templates, commands and the live part; raises `ConfigError` for bad settings."""
        config = Config.load(app.config)
        for name, nearest in unknown_settings(app.config, os.environ):
            log.warning("%s is no setting of Notiway%s: see docs/reference/settings.md", name, nearest)
        check_workers(config, sys.argv, os.environ)
        place = connections.place_beside(app, self._sqlalchemy, self._database, config.database_url)
        if place is not None and place.url is not None:
            config = replace(config, database_url=place.url)
        if not config.database_url:
            config = replace(config, database_url=f"sqlite:///{Path(app.instance_path) / 'notiway.db'}")
        if self._database is not None:
            opened = database.adopt(self._database)
        else:
            opened = database.open_database(config.database_url, config.database_pool, _patience(config))
        database.use_database(opened)
        pulling.keep_backlog(opened, config.backlog_days)
        db.follow(database_in_context)
        connections.share(app, opened, self._sqlalchemy, place)
        active = self._user_is_active or active_by_login(app, self._unknown_users)
        unknown = none_unknown if config.users == EXTERNAL_USERS else self._unknown_users or unknown_to_login(app)
        runtime = _runtime(app, config, opened, unknown, active)
        runtime.people, runtime.kinds = self._people, self.declared
        runtime.check_alone = partial(check_alone, config, opened)
        runtime.let_go = partial(let_go, opened)
        app.extensions[KEY] = runtime
        self._mount(app, runtime)
        auth.follow_logins(app)
        app.session_interface = QuietSessions(app.session_interface, auth.tell_renewal)  # type: ignore[assignment]
        app.cli.add_command(make_commands())
        relay.hand_over(runtime)
        first_request.before(app, lambda: runtime.begin(request.environ))
        connections.follow_contexts(app)
        take_over_upgrades()
        return runtime

    @contextmanager
    def joining(self, session: Any) -> Iterator[None]:
        """Inside, what is sent belongs to this SQLAlchemy session, where several are open.

        >>> with notiway.joining(session):  # doctest: +SKIP
        ...     send_notification(user.id, "Order placed")
        """
        if db.host is None:
            raise RuntimeError("give Notiway `sqlalchemy` first: Notiway(app, sqlalchemy=Session)")
        with db.host.chosen(session):
            yield

    def _mount(self, app: Flask, runtime: Runtime) -> None:
        blueprint = Blueprint("notiway", __name__, template_folder=str(resources("templates")))
        files = Assets(resources("static"), runtime.url)
        files.register(blueprint)
        history.register(blueprint)
        blueprint.after_request(cross_origin.allow_tokens)
        staff = staff_page.blueprint()
        live = Blueprint(LIVE, __name__)
        for part in (websocket, signalr, sse, ticket, presence, api, health, reply):
            part.register(live)
        prefix = runtime.config.url_prefix or None
        live.after_request(cross_origin.allow)
        for each in (blueprint, staff, live):
            each.after_request(caching.keep_nowhere)
            each.after_request(connections.finish)
            app.register_blueprint(each, url_prefix=prefix)

        def exempt() -> None:
            # Keys and tokens are no cookies. What takes cookies asks for the Origin, or for the CSRF token by itself.
            for each in (blueprint, live) if "csrf" in app.extensions else ():
                app.extensions["csrf"].exempt(each)

        exempt()
        first_request.before(app, exempt)  # a CSRFProtect may be given to the application after this
        app.jinja_env.globals.update(
            notiway=self,
            notiway_each=draw_each,
            notiway_tabs=self.tabs.all,
            notiway_toast=draw_toast,
            notiway_is_staff=auth.is_staff,
            notiway_url=runtime.url,
            notiway_static=files.address,
        )


def _patience(config: Config) -> Patience:
    return Patience(config.database_statement_seconds, config.database_lock_seconds, config.database_idle_seconds)


def _runtime(
    app: Flask, config: Config, opened: peewee.Database, unknown: UnknownUsers, active: UserIsActive
) -> Runtime:
    reactor = Reactor()
    inbound = Inbound(reactor, config.message_rate)
    hub = Hub(
        reactor,
        connections_per_user=config.max_connections_per_user,
        heartbeat_seconds=config.heartbeat_seconds,
        queue_total=config.queue_total,
    )
    heard = inbound.put, config.max_message_bytes, inbound.control
    frames, html = WebSocketTransport(*heard), HtmlWire(app.jinja_env)
    act, invoke = actions.handler(app), invocations.handler(app)
    parts = open_parts(config, hub)
    untold.watch(app, parts.presence, opened)
    build = partial(jobs.build_huey, config, secret=app.secret_key, folder=Path(app.instance_path))
    huey, events = build(), build(name=relay.QUEUE_NAME)
    jobs.add_tasks(huey, app)
    relay.add_task(events, app)
    return Runtime(
        app=app,
        config=config,
        database=opened,
        broker=open_broker(config.broker_url),
        reactor=reactor,
        hub=hub,
        inbound=inbound,
        badges=Badges(reactor, hub, context=app.app_context),
        replaying=Replaying(hub, app.app_context),
        formats={
            "json": Format(JsonWire(), frames, act),
            "html": Format(html, frames, act),
            "html stream": Format(html, FrameStreamTransport(), act),
            "signalr": Format(SignalRWire(), SignalRTransport(*heard), invoke),
            "sse": Format(SseWire(), StreamTransport()),
        },
        unknown_users=unknown,
        user_is_active=active,
        token_secret=config.token_secret or derive_secret(app.secret_key or ""),
        gate=Gate(config.connect_rate),
        throttle=Throttle(parts.windows),
        presence=parts.presence,
        seen_ids=parts.seen_ids,
        huey=huey,
        events=events,
        snoozes=Snoozes(reactor, app.app_context),
        start_relay=None if config.jobs == "off" or config.broker_is_shared else lambda: relay.start_relay(events),
        start_jobs=(lambda: jobs.start_consumer(huey, app)) if config.jobs == "web" else None,
    )
