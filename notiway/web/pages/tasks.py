"""Tasks on pages: their bars as they are now, and the way back to them for a tab that was loaded again."""

from __future__ import annotations

import logging

from flask import Blueprint, jsonify, make_response, render_template, request, url_for
from flask.typing import ResponseReturnValue
from jinja2 import TemplateNotFound
from markupsafe import Markup

from notiway.store import tasks
from notiway.store.tasks import Task
from notiway.values.audience import Audience
from notiway.values.errors import Fault, NotFound, WrongInput
from notiway.verbs.progress import body_of, item_of
from notiway.web import auth, reply

log = logging.getLogger(__name__)

DEFAULT = "events/task-progress.html"


def register(blueprint: Blueprint) -> None:
    """Add the routes."""
    path = "/notifications/tasks/<task_id>"
    blueprint.add_url_rule(path, "task", view_func=show)
    blueprint.add_url_rule(f"{path}/follow", "follow_task", view_func=follow, methods=["POST"])
    blueprint.add_url_rule(f"{path}/close", "close_task", view_func=close, methods=["POST"])


def show(task_id: str) -> ResponseReturnValue:
    """How far a task is, for a page that has heard nothing of it for a while."""
    task = tasks.get(auth.require_owner(), task_id)
    return jsonify(body_of(task)) if reply.form() == "json" else draw_one(task)


def close(task_id: str) -> ResponseReturnValue:
    """Forget a task that has ended: pages that are loaded from now on do not show it."""
    tasks.close(auth.require_owner(), task_id)
    asked = reply.form()
    if asked == "json":
        return jsonify(taskId=task_id, closed=True)
    return reply.back(url_for("notiway.history")) if asked == "page" else make_response("", 204)


def follow(task_id: str) -> ResponseReturnValue:
    """Let a task of one tab report to `connection`, which that tab has now; answers how far the task is."""
    user_id = auth.require_owner()
    try:
        audience = Audience.connection(request.values.get("connection", ""))
    except ValueError as error:
        raise WrongInput("Nothing was changed", [Fault("connection", str(error))]) from None
    if "\0" in task_id:  # no id of ours, and PostgreSQL takes none in a query
        raise NotFound("There is no such task")
    task = tasks.follow(user_id, task_id, audience.key)
    return jsonify(body_of(task)) if reply.form() == "json" else draw_one(task)


def draw(user_id: str, name: str) -> Markup:
    """The container for tasks of one kind, and those that run or ended lately."""
    return container(name, Markup().join(draw_one(task) for task in tasks.standing(user_id, name)))


def container(name: str, bars: Markup = Markup()) -> Markup:  # noqa: B008 - it cannot be changed
    """The place where tasks of one kind are shown; live reports join it."""
    return Markup('<div class="notiway notiway-tasks" data-notiway-tasks="{}">{}</div>').format(name, bars)


def draw_one(task: Task) -> Markup:
    """One task, drawn by the template of its events; by the default where there is none, or it fails."""
    item = item_of(task)
    context = {"item": item, "body": item.body, "late": tasks.is_late(task), "csrf_token": reply.csrf_token()}
    for name in (f"events/{task.name}.html", DEFAULT):
        try:
            return Markup(render_template(name, **context))  # noqa: S704 - a rendered template
        except Exception as error:
            if not isinstance(error, TemplateNotFound) or error.name != name:
                log.exception("templates/%s failed for task %s; fix the template", name, task.id)
    return Markup()
