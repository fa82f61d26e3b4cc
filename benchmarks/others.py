"""Others: what people would pick instead, started beside Notiway where it can be installed.

    python benchmarks/others.py     installs what is missing into benchmarks/.others, and says what cannot be

Needs a C compiler, Node.js with npm, and for nchan Debian's packages (as root, or installed before).
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import venv
from collections.abc import Callable
from pathlib import Path

from server import HERE, Recipe

FOLDER = HERE / ".others"
PEERS = HERE / "peers"
PYTHON = FOLDER / "venv" / "bin" / "python"
MODULES = FOLDER / "node_modules"
PACKAGES = (
    "flask-socketio", "gevent", "gevent-websocket", "gunicorn", "packaging", "starlette", "uvicorn", "websockets",
)  # fmt: skip
NCHAN = Path("/usr/lib/nginx/modules/ngx_nchan_module.so")
SOCKETIO = {"path": "/socket.io/?EIO=4&transport=websocket", "hello": "40", "greeting": '40{"sid"', "greets": True}

FLOOR = Recipe("C send() loop", (str(FOLDER / "floor"), "{port}", "{payload}"))
FLASK_SOCKETIO = Recipe(
    "Flask-SocketIO, gevent",
    (str(PYTHON), "-m", "gunicorn", "-k", "geventwebsocket.gunicorn.workers.GeventWebSocketWorker",
     "--worker-connections", "20000", "--no-control-socket", "-b", "127.0.0.1:{port}",
     "--pythonpath", str(PEERS), "flask_socketio_app:app"),
    is_gunicorn=True, **SOCKETIO,
)  # fmt: skip
STARLETTE = Recipe(
    "Starlette, uvicorn",
    (str(PYTHON), "-m", "uvicorn", "--app-dir", str(PEERS), "--port", "{port}", "--backlog", "2048",
     "--ws", "websockets-sansio", "--ws-per-message-deflate", "false", "--log-level", "warning",
     "--no-access-log", "starlette_app:app"),
)  # fmt: skip
NODE_WS = Recipe("Node ws", ("node", str(FOLDER / "node_ws.js"), "{port}"))
NODE_SOCKETIO = Recipe("Node Socket.IO", ("node", str(FOLDER / "node_socketio.js"), "{port}"), **SOCKETIO)
BUN = Recipe("Bun", (str(MODULES / ".bin" / "bun"), str(PEERS / "bun_ws.js"), "{port}"))
NCHAN_RECIPE = Recipe(
    "nchan (nginx)", (sys.executable, str(HERE / "others.py"), "nchan", "{port}"), is_gunicorn=True, method="POST"
)


def installed() -> list[Recipe]:
    """Those that are there, installed now if need be; what cannot be is said on standard error."""
    FOLDER.mkdir(exist_ok=True)
    found: list[Recipe] = []
    for install, recipes in INSTALLERS:
        try:
            install()
        except (OSError, subprocess.CalledProcessError) as error:
            said = getattr(error, "stderr", None) or str(error)
            print(f"left out: {', '.join(each.name for each in recipes)}: {said.strip()[-300:]}", file=sys.stderr)
        else:
            found += recipes
    return found


def compile_floor() -> None:
    """Make the C loop; the only one that needs nothing but a compiler."""
    FOLDER.mkdir(exist_ok=True)
    _floor()


def _run(*command: str, **environment: str) -> None:
    subprocess.run(command, check=True, capture_output=True, text=True, env={**os.environ, **environment}, cwd=FOLDER)


def _floor() -> None:
    _run("cc", "-O2", "-o", str(FOLDER / "floor"), str(PEERS / "floor.c"))


def _python() -> None:
    if not PYTHON.exists():
        venv.create(PYTHON.parents[1], with_pip=True)
    _run(str(PYTHON), "-m", "pip", "install", "--quiet", *PACKAGES)


def _node() -> None:
    if shutil.which("node") is None:
        raise OSError("Node.js is not installed")
    _run("npm", "install", "--no-audit", "--no-fund", "--prefix", str(FOLDER), "ws", "socket.io")
    for name in ("node_ws.js", "node_socketio.js"):
        shutil.copy(PEERS / name, FOLDER / name)  # modules are looked for from where the script lies


def _bun() -> None:
    _run("npm", "install", "--no-audit", "--no-fund", "--prefix", str(FOLDER), "bun")
    _run(str(MODULES / ".bin" / "bun"), "--version")


def _nchan() -> None:
    if not NCHAN.exists():
        if os.geteuid():
            raise OSError("install Debian's packages nginx and libnginx-mod-nchan first")
        _run("apt-get", "update", "-qq")
        names = ("nginx", "libnginx-mod-nchan")
        _run("apt-get", "install", "-y", "-qq", "--no-install-recommends", *names, RUNLEVEL="1")


def serve_nchan(port: str) -> None:
    """Become nginx, with a configuration for this port."""
    folder = FOLDER / f"nchan-{port}"
    folder.mkdir(parents=True, exist_ok=True)
    config = folder / "nginx.conf"
    config.write_text((PEERS / "nchan.conf").read_text().format(port=port, folder=folder))
    os.execvp("nginx", ["nginx", "-p", str(folder), "-c", str(config)])


INSTALLERS: tuple[tuple[Callable[[], None], list[Recipe]], ...] = (
    (_floor, [FLOOR]),
    (_bun, [BUN]),
    (_nchan, [NCHAN_RECIPE]),
    (_node, [NODE_WS, NODE_SOCKETIO]),
    (_python, [STARLETTE, FLASK_SOCKETIO]),
)

if __name__ == "__main__":
    if sys.argv[1:2] == ["nchan"]:
        serve_nchan(sys.argv[2])
    for each in installed():
        print(each.name)
