"""Health: is this process alive, is it ready for traffic, and what has it done so far?"""

from __future__ import annotations

import logging

import peewee
from flask import Blueprint, Response, jsonify
from flask.typing import ResponseReturnValue
from playhouse.pool import MaxConnectionsExceeded

from notiway import metrics
from notiway.live import runtime
from notiway.store.database import db

log = logging.getLogger(__name__)
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
    """200 when a request would be served well; else 503, with what is wrong."""
    faults = _faults()
    if not faults:
        return jsonify(status="ready")
    log.warning("not ready: %s", "; ".join(faults.values()))
    return jsonify(status="not ready", reasons=faults), 503


def measured() -> ResponseReturnValue:
    """Metrics of this process, for Prometheus."""
    return Response(metrics.exposition(), content_type=METRICS_TYPE)


def _faults() -> dict[str, str]:
    now = runtime.current()
    faults = {}
    if now.draining:
        faults["draining"] = "this process is shutting down"
    try:
        db.execute_sql("SELECT 1")
    except (peewee.PeeweeException, MaxConnectionsExceeded) as error:
        faults["database"] = f"the database does not answer ({type(error).__name__})"
    try:
        now.broker.ping()
    except OSError as error:
        faults["broker"] = f"the broker does not answer ({type(error).__name__})"
    return faults
