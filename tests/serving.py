"""Site: the real thing under gunicorn on a free port, for tests that need a process of its own."""

from __future__ import annotations

import json
import os
import re
import signal
import subprocess
import sys
from pathlib import Path
from typing import Any

import requests
from servers import free_port, wait_until

ROOT = Path(__file__).resolve().parent.parent
TOKEN = re.compile(r'<meta name="csrf-token" content="([^"]+)">')
START_SECONDS = 90.0
STOP_SECONDS = 60.0
PASSWORD = "notiway"

_made: dict[tuple[str, tuple[str, ...]], bytes] = {}  # an application and commands, and the database that they made


class Site:
    """One server with its own database. `kill` and `start` again keep port, database and secret.

    >>> site.sign_in("demo@example.com").post("/notifications/send", json={"title": "Hi"})  # doctest: +SKIP
    """

    def __init__(self, folder: Path, application: str = "app:app", **settings: Any) -> None:
        self.folder = folder
        self.application = application
        self.port = free_port()
        self.url = f"http://127.0.0.1:{self.port}"
        self.socket_url = f"ws://127.0.0.1:{self.port}/ws/notifications"
        self.environment = {
            **{name: value for name, value in os.environ.items() if not name.startswith("NOTIWAY_")},
            "NOTIWAY_ENV": "development",
            "NOTIWAY_DATABASE_URL": f"sqlite:///{folder}/notiway.db",
            "NOTIWAY_LOGIN_RATE": "1000 per minute",
            "NOTIWAY_JOBS": "off",
            "NOTIWAY_USERS": "external",  # clients and producers of the tests bring users of their own
            "NOTIWAY_HEARTBEAT_SECONDS": "3600",  # a beat says the count at any time; who tests beats sets its own
            "NOTIWAY_TOAST_SECONDS": "60",  # on a busy machine none leaves before the test has looked
            "SECRET_KEY": "a secret of the tests, of more than 32 bytes",
            "PORT": str(self.port),
            "PYTHONPATH": f"{ROOT}{os.pathsep}{ROOT / 'tests'}",
            **{name: str(value) for name, value in settings.items()},
        }
        self.process: subprocess.Popen[bytes] | None = None
        self.log = folder / "server.log"

    def command(self, *words: str) -> str:
        """Run `flask --app … notiway …`; its output."""
        done = subprocess.run(
            [sys.executable, "-m", "flask", "--app", self.application.partition(":")[0], "notiway", *words],
            env=self.environment,
            cwd=ROOT,
            capture_output=True,
            text=True,
            timeout=180,
            check=False,
        )
        assert done.returncode == 0, done.stdout + done.stderr
        return done.stdout

    def prepare(self, *commands: str) -> Site:
        """Make the database, with the demo users; or by these commands.

        The commands run once in a test process; after that, a site on SQLite gets a copy of the file that they made.
        """
        commands = commands or ("migrate", "demo")
        here = self.folder / "notiway.db"
        is_a_file = self.environment["NOTIWAY_DATABASE_URL"] == f"sqlite:///{here}"
        made = _made.get((self.application, commands))
        if is_a_file and made is not None and not here.exists():
            here.touch(0o600)
            here.write_bytes(made)
            return self
        for command in commands:
            self.command(command)
        if is_a_file:
            _made[self.application, commands] = here.read_bytes()
        return self

    def start(self, *options: str) -> Site:
        """Start gunicorn and wait until it is ready."""
        return self._run("-m", "gunicorn", self.application, "-c", str(ROOT / "gunicorn.conf.py"), *options)

    def beside(self, **settings: Any) -> Site:
        """The live process of this site, not started: the same settings and files, a port of its own."""
        live = Site(self.folder, self.application)
        live.environment = self.environment | {name: str(value) for name, value in settings.items()}
        del live.environment["PORT"]
        live.log = self.folder / "live.log"
        return live

    def hold(self, *options: str) -> Site:
        """Start `flask notiway live` and wait until it is ready."""
        words = ["-m", "flask", "--app", self.application, "notiway", "live", "--port", str(self.port), *options]
        return self._run(*words)

    def _run(self, *words: str) -> Site:
        with self.log.open("ab") as log:
            self.process = subprocess.Popen(
                [sys.executable, *words],
                env=self.environment,
                cwd=ROOT,
                stdout=log,
                stderr=subprocess.STDOUT,
                start_new_session=True,
            )
        wait_until(self._ready, START_SECONDS)
        return self

    def _ready(self) -> bool:
        assert self.process is not None
        assert self.process.poll() is None, self.log.read_text()[-4000:]
        try:
            return requests.get(f"{self.url}/readyz", timeout=2).ok
        except requests.RequestException:
            return False

    def worker_pid(self) -> int:
        """The process that serves (the first one, gunicorn's arbiter, only watches)."""
        assert self.process is not None
        children = Path(f"/proc/{self.process.pid}/task/{self.process.pid}/children").read_text().split()
        return int(children[0])

    def kill(self) -> None:
        """Kill -9: nothing gets a chance to tidy up."""
        assert self.process is not None
        os.killpg(self.process.pid, signal.SIGKILL)
        self.process.wait(STOP_SECONDS)
        self.process = None

    def stop(self) -> int:
        """SIGTERM, and wait for the end; the exit status."""
        assert self.process is not None
        self.process.send_signal(signal.SIGTERM)
        status = self.process.wait(STOP_SECONDS)
        self.process = None
        return status

    def close(self) -> None:
        if self.process is not None and self.process.poll() is None:
            self.kill()

    def sign_in(self, email: str = "demo@example.com", password: str = PASSWORD, user_agent: str = "") -> Visitor:
        return Visitor(self, email, password, user_agent)


class Visitor(requests.Session):
    """A signed-in session that sends the CSRF token and asks for JSON; paths are relative to the site."""

    def __init__(self, site: Any, email: str, password: str, user_agent: str = "") -> None:
        super().__init__()
        self.site = site
        self.headers.update({"User-Agent": user_agent} if user_agent else {})
        self.headers["Referer"] = f"{site.url}/"  # over TLS the CSRF check asks for it
        page = self.get("/login")
        form = {"email": email, "password": password, "csrf_token": self._token(page.text)}
        page = self.post("/login", data=form)
        assert page.ok, page.text
        self.headers["X-CSRFToken"] = self._token(page.text)
        self.headers["Accept"] = "application/json"

    @staticmethod
    def _token(page: str) -> str:
        found = TOKEN.search(page)
        assert found is not None, page
        return found.group(1)

    def request(self, method: str, url: str, *args: Any, **options: Any) -> requests.Response:  # type: ignore[override]
        options.setdefault("timeout", 30)
        return super().request(method, self.site.url + url if url.startswith("/") else url, *args, **options)

    @property
    def cookie(self) -> str:
        """The Cookie header of this session, for a socket."""
        return "; ".join(f"{cookie.name}={cookie.value}" for cookie in self.cookies)

    def notify(self, title: str, message: str = "", type: str = "info", **more: Any) -> dict[str, Any]:
        """Send a notification to oneself; the notification as JSON."""
        answer = self.post("/notifications/send", json={"title": title, "message": message, "type": type, **more})
        assert answer.status_code == 201, answer.text
        return dict(json.loads(answer.text)["notification"])
