"""A reader of the tutorial: starts in an empty folder, writes its files, runs its commands."""

from __future__ import annotations

import os
import re
import signal
import subprocess
import sys
from pathlib import Path

from servers import accepts, wait_until

from foreign.tutorial import ROOT, Block

INSTALL_SECONDS = 240.0  # the downloads of a slow network
STOP_SECONDS = 60.0
LOCKED = re.compile(r"^[a-z0-9][^ ]*==[^ ]+(?: ;[^\\\n]*)?", re.MULTILINE)
OURS = ("NOTIWAY_", "FLASK_", "PYTHON", "GUNICORN_")


class Reader:
    """Follows blocks, one after the other; a clone of Notiway lies beside the folder it works in.

    Nothing of the running tests' environment reaches it but where packages come from; versions are those of the lock.
    """

    def __init__(self, folder: Path, port: int) -> None:
        (folder / "notiway").symlink_to(ROOT)
        constraints = folder / "constraints.txt"
        constraints.write_text("\n".join(LOCKED.findall((ROOT / "requirements-dev.txt").read_text())))
        self.folder = self.here = folder
        self.port = port
        self.server: subprocess.Popen[bytes] | None = None
        self.log = folder / "server.log"
        kept = {name: value for name, value in os.environ.items() if not name.startswith((*OURS, "PORT"))}
        self.environment = kept | {
            "PATH": f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}",
            "PIP_CONSTRAINT": str(constraints),
            "PIP_NO_COMPILE": "1",
            "GUNICORN_CMD_ARGS": f"--bind 127.0.0.1:{port} --no-control-socket",
        }

    def follow(self, block: Block) -> None:
        """Do what a block says: write a file, start the server, or run commands until they end."""
        if block.title is not None:
            (self.here / block.title).write_text(block.text)
        elif "gunicorn" in block.text:
            self._serve(block.text)
        else:
            assert block.language == "sh", f"nobody tries this block: {block.text}"
            self._run(block.text)

    def _run(self, commands: str) -> None:
        """As in one shell session: the next block begins in the folder where this one ends."""
        ended_in = self.folder / "folder.txt"
        done = subprocess.run(
            ["bash", "-euc", f'{commands}\npwd > "{ended_in}"'],
            cwd=self.here,
            env=self.environment,
            capture_output=True,
            text=True,
            timeout=INSTALL_SECONDS,
            check=False,
        )
        assert done.returncode == 0, f"{commands}\n{done.stdout}{done.stderr}"
        self.here = Path(ended_in.read_text().strip())

    def read(self, command: str) -> str:
        """What a command prints, in the folder where the last block ended."""
        done = subprocess.run(
            ["bash", "-euc", command], cwd=self.here, env=self.environment, capture_output=True, text=True, check=True
        )
        return done.stdout

    def _serve(self, command: str) -> None:
        with self.log.open("wb") as log:
            self.server = subprocess.Popen(
                ["bash", "-c", f"exec {command}"],
                cwd=self.here,
                env=self.environment,
                stdout=log,
                stderr=subprocess.STDOUT,
                start_new_session=True,
            )
        wait_until(self._listens)

    def _listens(self) -> bool:
        assert self.server is not None
        assert self.server.poll() is None, self.log.read_text()
        return accepts(self.port)

    def stop(self) -> int:
        """End the server as a service manager does; its exit status."""
        assert self.server is not None
        self.server.send_signal(signal.SIGTERM)
        return self.server.wait(STOP_SECONDS)

    def close(self) -> None:
        if self.server is not None and self.server.poll() is None:
            os.killpg(self.server.pid, signal.SIGKILL)
            self.server.wait(STOP_SECONDS)
