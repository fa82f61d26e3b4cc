"""Health: is this process alive, is it ready for traffic, and what has it done so far?"""

from __future__ import annotations

import hmac
import logging

from flask import Blueprint, Response, jsonify, request
from flask.typing import ResponseReturnValue

from notiway import metrics
from notiway.live import runtime
from notiway.ops import queue_file
from notiway.store.engine import checks
from notiway.store.engine.checks import Trouble
from notiway.values.errors import Forbidden
from notiway.values.text import addresses
from notiway.web import auth

log = logging.getLogger(__name__)
FORWARDED = ("X-Forwarded-For", "Forwarded")
PROXY_FIX = "werkzeug.proxy_fix.orig"  # in the WSGI environ: the address is what a trusted proxy said
METRICS_TYPE = "text/plain; version=0.0.4; charset=utf-8"  # Prometheus's text exposition format


def register(blueprint: Blueprint) -> None:
    """Add `/healthz`, `/readyz` and `/metrics`; the blueprint must ask nobody to sign in."""
    blueprint.add_url_rule("/healthz", view_func=alive)
    blueprint.add_url_rule("/readyz", view_func=ready)
    blueprint.add_url_rule("/metrics", view_func=measured)


def alive() -> ResponseReturnValue:
    """200 as long as this process answers at all."""
    return jsonify(status="alive")


def ready() -> ResponseReturnValue:
    """200 when a request would be served well; else 503, and for the operator what is wrong.

    Without its broker a process serves pages and stores what is sent, as all others do: were none of them ready, an
    outage of live delivery would be one of everything. So that is said, and no fault.
    """
    faults = _faults()
    if not faults:
        lacks = _lacks()
        return jsonify(status="ready", **({"lacks": lacks} if lacks and _is_operator() else {}))
    log.warning("not ready: %s", "; ".join(f"{each.text}: {each.remedy}" for each in faults.values()))
    reasons = {"reasons": {name: each.text for name, each in faults.items()}} if _is_operator() else {}
    return jsonify(status="not ready", **reasons), 503


def measured() -> ResponseReturnValue:
    """Metrics of this process, for Prometheus; `Forbidden` for strangers."""
    if not _is_operator():
        raise Forbidden("Metrics are for the operator: see NOTIWAY_METRICS_ALLOW and NOTIWAY_METRICS_TOKEN")
    return Response(metrics.exposition(), content_type=METRICS_TYPE)


def _is_operator() -> bool:
    """Whether the caller may see how this process is: by the token, or from a network that the settings allow.

    Behind a proxy that nobody told us of (NOTIWAY_TRUSTED_PROXIES) every client has the proxy's address, so there only
    the token counts.
    """
    config = runtime.current().config
    given = auth.bearer()
    if given is not None and config.metrics_token:
        return hmac.compare_digest(given.encode(), config.metrics_token.encode())
    is_hidden = any(name in request.headers for name in FORWARDED) and PROXY_FIX not in request.environ
    return addresses.lies_in(None if is_hidden else request.remote_addr, config.metrics_allow)


def _lacks() -> dict[str, str]:
    """What a process can do without for a while."""
    try:
        runtime.current().broker.ping()
    except OSError as error:
        log.warning("live delivery stands still: the broker does not answer (%s)", type(error).__name__)
        return {"broker": f"the broker does not answer ({type(error).__name__}): pages work, bells ring late"}
    return {}


def _faults() -> dict[str, Trouble]:
    now = runtime.current()
    faults = {}
    if now.draining:
        faults["draining"] = Trouble("this process is shutting down", "no action is needed")
    for trouble in checks.troubles():
        faults["database"] = trouble
    in_queue = None if now.config.jobs == "off" else queue_file.trouble(now.huey)
    if in_queue is not None:
        faults["jobs"] = Trouble("the queue of background work does not accept work", in_queue)
    return faults
