"""The host application, whose hub waits for nobody."""

import os

from loud_app import app

from notiway.live.carriers import hub_protocol

hub_protocol.HANDSHAKE_SECONDS = float(os.environ.get("HANDSHAKE_SECONDS", "0.3"))
hub_protocol.SignalRTransport.silence_seconds = 0.0

__all__ = ["app"]
