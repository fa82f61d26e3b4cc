"""SQLAlchemy under gunicorn: of orders that are placed at once each rings after its commit, and none that is undone."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
import requests
from alchemy import address
from serving import Site
from websockets.sync.client import connect

from server.talk import Listener

ORDERS = 24


@pytest.mark.sqlite
def test_orders_that_are_placed_at_once_ring_with_their_commits(place: Path | str, tmp_path: Path) -> None:
    shop = {"SHOP_URL": address(place), "SHOP_FOLDER": str(tmp_path)}
    site = Site(tmp_path, "alchemy_site:app", **shop)
    del site.environment["NOTIWAY_DATABASE_URL"]
    site.start()
    try:
        visitor = requests.Session()
        assert visitor.post(f"{site.url}/in/ada", timeout=60).ok
        cookie = "; ".join(f"{name}={value}" for name, value in visitor.cookies.items())
        with connect(site.socket_url, additional_headers={"Cookie": cookie}) as socket:
            listener = Listener(socket)
            listener.hear_only("connected")
            titles = [f"{number}{'' if number % 4 else '!'}" for number in range(ORDERS)]
            with ThreadPoolExecutor(8) as pool:
                statuses = list(pool.map(lambda title: place_order(site, title), titles))
            assert statuses == [409 if title.endswith("!") else 200 for title in titles]
            placed = {title for title in titles if not title.endswith("!")}
            heard = [listener.hear_only("notification")["title"] for _ in placed]
            assert (set(heard), len(heard)) == (placed, len(placed))
        stored = visitor.get(f"{site.url}/notifications", headers={"Accept": "application/json"}, timeout=60).json()
        assert stored["unreadCount"] == len(placed)
    finally:
        site.close()


def place_order(site: Site, title: str) -> int:
    return requests.post(f"{site.url}/orders/{title}", timeout=60).status_code
