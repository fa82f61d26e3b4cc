"""Background work runs once, inside the application, wherever the consumer is."""

import subprocess
import sys
import threading
from datetime import datetime, timedelta
from pathlib import Path

import pytest
from consumer_process import TASKS
from servers import redis_server, wait_until

from notiway import jobs
from notiway.config import Config

SCRIPT = Path(__file__).with_name("consumer_process.py")
NOON = datetime(2026, 1, 15, 12, 0)  # noqa: DTZ001 - huey's times are UTC without a zone


@pytest.fixture(scope="module")
def redis_url():
    with redis_server() as url:
        yield url


@pytest.fixture(params=["sqlite", pytest.param("redis", marks=pytest.mark.redis)])
def queue_url(request, tmp_path):
    if request.param == "sqlite":
        return f"sqlite:///{tmp_path}/jobs.db"
    url = request.getfixturevalue("redis_url")
    jobs.build_huey(Config(jobs_url=url)).storage.flush_all()
    return url


@pytest.fixture
def huey(queue_url):
    huey = jobs.build_huey(Config(jobs_url=queue_url), secret="a secret of this test")
    yield huey
    if hasattr(huey.storage, "close"):
        huey.storage.close()


@pytest.fixture
def daily_task(huey):
    return huey.periodic_task(jobs.daily(3), name="daily", once_per="day")(lambda: None).task_class()


def test_of_three_processes_one_runs_each_periodic_task(queue_url, tmp_path):
    results = tmp_path / "results"
    command = [sys.executable, str(SCRIPT), queue_url, str(results)]
    processes = [subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) for _ in range(3)]
    try:
        for process in processes:
            process.stdin.write("go\n")
            process.stdin.flush()
        assert [process.stdout.readline() for process in processes] == ["checked\n"] * 3
        wait_until(lambda: results.exists() and len(results.read_text().splitlines()) >= TASKS)
        assert jobs.build_huey(Config(jobs_url=queue_url)).storage.queue_size() == 0
    finally:
        for process in processes:
            process.communicate(timeout=20)
    assert [process.returncode for process in processes] == [0, 0, 0]
    ran = sorted(line.split()[0] for line in results.read_text().splitlines())
    assert ran == sorted(f"task{number}" for number in range(TASKS))


def test_one_claim_is_won_in_each_period(huey, daily_task):
    claims = [jobs.claim(huey, daily_task, NOON + timedelta(hours=hours)) for hours in (0, 1, 11, 12, 13, 36)]
    assert claims == ["once.daily.2026-01-15", None, None, "once.daily.2026-01-16", None, "once.daily.2026-01-17"]


def test_claims_of_the_past_are_cleaned_up(huey, daily_task):
    for days in range(5):
        jobs.claim(huey, daily_task, NOON + timedelta(days=days))
    assert sorted(huey.storage.result_items()) == ["once.daily.2026-01-18", "once.daily.2026-01-19"]


def test_a_machine_whose_clock_is_behind_does_not_run_yesterdays_task_again(huey, daily_task):
    for moment in (NOON, NOON + timedelta(days=1)):
        jobs.claim(huey, daily_task, moment)
    assert jobs.claim(huey, daily_task, NOON) is None


def test_a_claim_is_given_back_when_the_task_cannot_be_queued(huey, daily_task, monkeypatch):
    def fail(task):
        raise OSError("the disk is full")

    scheduler = jobs.OnceScheduler(huey, threading.Event(), 1, True)
    with monkeypatch.context() as broken:
        broken.setattr(huey, "enqueue", fail)
        scheduler.enqueue_periodic_tasks(NOON)
    assert huey.storage.queue_size() == 0
    scheduler.enqueue_periodic_tasks(NOON)
    assert huey.storage.queue_size() == 1


@pytest.mark.parametrize(("hour", "runs"), [(0, False), (2, False), (3, True), (23, True)])
def test_a_daily_task_runs_from_its_hour_on(hour, runs):
    assert jobs.daily(3)(NOON.replace(hour=hour)) is runs


def test_a_task_that_somebody_else_put_on_the_queue_is_not_even_unpickled(huey, queue_url):
    forger = jobs.build_huey(Config(jobs_url=queue_url), secret="not ours")
    forger.task(name="daily")(lambda: None)()
    with pytest.raises(ValueError, match="mismatch"):
        huey.dequeue()


def test_the_queue_lies_beside_the_database_by_default(tmp_path):
    huey = jobs.build_huey(Config(database_url=f"sqlite:///{tmp_path}/here/notiway.db"))
    assert huey.storage.filename == str(tmp_path / "here" / "jobs.db")


def test_the_queue_lies_in_the_instance_folder_when_the_database_is_a_server(tmp_path):
    huey = jobs.build_huey(Config(database_url="postgresql://db/notiway"), folder=tmp_path)
    assert huey.storage.filename == str(tmp_path / "jobs.db")


def test_the_queue_is_in_redis_when_the_broker_is(redis_url):
    huey = jobs.build_huey(Config(broker_url=redis_url))
    assert huey.storage.queue_size() == 0
    assert huey.storage.queue_key == "huey.redis.notiway"
