"""The parts of the simulated world that the schedules rest on."""

from __future__ import annotations

import sys
import time

import pytest

from . import speech, stand_ins
from .clock import Clock
from .replay import fewest_steps
from .schedule import run, simulating
from .sockets import Line
from .tasks import Crash, Tasks


def test_a_line_takes_what_it_has_room_for():
    line = Line(1, room=4)
    assert line.send(b"abcdef") == 4
    with pytest.raises(BlockingIOError):
        line.send(b"g")
    line.outgoing.clear()
    assert line.send(b"ef") == 2


def test_a_broken_line_fails_on_both_ways():
    line = Line(1, room=4)
    line.is_broken = True
    with pytest.raises(OSError):
        line.send(b"a")
    with pytest.raises(OSError):
        line.recv(1)


def test_frames_are_read_when_they_are_whole():
    data = bytearray(b"\x81\x02hi\x81\x05hel")
    assert list(speech.frames(data)) == [(1, b"hi")]
    data += b"lo"
    assert list(speech.frames(data)) == [(1, b"hello")]


def test_a_task_goes_on_where_it_paused_and_ends_with_its_process():
    tasks, done = Tasks(), []

    def work():
        done.append("begun")
        tasks.pause()
        done.append("gone on")
        try:
            tasks.pause()
        except Crash:
            done.append("crashed")
            raise

    tasks.spawn("process", work)
    tasks.run(0)
    tasks.run(0)
    assert done == ["begun", "gone on"]
    assert tasks.kill("process") == 1
    assert done == ["begun", "gone on", "crashed"]
    assert not tasks.ready


def test_the_clock_moves_only_when_it_is_moved():
    clock = Clock()
    before = clock.time_ns()
    clock.us += 1_500
    assert clock.time_ns() - before == 1_500_000
    assert clock.now_ms() == before // 1_000_000 + 1


def test_nothing_of_notiway_reads_a_real_clock_in_a_schedule():
    clocks = {id(each) for each in (time, time.monotonic, time.time, time.time_ns, time.sleep, time.perf_counter)}
    with simulating():
        modules = [module for name, module in sys.modules.items() if name.partition(".")[0] == "notiway"]
        held = [
            f"{module.__name__}.{key}"
            for module in modules
            for key, value in vars(module).items()
            if id(value) in clocks
        ]
        held += [each.__qualname__ for each in stand_ins.functions() if clocks & set(map(id, each.__defaults__ or ()))]
    assert held == []


def test_a_failing_schedule_is_cut_down_to_the_steps_it_needs():
    with simulating("publish-before-commit"):
        failing = next(outcome for outcome in map(run, range(100)) if outcome.fault)
        fewest = fewest_steps(failing.seed)
        assert fewest is not None
        assert fewest <= failing.steps
        assert run(failing.seed, steps_at_most=fewest).fault
