"""A stream is opened on a connection whose answers nobody reads: nobody else waits for it."""

import contextlib
import socket
from pathlib import Path

from clients.producer import token
from server.talk import PATIENCE_SECONDS
from servers import wait_until

from chaos.bystander import standing_by
from chaos.load import ApiSender, sending
from chaos.rounds import wait_for_acknowledged
from chaos.screens import screens, settle

AROUND = range(-6, 3)  # answers before and after the one that the kernel takes no more
TOO_MANY = 60_000
BUFFER = 2048
ANSWERS = 10
STILL = 20  # looks at a queue that does not change any more
USER = "patient"
ASK = b"GET /healthz HTTP/1.1\r\nHost: x\r\n\r\n"


def open_deaf(site):
    """A connection with little room for answers."""
    line = socket.socket()
    line.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, BUFFER)
    line.settimeout(PATIENCE_SECONDS)
    line.connect(("127.0.0.1", site.port))
    return line


def unread(line):
    """Bytes that lie on the way from the server to this end (proc(5), net/tcp)."""
    ends = {line.getsockname()[1], line.getpeername()[1]}
    total = 0
    for row in Path("/proc/net/tcp").read_text().splitlines()[1:]:
        _, local, remote, _, queues, *_ = row.split()
        if {int(local.split(":")[1], 16), int(remote.split(":")[1], 16)} == ends:
            is_ours = int(local.split(":")[1], 16) == line.getsockname()[1]
            sent, received = (int(part, 16) for part in queues.split(":"))
            total += received if is_ours else sent
    return total


def answers_that_fit(site):
    """How many answers the kernel takes for a client that reads none."""
    with contextlib.closing(open_deaf(site)) as line:
        line.sendall(ASK)
        one = len(line.recv(BUFFER))
        line.setblocking(False)
        with contextlib.suppress(BlockingIOError):
            for _ in range(TOO_MANY):
                line.send(ASK)
        seen = []

        def is_still():
            seen.append(unread(line))
            return len(seen) > STILL and len(set(seen[-STILL:])) == 1 and seen[-1] > one * AROUND.stop

        wait_until(is_still)
        return seen[-1] // one


def test_a_stream_behind_answers_that_nobody_reads(ledger, shared, producer):
    key = token(shared, "deaf")
    with standing_by(shared, ledger) as bystander, screens(shared, ledger, token(shared, USER)):
        fit = answers_that_fit(shared)
        sender = ApiSender(producer, ledger, f"user:{USER}", batch=1)
        with sending(sender), contextlib.ExitStack() as doors:
            for more in AROUND:
                line = doors.enter_context(contextlib.closing(open_deaf(shared)))
                stream = f"GET /api/notifications/stream?access_token={key} HTTP/1.1\r\nHost: x\r\n\r\n"
                line.sendall(ASK * (fit + more) + stream.encode())
                bystander.wait_for(ANSWERS)
            wait_for_acknowledged(ledger, ANSWERS)
        settle(shared, ledger)
        assert not bystander.failures
    ledger.remarks["answers_that_fit"] = fit
    ledger.check()
