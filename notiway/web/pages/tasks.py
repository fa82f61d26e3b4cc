"""Tasks on pages: their bars as they are now, and the way back to them for a tab that was loaded again."""

from __future__ import annotations

from flask import Blueprint, current_app, jsonify, render_template, request
from flask.typing import ResponseReturnValue
from markupsafe import Markup

from notiway.store import tasks
from notiway.store.tasks import Task
from notiway.values.audience import Audience
from notiway.values.errors import Fault, WrongInput
from notiway.verbs.progress import body_of, item_of
from notiway.web import auth, reply


def register(blueprint: Blueprint) -> None:
    """Add the route."""
    blueprint.add_url_rule("/notifications/tasks/<task_id>/follow", "follow_task", view_func=follow, methods=["POST"])


def follow(task_id: str) -> ResponseReturnValue:
    """Let a task of one tab report to `connection`, which that tab has now; answers how far the task is."""
    user_id = auth.require_owner()
    try:
        audience = Audience.connection(request.values.get("connection", ""))
    except ValueError as error:
        raise WrongInput("Nothing was changed", [Fault("connection", str(error))]) from None
    task = tasks.follow(user_id, task_id, audience.key)
    return jsonify(body_of(task)) if reply.form() == "json" else draw_one(task)


def draw(user_id: str, name: str) -> Markup:
    """The container for tasks of one kind, and those that run or ended lately."""
    bars = Markup().join(draw_one(task) for task in tasks.standing(user_id, name))
    return Markup('<div class="notiway notiway-tasks" data-notiway-tasks="{}">{}</div>').format(name, bars)


def draw_one(task: Task) -> Markup:
    """One task, drawn by the template of its events."""
    item = item_of(task)
    template = current_app.jinja_env.select_template([f"events/{task.name}.html", "events/task-progress.html"])
    return Markup(render_template(template, item=item, body=item.body))  # noqa: S704 - a rendered template
