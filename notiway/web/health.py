"""Health: is this process alive, is it ready for traffic, and what has it done so far?"""

from __future__ import annotations

import logging

from flask import Blueprint, Response, jsonify
from flask.typing import ResponseReturnValue

from notiway import metrics
from notiway.live import runtime
from notiway.ops import queue_file
from notiway.store.engine import checks
from notiway.store.engine.checks import Trouble

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
    log.warning("not ready: %s", "; ".join(f"{each.text}: {each.remedy}" for each in faults.values()))
    return jsonify(status="not ready", reasons={name: each.text for name, each in faults.items()}), 503


def measured() -> ResponseReturnValue:
    """Metrics of this process, for Prometheus."""
    return Response(metrics.exposition(), content_type=METRICS_TYPE)


def _faults() -> dict[str, Trouble]:
    now = runtime.current()
    faults = {}
    if now.draining:
        faults["draining"] = Trouble("this process is shutting down", "nothing is to be done")
    for trouble in checks.troubles():
        faults["database"] = trouble
    try:
        now.broker.ping()
    except OSError as error:
        told = f"the broker does not answer ({type(error).__name__})"
        faults["broker"] = Trouble(told, "start it, or correct NOTIWAY_BROKER_URL")
    in_queue = None if now.config.jobs == "off" else queue_file.trouble(now.huey)
    if in_queue is not None:
        faults["jobs"] = Trouble("the queue of background work takes nothing", in_queue)
    return faults
