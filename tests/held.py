"""HeldSite: the same application under `flask run`, where a thread holds each connection."""

import subprocess
import sys

from servers import wait_until
from serving import ROOT, START_SECONDS, Site


class HeldSite(Site):
    """A Site that werkzeug's threaded server runs instead of gunicorn."""

    def start(self, *options):
        module = self.application.partition(":")[0]
        command = [sys.executable, "-m", "flask", "--app", module, "run", "--port", str(self.port), *options]
        with self.log.open("ab") as log:
            self.process = subprocess.Popen(
                command, env=self.environment, cwd=ROOT, stdout=log, stderr=subprocess.STDOUT, start_new_session=True
            )
        wait_until(self._ready, START_SECONDS)
        return self

    def worker_pid(self):
        return self.process.pid
