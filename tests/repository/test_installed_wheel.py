"""The foreign application: the tutorial, step by step, with the wheel in a clean environment and a real Chromium."""

from __future__ import annotations

import os
import re
import shutil
import sqlite3
import subprocess
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest
import requests
from foreign.reader import Reader
from foreign.tutorial import ROOT, Block, blocks
from playwright.sync_api import Page, expect, sync_playwright
from servers import accepts, free_port, wait_until
from websockets.exceptions import ConnectionClosed
from websockets.sync.client import connect

pytestmark = [pytest.mark.browser, pytest.mark.server, pytest.mark.timeout(600)]


@pytest.fixture(scope="module")
def reader(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Reader]:
    """Has followed the tutorial to the running server."""
    reader = Reader(tmp_path_factory.mktemp("beside"), free_port())
    try:
        for block in blocks():
            if reader.server is None:
                reader.follow(block)
        assert reader.server is not None
        yield reader
    finally:
        reader.close()


@pytest.fixture
def page(reader: Reader) -> Iterator[Page]:
    """A browser in which nobody is signed in, and whose console stays empty."""
    chromium = shutil.which("chromium")
    assert chromium is not None, "bin/need chromium"
    complaints: list[str] = []
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=chromium, args=["--no-sandbox"])
        page = browser.new_page(base_url=f"http://127.0.0.1:{reader.port}")
        page.on("console", lambda message: complaints.append(f"{message.text} {message.location['url']}"))
        page.on("pageerror", lambda error: complaints.append(str(error)))
        expect.set_options(timeout=20_000)
        yield page
        browser.close()
    assert [text for text in complaints if "favicon.ico" not in text] == []


def test_the_bell_of_a_foreign_application_rings(reader: Reader, page: Page) -> None:
    page.goto("/")
    expect(page).to_have_url(re.compile("/sign-in"))
    expect(page.locator("#notiway-badge")).to_have_count(0)
    page.get_by_label("Name").fill("ada")
    page.get_by_role("button", name="Sign in").click()
    badge = page.locator("#notiway-badge")
    expect(badge).to_be_hidden()
    expect(page.locator(".notiway-bell")).to_have_attribute("data-connection", "connected")
    page.evaluate("window.loadedOnce = true")

    page.get_by_role("button", name="Order tea").click()
    expect(badge).to_have_text("1")
    expect(page.locator(".notiway-toast")).to_contain_text("Order placed")
    reader.follow(blocks()[-1])  # the send command, in a second terminal
    expect(badge).to_have_text("2")
    expect(page.locator(".notiway-toast").last).to_contain_text("The kettle is on")
    assert page.evaluate("window.loadedOnce"), "the page was reloaded"

    page.get_by_role("button", name=re.compile("^Notifications, 2")).click()
    expect(page.locator("#notiway-panel [data-notiway-id]")).to_have_count(2)
    page.get_by_role("link", name="View all notifications").click()
    expect(page).to_have_title("(2) Notifications")
    expect(page.get_by_role("link", name="Tea shop")).to_be_visible()
    expect(page.get_by_role("main").locator("[data-notiway-id]")).to_have_count(2)

    page.get_by_role("main").get_by_role("link", name=re.compile("Order placed")).click()
    expect(page.get_by_role("heading", name="Hello, ada")).to_be_visible()
    expect(badge).to_have_text("1")


def test_templates_static_files_and_migrations_come_from_the_wheel(reader: Reader) -> None:
    code = (
        "import notiway.extension as e, notiway.store.schema as s;"
        "print(*map(e.resources, ('templates', 'static')), s.OWN.folder)"
    )
    python = reader.here / ".venv/bin/python"
    done = subprocess.run([python, "-c", code], cwd=reader.here, capture_output=True, text=True, check=True)
    for folder in done.stdout.split():
        assert "site-packages/notiway/" in folder
        assert str(ROOT) not in folder


def test_nothing_of_the_host_is_in_an_application_that_mounts_the_library(reader: Reader) -> None:
    tables = {name for path in reader.here.rglob("*.db") for name in _tables(path)}
    assert "notiway_notification" in tables
    assert not tables & {"notiway_user", "notiway_contact", "notiway_host_migration"}
    commands = reader.read(".venv/bin/flask --app shop notiway --help")
    assert re.search(r"^  send ", commands, re.MULTILINE)
    assert not re.search(r"^  (user|demo) ", commands, re.MULTILINE)
    routes = reader.read(".venv/bin/flask --app shop routes")
    assert "/notifications/recent" in routes
    for ours in ("/dashboard", "/login", "/logout", "/account", "/notifications/send"):
        assert not re.search(rf" {ours}(/\S*)?\s*$", routes, re.MULTILINE), ours


def test_the_wheel_alone_serves_the_standalone_gateway(reader: Reader) -> None:
    """The block of docs/how-to/deploy.md, in an empty folder with nothing but the wheel."""
    (block,) = [each for each in blocks(ROOT / "docs/how-to/deploy.md") if "notiway.host.app" in each.text]
    here = reader.folder / "standalone"
    here.mkdir()
    port = free_port()
    environment = reader.environment | {
        "PATH": f"{reader.here / '.venv/bin'}{os.pathsep}{os.environ['PATH']}",
        "GUNICORN_CMD_ARGS": f"--bind 127.0.0.1:{port} --no-control-socket",
        "SECRET_KEY": "a secret of more than thirty-two bytes, for this test",
        "NOTIWAY_DATABASE_URL": f"sqlite:///{here}/notiway.db",
    }
    server = subprocess.Popen(
        ["bash", "-euc", block.text.replace("gunicorn -k", "exec gunicorn -k")], cwd=here, env=environment
    )
    try:
        wait_until(lambda: accepts(port), 60)
        assert requests.get(f"http://127.0.0.1:{port}/readyz", timeout=60).status_code == 200
        page = requests.get(f"http://127.0.0.1:{port}/", timeout=60)
        assert page.url.endswith("/login?next=%2Fdashboard")
        assert "/static/host/css/layout.css" in page.text
        for path in ("/static/host/css/layout.css", "/notiway/static/notiway/js/bell.js"):
            assert requests.get(f"http://127.0.0.1:{port}{path}", timeout=60).status_code == 200
    finally:
        server.terminate()
        server.wait(60)


def _tables(path: Path) -> list[str]:
    with closing(sqlite3.connect(path)) as opened:
        return [row[0] for row in opened.execute("SELECT name FROM sqlite_master WHERE type = 'table'")]


def test_with_our_gunicorn_settings_a_restart_says_goodbye(reader: Reader) -> None:
    reader.stop()
    reader.follow(Block("sh", None, ".venv/bin/gunicorn -c python:notiway.ops.serving shop:app"))
    with requests.Session() as visitor:
        visitor.post(f"http://127.0.0.1:{reader.port}/sign-in", data={"name": "grace"}, timeout=60)
        cookie = f"session={visitor.cookies['session']}"
    with connect(f"ws://127.0.0.1:{reader.port}/ws/notifications", additional_headers={"Cookie": cookie}) as socket:
        assert "connected" in socket.recv(30)
        assert reader.stop() == 0, reader.log.read_text()
        with pytest.raises(ConnectionClosed) as closed:
            while True:  # heartbeats may lie before the goodbye
                socket.recv(30)
        assert closed.value.rcvd is not None
        assert closed.value.rcvd.code == 1012
