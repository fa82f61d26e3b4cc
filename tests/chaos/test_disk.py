"""A disk that is full, and then has room again."""

import os
import resource
import subprocess
from contextlib import contextmanager

import pytest
import requests
from clients.producer import Producer, token
from servers import wait_until
from serving import Site

from chaos.bystander import standing_by
from chaos.load import ApiSender, sending
from chaos.rounds import SETTINGS, wait_for_acknowledged
from chaos.screens import screens, settle

DISK = "16m"
LEFT_BYTES = 1_500_000  # when the first message is sent
FILL = 20_000  # characters in each message: each array needs 60 KB
REFUSALS = 20
ANSWERS = 20
USER = "hoarder"


@contextmanager
def small_disk(folder):
    """A disk of a few megabytes of its own, which only root may make."""
    subprocess.run(["mount", "-t", "tmpfs", "-o", f"size={DISK}", "notiway-chaos", str(folder)], check=True)
    try:
        yield
    finally:
        subprocess.run(["umount", "--lazy", str(folder)], check=True)


class FullDisk:
    """A file that takes all room but a little, until it is removed."""

    def __init__(self, site):
        self.filler = site.folder / "filler"
        disk = os.statvfs(site.folder)
        self.filler.write_bytes(bytes(disk.f_bavail * disk.f_frsize - LEFT_BYTES))

    def make_room(self):
        self.filler.unlink()


class Quota:
    """No file of the server may grow beyond a size, until it may: what a user who is not root can do."""

    def __init__(self, site):
        self.pid = site.worker_pid()
        size = (site.folder / "notiway.db").stat().st_size + LEFT_BYTES
        resource.prlimit(self.pid, resource.RLIMIT_FSIZE, (size, resource.RLIM_INFINITY))

    def make_room(self):
        resource.prlimit(self.pid, resource.RLIMIT_FSIZE, (resource.RLIM_INFINITY, resource.RLIM_INFINITY))


WAYS = [Quota, FullDisk] if os.geteuid() == 0 else [Quota]


@pytest.fixture(params=WAYS)
def way(request):
    return request.param


@pytest.fixture
def site(way, tmp_path):
    with small_disk(tmp_path) if way is FullDisk else contextmanager(lambda: iter([None]))():
        site = Site(tmp_path, **SETTINGS).prepare().start()
        yield site
        site.close()


def test_what_has_no_room_is_refused_and_everything_else_goes_on(ledger, site, way):
    key = token(site, USER)
    sender = ApiSender(Producer(site), ledger, f"user:{USER}", fill="x" * FILL)
    with standing_by(site, ledger) as bystander, screens(site, ledger, key) as opened:
        sender.once()
        limit = way(site)
        with sending(sender):
            wait_until(lambda: ledger.refused >= REFUSALS)
            bystander.wait_for(ANSWERS)
            if way is FullDisk:  # a quota of one file is not the disk's
                assert requests.get(f"{site.url}/readyz", timeout=30).status_code == 503
            for screen in opened:  # reading, and new lines
                screen.blink()
                if screen.wire != "signalr":
                    screen.wake()
            limit.make_room()
            for screen in opened:  # a hub notes in the database which connection tokens were used
                screen.wake()
            wait_for_acknowledged(ledger, REFUSALS)
        assert requests.get(f"{site.url}/readyz", timeout=30).ok
        settle(site, ledger)
    ledger.check()
