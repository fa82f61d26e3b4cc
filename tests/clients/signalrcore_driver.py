"""Takes orders as lines of JSON, as node.mjs does, for connections of PyPI's signalrcore."""

import json
import logging
import sys
import threading

from signalrcore.hub_connection_builder import HubConnectionBuilder

ANSWER_SECONDS = 30.0
printing = threading.Lock()
connections = {}
waiting = {}


def say(**values):
    with printing:
        print(json.dumps(values), flush=True)


def report(name, event, *values):
    say(report=[name, event, *values])


def connect(name, url, token, listen=(), options=None, delays=None):
    builder = HubConnectionBuilder().with_url(url, options={"access_token_factory": lambda: token, **(options or {})})
    builder.configure_logging(logging.CRITICAL)
    intervals = {"type": "interval", "keep_alive_interval": 10, "intervals": delays or [0, 1, 1, 2, 2, 5, 5]}
    connection = connections[name] = builder.with_automatic_reconnect(intervals).build()
    is_open = threading.Event()
    connection.on_open(is_open.set)
    connection.on_close(lambda: report(name, "closed"))
    connection.on_reconnect(lambda: report(name, "reconnected"))
    connection.on_error(lambda message: waiting.pop(message.invocation_id)(error=message.error))
    for target in listen:
        connection.on(target, lambda values, target=target: report(name, target, *values))
    connection.start()
    assert is_open.wait(ANSWER_SECONDS)


def invoke(answer, name, method, values=()):
    def completed(message):
        waiting.pop(message.invocation_id)(value=message.result)

    # Known before it is sent: the answer may come at once.
    invocation_id = f"{name} {len(waiting)} {threading.get_ident()} {method} {json.dumps(values)}"
    waiting[invocation_id] = answer
    connections[name].invoke(method, list(values), completed, invocation_id)


def stop(name):
    connections[name].stop()


def obey(order):
    order_id, verb = order.pop("id"), order.pop("do")

    def answer(**outcome):
        say(id=order_id, **outcome)

    try:
        if verb == "invoke":
            invoke(answer, **order)
            return
        value = {"connect": connect, "stop": stop}[verb](**order)
    except Exception as error:  # noqa: BLE001 - whatever the library raises is the answer
        answer(error=repr(error))
    else:
        answer(value=value)


for line in sys.stdin:
    obey(json.loads(line))
