"""The staff page `/staff/send`: who gets it, what it says, how it looks, who was reached, and taking it back."""

from __future__ import annotations

from typing import Any

from flask import Blueprint, jsonify, make_response, redirect, render_template, request, session, url_for
from flask.typing import ResponseReturnValue

from notiway.live import runtime
from notiway.store import audit
from notiway.values.errors import NotFound, NotiwayError
from notiway.values.ids import is_id
from notiway.values.item import ANNOUNCEMENT, PRIORITIES, TYPES
from notiway.verbs import reach, staff
from notiway.verbs.recall import recall as take_back
from notiway.web import auth, body, reply
from notiway.web.staff import choices, form, sent_log
from notiway.web.staff.form import Composed

NOTICE_KEY = "notiway_staff_notice"  # in the session: what the last form without JavaScript did
BANNERS = (f"events/{ANNOUNCEMENT}.html", "notiway/staff/compose/_banner.html")  # the first that there is
MAX_SEARCH = 200  # characters


def blueprint() -> Blueprint:
    """The routes below `/staff`; each asks for staff, and unsafe ones for the CSRF token."""
    routes = Blueprint("notiway_staff", __name__)
    routes.before_request(_guard)
    reply.register(routes)
    routes.add_url_rule("/staff/send", "compose", compose)
    routes.add_url_rule("/staff/send", "send", send, methods=["POST"])
    routes.add_url_rule("/staff/audiences", "audiences", audiences)
    routes.add_url_rule("/staff/preview", "preview", preview, methods=["POST"])
    routes.add_url_rule("/staff/sent", "log", log)
    routes.add_url_rule("/staff/sent/<notification_id>/recall", "recall", recall, methods=["POST"])
    return routes


def _guard() -> None:
    user_id = auth.require_staff()
    if request.method not in reply.SAFE_METHODS:
        auth.take_turn(user_id)
        body.take()
        auth.check_csrf()


def compose() -> ResponseReturnValue:
    """The page with an empty form; `before` shows an older part of the log."""
    if reply.form() == "json":
        return _log_as_json()
    if reply.form() == "fragment":
        return render_template("notiway/staff/sent/_log.html", **_log())
    return _page(form.empty(), {}, notice=session.pop(NOTICE_KEY, ""))


def send() -> ResponseReturnValue:
    """Send what the form says, once, however often it comes; or, with `do=preview`, show what it would be."""
    composed = form.read()
    if request.form.get("do") == "preview":
        return _page(composed, composed.open_faults, found=_found(composed.values["q"]))
    by = auth.require_staff()
    try:
        runtime.current().wait_for_room()
        entry, is_new = staff.send(by, composed.recipients(), form_key=composed.values["form_key"], **composed.fields)
    except NotiwayError as error:
        return _refused(error, composed)
    notice = _notice(entry, is_new)
    asked = reply.form()
    if asked == "json":
        return jsonify(sent_log.as_dict(sent_log.rows([entry])[0]) | {"duplicate": not is_new}), 201 if is_new else 200
    if asked == "fragment":
        return _fragment(form.empty(), {}, notice=notice) + render_template(
            "notiway/staff/sent/_log_partial.html", **_log()
        )
    session[NOTICE_KEY] = notice
    return redirect(url_for("notiway_staff.compose"), 303)


def audiences() -> ResponseReturnValue:
    """Tenants, groups and users whose name fits `q`."""
    found = _found(request.args.get("q", ""))
    if reply.form() == "json":
        return jsonify(audiences=[{"key": each.key, "kind": each.kind, "label": each.label} for each in found])
    if reply.form() == "page":
        return redirect(url_for("notiway_staff.compose"))
    return render_template("notiway/staff/compose/_found.html", found=found, query=request.args.get("q", "").strip())


def preview() -> ResponseReturnValue:
    """How it would look, whom it would reach, and what is wrong with it so far. It is no fault to be unfinished."""
    composed = form.read()
    if reply.form() == "json":
        context = _looks(composed)
        people, online = (context["reach"].people, context["reach"].online) if context["reach"] else (None, None)
        return jsonify(people=people, online=online, faults=composed.open_faults)
    return render_template(
        "notiway/staff/compose/_preview_answer.html", faults=composed.open_faults, **_looks(composed)
    )


def log() -> ResponseReturnValue:
    """A part of the log."""
    asked = reply.form()
    if asked == "json":
        return _log_as_json()
    if asked == "page":
        return redirect(url_for("notiway_staff.compose", before=request.args.get("before")))
    return render_template(
        "notiway/staff/sent/_rows.html" if request.args.get("before") else "notiway/staff/sent/_log.html", **_log()
    )


def recall(notification_id: str) -> ResponseReturnValue:
    """Take a notification back from everybody."""
    if not is_id(notification_id):
        raise NotFound("There is no such notification")
    fresh = take_back(notification_id, by=auth.require_staff())
    notice = "Recalled. It has been removed from every list." if fresh else "It had already been recalled."
    asked = reply.form()
    if asked == "json":
        return jsonify(notificationId=notification_id, recalled=True, duplicate=not fresh)
    entry = audit.send_of(notification_id)
    if asked == "fragment" and entry is not None:
        return render_template(
            "notiway/staff/sent/_row.html", row=sent_log.rows([entry])[0], focus=True, csrf_token=reply.csrf_token()
        )
    session[NOTICE_KEY] = notice
    return reply.back(url_for("notiway_staff.compose"))


def _page(composed: Composed, faults: dict[str, str], *, status: int = 200, **more: Any) -> ResponseReturnValue:
    """The whole page, or to htmx the form alone."""
    if reply.form() == "fragment":
        return make_response(_fragment(composed, faults, **more), status)
    context = _form(composed, faults, **more) | _log()
    page = render_template("notiway/staff/page.html", **context, notiway_base=runtime.current().config.base_template)
    return make_response(page, status)


def _fragment(composed: Composed, faults: dict[str, str], **more: Any) -> str:
    return render_template("notiway/staff/compose/_compose.html", **_form(composed, faults, **more))


def _form(composed: Composed, faults: dict[str, str], *, notice: str = "", found: Any = None) -> dict[str, Any]:
    people = runtime.current().people
    known = choices.describe(composed.keys, people)
    found = _found("") if found is None else found
    left = [each for each in found if each.key not in composed.keys]
    return _looks(composed) | {
        "values": composed.values,
        "faults": faults,
        "notice": notice,
        "query": composed.values["q"].strip(),
        "chosen": [known[key] for key in composed.keys if key in known and key != "global"],
        "found": left,
        "chosen_too": len(left) < len(found),
        "everybody": "global" in composed.keys,
        "user_count": None if people is None else people.count(),
        "finds_people": people is not None,
        "types": TYPES,
        "priorities": PRIORITIES,
        "announcement": ANNOUNCEMENT,
        "csrf_token": reply.csrf_token(),
    }


def _looks(composed: Composed) -> dict[str, Any]:
    """Preview and reach."""
    reached = reach.of(runtime.current(), composed.to) if composed.to is not None else None
    return {"item": composed.item(), "reach": reached, "banners": BANNERS,
            "persist": composed.fields.get("persist", True), "announcement": ANNOUNCEMENT}  # fmt: skip


def _refused(error: NotiwayError, composed: Composed) -> ResponseReturnValue:
    if reply.form() == "json" or not error.faults:
        raise error
    faults = {fault.path: fault.message for fault in reversed(error.faults)}
    return _page(composed, faults, status=error.status, found=_found(composed.values["q"]))


def _notice(entry: audit.Entry, is_new: bool) -> str:
    if not is_new:
        return f"“{entry.details['title']}” had already been sent; it was not sent again."
    people, online = entry.details["people"], entry.details["online"]
    whom = "everybody" if people is None else "1 person" if people == 1 else f"{people:,} people"
    return f"Sent “{entry.details['title']}” to {whom}, {online:,} online now."


def _found(text: str) -> list[choices.Choice]:
    return choices.search(text[:MAX_SEARCH], runtime.current().people)


def _log() -> dict[str, Any]:
    return sent_log.page(request.values.get("before")) | {"csrf_token": reply.csrf_token()}


def _log_as_json() -> ResponseReturnValue:
    page = sent_log.page(request.args.get("before"))
    return jsonify(sent=[sent_log.as_dict(row) for row in page["sent"]], nextBefore=page["next_before"])
