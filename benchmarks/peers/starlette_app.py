"""Starlette: a set of sockets and a loop that awaits each send."""

from __future__ import annotations

import os

from starlette.applications import Starlette
from starlette.responses import Response
from starlette.routing import Route, WebSocketRoute
from starlette.websockets import WebSocketDisconnect

TEXT = "x" * int(os.environ["BENCHMARK_PAYLOAD"])
clients = set()


async def listen(websocket):
    await websocket.accept()
    clients.add(websocket)
    try:
        while True:
            await websocket.receive_text()
    except WebSocketDisconnect:
        clients.discard(websocket)


async def broadcast(_):
    for websocket in list(clients):
        await websocket.send_text(TEXT)
    return Response(status_code=204)


app = Starlette(routes=[WebSocketRoute("/ws/notifications", listen), Route("/broadcast", broadcast)])
