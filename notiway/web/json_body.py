"""The JSON body of a request, read in one way everywhere."""

from __future__ import annotations

from typing import Any

from flask import request

from notiway.store import database
from notiway.values import json_text
from notiway.values.errors import Fault, WrongInput

REASON_LIMIT = 200  # characters of the parser's words


def read() -> Any:
    """The value in the body; `WrongInput` says why it is not JSON."""
    database.release()  # a body may trickle in
    try:
        return json_text.read(request.get_data())
    except ValueError as error:
        raise WrongInput("The body is not JSON", [Fault("body", str(error)[:REASON_LIMIT])]) from None


def read_object() -> dict[str, Any]:
    """The same where an object is needed; `WrongInput` if it is something else."""
    value = read()
    if not isinstance(value, dict):
        raise WrongInput("The body is not a JSON object")
    return value
