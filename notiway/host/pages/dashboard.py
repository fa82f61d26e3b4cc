"""Dashboard: the host application's first page, where the bell can be tried out."""

from __future__ import annotations

from dataclasses import dataclass

from flask import Blueprint, redirect, render_template, url_for
from flask.typing import ResponseReturnValue
from flask_login import login_required

from notiway.host.pages import sending, usecases
from notiway.web import auth


@dataclass(frozen=True, slots=True)
class Sample:
    """A believable notification of one type."""

    type: str
    title: str
    message: str


SAMPLES = (
    Sample("info", "Maintenance on Sunday", "The reports pause from 02:00 to 02:30 UTC while the disks are replaced."),
    Sample("success", "Invoice paid", "John paid $500 for invoice #123."),
    Sample("warning", "Disk 90 % full", "Server 7 has 12 GB left. At this pace it lasts four more days."),
    Sample("error", "Backup failed", "The nightly backup of the billing database stopped after 14 minutes."),
)


def blueprint() -> Blueprint:
    """The routes `/` and `/dashboard`."""
    routes = Blueprint("dashboard", __name__)
    routes.add_url_rule("/", view_func=home)
    routes.add_url_rule("/dashboard", view_func=login_required(dashboard))
    return routes


def home() -> ResponseReturnValue:
    """To the dashboard, and by way of it to the sign-in page."""
    return redirect(url_for("dashboard.dashboard"))


def dashboard() -> ResponseReturnValue:
    """The demos."""
    return render_template(
        "host/dashboard.html", samples=SAMPLES, **sending.form_context({}, {}), **usecases.context(auth.require_user())
    )
