"""First request: what is done when an application is asked for the first time, and costs later requests nothing."""

from __future__ import annotations

from collections.abc import Callable

from flask import Flask


def before(app: Flask, call: Callable[[], None]) -> None:
    """Do this before the first request, whatever it asks for; again before the next one if it fails.

    Flask has no such hook any more, and one that stays would cost each of the application's own requests its share.
    """

    def first() -> None:
        call()
        # Another list: Flask goes on with the one that it walks along now.
        app.before_request_funcs[None] = [each for each in app.before_request_funcs[None] if each is not first]

    app.before_request(first)
