"""Tasks: how far a long job has come, for its owner only."""

import pytest
from fresh import fresh_database

from notiway.store import tasks
from notiway.store.tables import Task
from notiway.values.clock import now_ms
from notiway.values.errors import NotFound, WrongInput

NAME = "import-progress"


@pytest.fixture(autouse=True)
def database(place):
    with fresh_database(place) as opened:
        yield opened


def save(task_id="t1", user_id="ada", *, audience=None, name=NAME, status="processing", done=1, message=""):
    audience = audience or f"user:{user_id}"
    values = {"audience": audience, "name": name, "status": status, "done": done, "total": 10, "message": message}
    return tasks.save(task_id, user_id=user_id, **values)


def age(milliseconds):
    Task.update(updated_at=now_ms() - milliseconds).execute()


def test_a_later_report_takes_the_place_of_the_one_before():
    began = save(status="queued", done=0).created_at
    stored = save(done=5, message="Row 5")
    assert (stored.status, stored.done, stored.total, stored.message) == ("processing", 5, 10, "Row 5")
    assert stored.created_at == began
    assert tasks.get("ada", "t1").done == 5
    assert Task.select().count() == 1


@pytest.mark.parametrize("change", [{"user_id": "bob"}, {"name": "another-job"}])
def test_nobody_reports_into_somebody_else_s_task(change):
    save()
    with pytest.raises(NotFound):
        save(**change, status="failed")
    assert tasks.get("ada", "t1").status == "processing"


@pytest.mark.parametrize(("user_id", "task_id"), [("bob", "t1"), ("ada", "t2")])
def test_only_the_owner_finds_a_task(user_id, task_id):
    save()
    with pytest.raises(NotFound):
        tasks.get(user_id, task_id)
    with pytest.raises(NotFound):
        tasks.follow(user_id, task_id, "connection:mine")


def test_a_page_shows_the_newest_three_of_one_kind():
    for number in range(5):
        save(f"t{number}")
        Task.update(created_at=number).where(Task.id == f"t{number}").execute()
    save("theirs", "bob")
    save("another", name="another-job")
    save("one tab", audience="connection:c")
    assert [task.id for task in tasks.standing("ada", NAME)] == ["t4", "t3", "t2"]


@pytest.mark.parametrize(("milliseconds", "shown"), [(tasks.SHOWN_MS - 60_000, 1), (tasks.SHOWN_MS + 1, 0)])
def test_what_ended_a_day_ago_is_shown_no_more(milliseconds, shown):
    save(status="completed")
    age(milliseconds)
    assert len(tasks.standing("ada", NAME)) == shown


@pytest.mark.parametrize(
    ("status", "running"), [("queued", True), ("processing", True), ("completed", False), ("failed", False)]
)
def test_a_task_runs_until_it_ends(status, running):
    save(status=status)
    assert tasks.is_running("ada", NAME) is running
    assert not tasks.is_running("bob", NAME)
    assert not tasks.is_running("ada", "another-job")


def test_a_task_whose_process_died_is_shown_as_failed():
    save()
    age(tasks.SILENCE_MS + 1)
    (task,) = tasks.standing("ada", NAME)
    assert (task.status, task.message) == ("failed", tasks.SILENT)
    assert tasks.get("ada", "t1").status == "failed"
    assert not tasks.is_running("ada", NAME)


def test_a_task_that_waits_for_a_worker_has_not_died_but_is_told_to_wait_long():
    save(status="queued", message="In the queue")
    assert tasks.get("ada", "t1").message == "In the queue"
    age(tasks.SILENCE_MS + 1)
    task = tasks.get("ada", "t1")
    assert (task.status, task.message) == ("queued", tasks.WAITING)
    assert [each.message for each in tasks.standing("ada", NAME)] == [tasks.WAITING]


def test_a_task_that_a_job_took_up_can_die_before_its_first_report():
    save(status="queued")
    save("t2", status="completed")
    tasks.begin(["t1", "t2", "nothing"])
    assert [tasks.get("ada", each).status for each in ("t1", "t2")] == ["processing", "completed"]
    age(tasks.SILENCE_MS + 1)
    assert (tasks.get("ada", "t1").status, tasks.get("ada", "t1").message) == ("failed", tasks.SILENT)


def test_what_still_runs_is_found_by_id():
    for task_id, status in (("t1", "queued"), ("t2", "processing"), ("t3", "completed"), ("t4", "failed")):
        save(task_id, status=status)
    assert [task.id for task in tasks.running(["t1", "t2", "t3", "t4", "t5"])] == ["t1", "t2"]


@pytest.mark.parametrize("status", ["completed", "failed"])
def test_a_task_that_has_ended_can_be_closed_by_its_owner_only(status):
    save(status=status)
    with pytest.raises(NotFound):
        tasks.close("bob", "t1")
    tasks.close("ada", "t1")
    with pytest.raises(NotFound):
        tasks.get("ada", "t1")


@pytest.mark.parametrize("status", tasks.RUNNING)
def test_a_task_that_runs_is_not_closed_until_nobody_hears_of_it(status):
    save(status=status)
    with pytest.raises(WrongInput):
        tasks.close("ada", "t1")
    age(tasks.SILENCE_MS + 1)
    tasks.close("ada", "t1")
    assert tasks.standing("ada", NAME) == []


def test_a_job_of_one_tab_follows_that_tab_to_its_next_connection():
    save(audience="connection:first")
    assert tasks.follow("ada", "t1", "connection:second").audience == "connection:second"
    assert save(audience="connection:first", done=2).audience == "connection:second", "the job knows the old one only"


def test_a_job_of_all_tabs_cannot_be_turned_into_one_tab_s():
    save()
    assert tasks.follow("ada", "t1", "connection:mine").audience == "user:ada"
