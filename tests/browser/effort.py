"""Effort: what a page's main thread spends on a task, in CPU time, which a busy machine does not stretch."""

from __future__ import annotations

import json
from collections import Counter
from dataclasses import dataclass
from typing import Any

from playwright.sync_api import Page

CATEGORIES = ["toplevel", "disabled-by-default-devtools.timeline"]
TASKS = ("RunTask", "ThreadControllerImpl::RunTask")


@dataclass(frozen=True)
class Effort:
    """The longest task of a page while it was traced, in milliseconds."""

    cpu_ms: float
    wall_ms: float


def trace(page: Page) -> None:
    """Begin to trace a page; one at a time in a browser."""
    browser = page.context.browser
    assert browser is not None
    browser.start_tracing(page=page, categories=CATEGORIES)


def effort(page: Page) -> Effort:
    """End the trace of a page."""
    browser = page.context.browser
    assert browser is not None
    events: list[dict[str, Any]] = json.loads(browser.stop_tracing())["traceEvents"]
    mains = {
        (each["pid"], each["tid"])
        for each in events
        if each["name"] == "thread_name" and each["args"]["name"] == "CrRendererMain"
    }
    tasks = [
        each
        for each in events
        if each.get("ph") == "X" and each["name"] in TASKS and (each["pid"], each["tid"]) in mains
    ]
    busiest, _ = Counter(each["pid"] for each in tasks).most_common(1)[0]
    own = [each for each in tasks if each["pid"] == busiest]
    return Effort(max(each.get("tdur", 0) for each in own) / 1000, max(each["dur"] for each in own) / 1000)
