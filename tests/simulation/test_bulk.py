"""Bulk runs tell every failure once, go on behind it, and count."""

from __future__ import annotations

import os
import signal
import subprocess
import sys

from . import bulk
from .schedule import Outcome
from .test_simulation import ROOT

WAIT_SECONDS = 60


def test_a_failure_ends_nothing_and_is_told_once(monkeypatch, capsys):
    monkeypatch.setattr(bulk, "_results", lambda parts, *_: ([bad(part[0])] if part[0] else [] for part in parts))
    assert bulk.run_many(0, 2 * bulk.PART + 1, 1) == 1
    lines = capsys.readouterr().out.splitlines()
    assert lines[:2] == ["seed 250: after 3 steps: broken", "seed 500: after 3 steps: broken"]
    assert lines[2].startswith("501 schedules, 2 failed, ")


def test_without_a_failure_all_is_well(monkeypatch, capsys):
    monkeypatch.setattr(bulk, "_results", lambda parts, *_: ([] for _ in parts))
    assert bulk.run_many(0, 300, 1) == 0
    assert capsys.readouterr().out.startswith("300 schedules, 0 failed, ")


def test_a_schedule_that_breaks_the_simulation_itself_is_told(monkeypatch):
    monkeypatch.setattr(bulk, "run", lambda seed: {}[seed])
    [found] = bulk.failing(range(7, 8))
    assert (found.seed, found.fault) == (7, "the simulation broke: KeyError: 7")


def test_an_interrupt_ends_the_run_with_its_count():
    command = [sys.executable, "-m", "tests.simulation", "--schedules", "1000000", "--mutant", "publish-before-commit"]
    with subprocess.Popen(command, cwd=ROOT, env=os.environ, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        first = process.stdout.readline()  # a part is done
        process.send_signal(signal.SIGINT)
        rest = process.communicate(timeout=WAIT_SECONDS)[0]
    assert first.startswith("seed ")
    assert "interrupted" in rest
    assert " schedules, " in rest
    assert process.returncode == bulk.INTERRUPTED


def bad(seed: int) -> Outcome:
    return Outcome(seed, "broken", 3)
