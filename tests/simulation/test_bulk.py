"""Bulk runs tell every failure once, go on behind it, and count."""

from __future__ import annotations

import os
import signal
import subprocess
import sys

import pytest

from . import bulk, replay
from .schedule import Outcome
from .test_simulation import ROOT

WAIT_SECONDS = 60


def test_a_failure_ends_nothing_and_is_told_once(monkeypatch, capsys):
    monkeypatch.setattr(bulk, "_results", lambda parts, *_: ([bad(part[0])] if part[0] else [] for part in parts))
    assert bulk.run_many(0, 3 * bulk.LEAST, 1) == 1
    lines = capsys.readouterr().out.splitlines()
    assert lines[:2] == ["seed 10: after 3 steps: broken", "seed 20: after 3 steps: broken"]
    assert lines[2].startswith("30 schedules, 2 failed, ")


def test_without_a_failure_all_is_well(monkeypatch, capsys):
    monkeypatch.setattr(bulk, "_results", lambda parts, *_: ([] for _ in parts))
    assert bulk.run_many(0, 300, 1) == 0
    assert capsys.readouterr().out.startswith("300 schedules, 0 failed, ")


def test_a_schedule_that_breaks_the_simulation_itself_is_told(monkeypatch):
    monkeypatch.setattr(bulk, "run", lambda seed: {}[seed])
    [found] = bulk.failing(range(7, 8))
    assert (found.seed, found.fault) == (7, "the simulation broke: KeyError: 7")


@pytest.mark.parametrize(("count", "processes"), [(1, 4), (300, 2), (2_000, 8), (1_000_000, 2)])
def test_each_seed_is_in_one_part_and_no_process_has_nothing_to_do(count, processes):
    parts = bulk.parts_of(range(7, 7 + count), processes)
    assert [seed for part in parts for seed in part] == list(range(7, 7 + count))
    assert max(map(len, parts)) <= bulk.PART
    assert len(parts) >= min(count // bulk.LEAST, processes * bulk.PARTS_EACH)


def test_processes_find_together_what_one_finds(capsys):
    assert bulk.run_many(0, 40, 2, "publish-before-commit") == 1
    told = [line for line in capsys.readouterr().out.splitlines() if line.startswith("seed ")]
    assert told == [replay.told(outcome) for outcome in bulk.failing(range(40), "publish-before-commit")]


def test_an_interrupt_ends_the_run_with_its_count():
    command = [sys.executable, "-m", "tests.simulation", "--schedules", "800", "--mutant", "publish-before-commit"]
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
