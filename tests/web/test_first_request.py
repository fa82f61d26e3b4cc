"""The first request: what is done once, and tried again when it fails."""

from __future__ import annotations

import pytest
from flask import Flask, request

from notiway.web import first_request


def test_it_is_done_once_and_tried_again_after_a_fault_and_no_other_hook_is_skipped() -> None:
    app = Flask("shop")
    app.testing = True
    asked: list[str] = []
    done: list[str] = []
    faults = [RuntimeError("not yet")]

    def start() -> None:
        if faults:
            raise faults.pop()
        done.append("started")

    first_request.before(app, start)
    first_request.before(app, lambda: done.append("exempted"))
    app.before_request(lambda: asked.append(request.query_string.decode()))
    app.add_url_rule("/plain", "plain", view_func=lambda: "hello")
    client = app.test_client()
    with pytest.raises(RuntimeError):
        client.get("/plain?1")
    assert (done, asked) == ([], [])
    assert client.get("/plain?2").text == client.get("/plain?3").text == "hello"
    assert (done, asked) == (["started", "exempted"], ["2", "3"])
    assert len(app.before_request_funcs[None]) == 1
