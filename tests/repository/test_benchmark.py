"""The benchmark runs and prints what it promises. How fast this machine is, is no test's business."""

import re
import subprocess
import sys

import pytest
from serving import ROOT

SERVERS = (
    "Notiway, signed in",
    "naive flask-sock loop, signed in",
    "naive flask-sock loop, nobody signs in",
    "bare send() loop",
)
SECONDS = 280
pytestmark = [pytest.mark.slow, pytest.mark.server, pytest.mark.timeout(SECONDS + 20)]
ROW = re.compile(
    r"^\| (?P<server>[^|]+) \| (?P<us>[\d.]+) \| (?P<kb>-?[\d.]+) \| (?P<ms>[\d.]+)"
    r" \| (?P<got>[\d,]+) of (?P<due>[\d,]+) \|$",
    re.MULTILINE,
)


@pytest.fixture(scope="module")
def printed() -> str:
    command = [sys.executable, "benchmarks/fanout.py", "--quick"]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=SECONDS, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


def test_every_server_has_all_figures_and_every_frame_arrived(printed):
    rows = {row["server"]: row for row in ROW.finditer(printed)}
    assert tuple(rows) == SERVERS
    for row in rows.values():
        assert row["got"] == row["due"]
        assert float(row["us"]) > 0
        assert float(row["ms"]) > 0


def test_a_parked_connection_takes_less_memory_than_one_with_a_greenlet(printed):
    kb = {row["server"]: float(row["kb"]) for row in ROW.finditer(printed)}
    assert kb["Notiway, signed in"] < kb["naive flask-sock loop, signed in"] / 2


def test_each_goal_is_said_to_be_met_or_missed(printed):
    verdicts = re.findall(r"^(met|MISSED) +1,000: ", printed, re.MULTILINE)
    assert len(verdicts) == 4
