"""Background work runs once, inside the application, wherever the consumer is."""

import os
import signal
import subprocess
import sys
import threading
from contextlib import closing
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from conftest import SECRET_KEY
from consumer_process import TASKS
from servers import redis_server, wait_until

from notiway.live import runtime
from notiway.ops import jobs
from notiway.store import tasks
from notiway.store.search import catalogue
from notiway.store.search.filters import Filters
from notiway.store.tables import Notification
from notiway.values.clock import DAY_MS, now_ms
from notiway.values.config import Config
from notiway.values.ids import id_floor
from notiway.verbs import progress
from notiway.verbs.progress import report_progress

ROOT = Path(__file__).resolve().parents[2]
ENVIRON = os.environ | {"PYTHONPATH": str(ROOT)}
SCRIPT = ROOT / "tests" / "consumer_process.py"
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
    huey.storage.close()


@pytest.fixture
def daily_task(huey):
    return huey.periodic_task(jobs.daily(3), name="daily", once_per="day")(lambda: None).task_class()


def test_of_three_processes_one_runs_each_periodic_task(queue_url, tmp_path):
    results = tmp_path / "results"
    command = [sys.executable, str(SCRIPT), queue_url, str(results)]
    processes = [
        subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, env=ENVIRON)
        for _ in range(3)
    ]
    try:
        for process in processes:
            process.stdin.write("go\n")
            process.stdin.flush()
        assert [process.stdout.readline() for process in processes] == ["checked\n"] * 3
        wait_until(lambda: results.exists() and len(results.read_text().splitlines()) >= TASKS)
        with closing(jobs.build_huey(Config(jobs_url=queue_url)).storage) as queue:
            assert queue.queue_size() == 0
    finally:
        for process in processes:
            process.communicate(timeout=60)
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
    with closing(forger.storage):
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


@pytest.mark.parametrize("url", ["unix:///run/redis.sock", "rediss://h:6379/0", "redis+sentinel://a:26379,b/main"])
def test_every_form_of_the_brokers_url_is_one_for_the_queue(url):
    assert jobs.build_huey(Config(broker_url=url)).storage.queue_key == "huey.redis.notiway"


@pytest.fixture
def old(app, user, send):
    """Whether the notification from a year ago is still there."""
    at = now_ms() - 365 * DAY_MS
    long_ago = id_floor(at)
    values = send(user).__data__ | {"id": long_ago, "created_at": at}
    with app.app_context():
        Notification.insert(**values).execute()

    def still_there():
        with app.app_context():
            return Notification.select().where(Notification.id == long_ago).exists()

    assert still_there()
    return still_there


def test_the_daily_cleanup_runs_by_itself_and_touches_no_signal_of_the_process(app, old):
    huey = app.extensions["notiway"].huey
    huey._get_timestamp = lambda: NOON
    signals = [signal.getsignal(number) for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)]
    consumer = jobs.start_consumer(huey, app)
    try:
        wait_until(lambda: not old())
    finally:
        consumer.stop()
    assert [signal.getsignal(number) for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)] == signals


def test_what_expires_is_removed_every_hour(app, user, send):
    huey = app.extensions["notiway"].huey
    huey._get_timestamp = lambda: NOON.replace(hour=1)  # before the hour of the daily cleanup
    expired = send(user, expires_at=datetime.now(UTC) + timedelta(days=1)).id
    with app.app_context():
        Notification.update(expires_at=1).where(Notification.id == expired).execute()

    def is_gone():
        with app.app_context():
            return not Notification.select().where(Notification.id == expired).exists()

    consumer = jobs.start_consumer(huey, app)
    try:
        wait_until(is_gone)
    finally:
        consumer.stop()


def test_an_hourly_task_runs_once_in_each_hour(huey):
    task = huey.periodic_task(jobs.always, name="hourly", once_per="hour")(lambda: None).task_class()
    minutes = (0, 1, 59, 60, 61)
    claims = [jobs.claim(huey, task, NOON + timedelta(minutes=each)) for each in minutes]
    assert claims == ["once.hourly.2026-01-15T12", None, None, "once.hourly.2026-01-15T13", None]
    assert all(jobs.always(NOON + timedelta(minutes=each)) for each in minutes)


def test_a_worker_that_dies_is_replaced(app, monkeypatch):
    monkeypatch.setattr(jobs, "HEALTH_SECONDS", 0.05)
    huey = app.extensions["notiway"].huey
    done = threading.Event()
    die = huey.task(name="die")(lambda: sys.exit())
    live = huey.task(name="live")(lambda: done.set())
    consumer = jobs.start_consumer(huey, app)
    try:
        die()
        live()
        assert done.wait(20)
    finally:
        consumer.stop()


def test_large_inboxes_that_are_searched_are_listed_by_a_task(app, user, send):
    send(user, "Hi")
    run_by_name = app.extensions["notiway"].huey._registry.string_to_task
    with app.app_context():
        catalogue.ask(user.id)
        assert catalogue.look_up(user.id, Filters(type="error"), None) is None
    run_by_name("notiway.ops.jobs.list_inboxes")().execute()
    with app.app_context():
        assert catalogue.look_up(user.id, Filters(type="error"), None) == []
        assert len(catalogue.look_up(user.id, Filters(type="info"), None)) == 1


@pytest.mark.server
def test_the_worker_command_does_the_work_and_ends_on_sigterm(app, old):
    url = app.extensions["notiway"].config.database_url
    environ = os.environ | {"NOTIWAY_DATABASE_URL": url, "NOTIWAY_JOBS": "worker", "SECRET_KEY": SECRET_KEY}
    app.extensions["notiway"].huey.enqueue(
        app.extensions["notiway"].huey._registry.string_to_task("notiway.ops.jobs.clean_up")()
    )
    worker = subprocess.Popen(
        [sys.executable, "-m", "flask", "--app", "app", "notiway", "worker"], env=environ, cwd=ROOT
    )
    try:
        wait_until(lambda: not old())
        worker.send_signal(signal.SIGTERM)
        assert worker.wait(20) == 0
    finally:
        worker.kill()
        worker.wait()


@pytest.fixture
def run_job(app, user):
    """Registers a job, puts it on the queue with arguments, and lets the consumer take it."""

    def run(job, *arguments):
        running = app.extensions["notiway"]
        jobs.add(app, job)
        with app.app_context():
            jobs.enqueue(job, *arguments)
        running.huey.execute(running.huey.dequeue())

    return run


def state(app, user, task_id):
    with app.app_context():
        task = tasks.get(user.id, task_id)
        return task.status, task.message, task.done


def report(app, user, task_id, done, **options):
    with app.app_context():
        report_progress(user.id, task_id, done, 10, **options)


def test_a_job_that_raises_before_its_first_report_has_failed(app, user, run_job):
    report(app, user, "t1", 0, status="queued")

    def fail_at_once(task_id):
        raise RuntimeError("no such file")

    run_job(fail_at_once, "t1")
    assert state(app, user, "t1") == ("failed", progress.STOPPED, 0)


def test_a_job_that_raises_later_has_failed_where_it_was(app, user, run_job):
    def fail_at_three(user_id):
        for number in (1, 2, 3):
            report_progress(user_id, "made by the job", number, 10)
        raise SystemExit

    with pytest.raises(SystemExit):
        run_job(fail_at_three, user.id)
    assert state(app, user, "made by the job")[:2] == ("failed", progress.STOPPED)


def test_a_job_that_told_its_failure_itself_keeps_its_words(app, user, run_job):
    def fail_with_words(task_id, user_id):
        report_progress(user_id, task_id, 4, 10, "Row 4 has no address", status="failed")
        raise ValueError

    run_job(fail_with_words, "t1", user.id)
    assert state(app, user, "t1") == ("failed", "Row 4 has no address", 4)


def test_a_job_that_has_begun_is_not_waiting_any_more(app, user, run_job):
    report(app, user, "t1", 0, status="queued")
    report(app, user, "t2", 0, status="queued")
    run_job(lambda task_id: None, "t1")
    assert [state(app, user, each)[0] for each in ("t1", "t2")] == ["processing", "queued"]


def test_the_fault_of_a_job_is_not_hidden_by_one_of_telling_it(app, user, run_job, monkeypatch, caplog):
    report(app, user, "t1", 0, status="queued")
    monkeypatch.setattr(tasks, "running", lambda ids: 1 / 0)

    def fail_at_once(task_id):
        raise RuntimeError("no such file")

    run_job(fail_at_once, "t1")
    assert "no such file" in caplog.text
    assert "could not be marked" in caplog.text


def test_a_job_of_the_application_has_a_time_limit(make_app):
    app = make_app(NOTIWAY_JOB_SECONDS=7)
    jobs.add(app, import_contacts)
    with app.app_context():
        huey = runtime.current().huey
        jobs.enqueue(import_contacts)
        assert huey.dequeue().timeout == 7


def import_contacts():
    """A job."""
