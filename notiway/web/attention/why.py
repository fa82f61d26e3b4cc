"""Why: what a notification is doing in somebody's list, and the way to mute its like."""

from __future__ import annotations

from typing import Any

from flask import Blueprint, jsonify, render_template
from flask.typing import ResponseReturnValue

from notiway.live import runtime
from notiway.store import inbox
from notiway.store.attention import settings as stored
from notiway.values.attention.attention import CHANNELS
from notiway.values.attention.topics import Topic, topic_of
from notiway.values.audience import Audience, AudienceType
from notiway.values.errors import Fault, InvalidSettings
from notiway.values.item import Item
from notiway.verbs.attention import settings
from notiway.web import auth, reply
from notiway.web.pages import undoing

ID = "/notifications/<notification_id>"


def register(blueprint: Blueprint) -> None:
    """Add the routes."""
    # By POST from a form: a GET would put its CSRF token into the address.
    blueprint.add_url_rule(f"{ID}/why", "why", show, methods=["GET", "POST"])
    blueprint.add_url_rule(f"{ID}/mute", "mute", mute, methods=["POST"])
    blueprint.add_url_rule(f"{ID}/unmute", "unmute", unmute, methods=["POST"])


def show(notification_id: str) -> ResponseReturnValue:
    """Who it was sent to, by whom, and which rule lets it ask for attention."""
    user_id = auth.require_owner()
    return _answer(user_id, inbox.get(user_id, notification_id))


def mute(notification_id: str) -> ResponseReturnValue:
    """Let nothing of its topic pop up, sound or notify from now on; the bell still has it."""
    return _choose(notification_id, mute=True)


def unmute(notification_id: str) -> ResponseReturnValue:
    """Take that back: what the application declared holds again."""
    return _choose(notification_id, mute=False)


def words_for(audience: str) -> str:
    """An audience for people.

    >>> words_for("group:acme:admins")
    'Sent to the group admins of acme, which you are in'
    """
    parsed = Audience.parse(audience)
    match parsed.type:
        case AudienceType.GLOBAL:
            return "Sent to everybody"
        case AudienceType.TENANT:
            return f"Sent to everybody in {parsed.value}"
        case AudienceType.GROUP:
            tenant = f" of {parsed.tenant_id}" if parsed.tenant_id else ""
            return f"Sent to the group {parsed.value}{tenant}, which you are in"
    return "Sent to you"


def _choose(notification_id: str, *, mute: bool) -> ResponseReturnValue:
    user_id = auth.require_owner()
    item = inbox.get(user_id, notification_id)
    kinds = runtime.current().kinds
    topic = _topic(user_id, item)
    if mute and not (kinds.may_mute(item.name) and topic.mutable):
        raise InvalidSettings("Nothing was changed", [Fault(item.topic, "cannot be muted")])
    usual = kinds.category(item.topic)
    channels = dict.fromkeys(CHANNELS, False) if mute else dict.fromkeys(CHANNELS, True)
    if not mute and usual is not None:
        channels = usual.channels
    settings.change(user_id, {"categories": {item.topic: channels}})
    if reply.form() == "page":
        done = "is muted: it still comes to this list" if mute else "is no longer muted"
        return undoing.back_with(f"{topic.label} {done}")
    return _answer(user_id, item)


def _topic(user_id: str, item: Item) -> Topic:
    return topic_of(runtime.current().kinds, stored.read(user_id)[0], item.topic)


def _answer(user_id: str, item: Item) -> ResponseReturnValue:
    kinds = runtime.current().kinds
    topic, kind = _topic(user_id, item), kinds.get(item.name)
    context: dict[str, Any] = {
        "item": item,
        "audience": words_for(item.audience),
        "topic": topic,
        "kind": kind,
        "may_mute": topic.mutable and kinds.may_mute(item.name),
        "csrf_token": reply.csrf_token(),
    }
    asked = reply.form()
    if asked == "json":
        return jsonify(
            notificationId=item.id,
            audienceId=item.audience,
            audience=context["audience"],
            topic={"name": topic.name, "label": topic.label, "muted": topic.is_muted, **topic.channels},
            kind=None if kind is None else {"name": kind.name, "label": kind.label},
            mayMute=context["may_mute"],
            actor=item.actor,
            source=item.source,
            producer=item.producer,
        )
    if asked == "fragment":
        return render_template("notiway/why/_why.html", **context)
    base = runtime.current().config.base_template
    return render_template("notiway/why/page.html", **context, notiway_base=base)
