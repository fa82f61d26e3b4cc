"""Progress: what is told and how often, and to whom."""

import pytest
from fresh import verbs

from notiway.live import runtime
from notiway.live.limits.pace import Pace
from notiway.ops import jobs
from notiway.store import tasks
from notiway.store.database import db
from notiway.store.tables import Task
from notiway.values.audience import Audience
from notiway.values.clock import now_ms
from notiway.values.errors import InvalidNotification, NotFound
from notiway.verbs.progress import body_of, item_of, report_progress

NAME = "import-progress"


def bodies(heard):
    return [event.data["notification"]["body"] for event in heard]


def test_a_report_reaches_the_user_supersedes_the_one_before_and_is_stored_nowhere(inside, heard, user):
    report_progress(user.id, "t1", 45, 100, "Row 45", name=NAME)
    (event,) = heard
    assert event.audience == f"user:{user.id}"
    assert event.data["coalesce"] == "t1"
    item = event.data["notification"]
    assert (item["name"], item["persisted"], item["message"]) == (NAME, False, "Row 45")
    assert item["body"] == {
        "taskId": "t1", "status": "processing", "progress": 45, "done": 45, "total": 100, "message": "Row 45",
        "secondsLeft": None, "tabOnly": False,
    }  # fmt: skip
    assert tasks.get(user.id, "t1").done == 45


def test_ten_thousand_reports_cost_ten_a_second(inside, heard, user):
    now = [0.0]
    runtime.current().pace._clock = lambda: now[0]
    for number in range(1, 10_001):
        now[0] = number * 0.0005  # five seconds in all
        report_progress(user.id, "t1", number, 10_000, name=NAME)
    assert 40 <= len(heard) <= 52
    assert bodies(heard)[-1]["status"] == "completed"
    assert [body["done"] for body in bodies(heard)] == sorted(body["done"] for body in bodies(heard))


@pytest.mark.parametrize("status", ["queued", "completed", "failed"])
def test_beginning_and_end_are_always_told(inside, heard, user, status):
    report_progress(user.id, "t1", 1, 9)
    report_progress(user.id, "t1", 2, 9)
    report_progress(user.id, "t1", 2, 9, status=status)
    assert [body["status"] for body in bodies(heard)] == ["processing", status]


def test_a_rolled_back_report_is_not_told(inside, heard, user):
    with pytest.raises(RuntimeError), db.atomic():
        report_progress(user.id, "t1", 1, 9)
        raise RuntimeError
    assert heard == []
    with pytest.raises(NotFound):
        tasks.get(user.id, "t1")


def test_time_left_is_told_when_it_can_be_known(inside, user):
    now = now_ms()
    task = Task(id="t", user_id="1", audience="user:1", name=NAME, status="processing", done=25, total=100, message="",
                created_at=now - 10_000, updated_at=now)  # fmt: skip
    assert 30 <= body_of(task)["secondsLeft"] <= 31
    for change in ({"done": 0}, {"total": 0}, {"status": "failed"}, {"created_at": now}):
        other = Task(**(task.__data__ | change))
        assert body_of(other)["secondsLeft"] is None
    assert body_of(Task(**(task.__data__ | {"total": 0})))["progress"] is None


@pytest.mark.parametrize(
    ("report", "paths"),
    [
        ({"status": "sleeping"}, {"status"}),
        ({"done": 11}, {"done"}),
        ({"done": -1}, {"done"}),
        ({"to": Audience.connection("abc")}, {"user_id"}),
        ({"to": "nobody"}, {"to"}),
        ({"task_id": ""}, {"task_id"}),
        ({"task_id": "x" * 201}, {"task_id"}),
        ({"task_id": "a\0b"}, {"task_id"}),
        ({"task_id": 7}, {"task_id"}),
        ({"name": "two words"}, {"name"}),
        ({"name": "x" * 256}, {"name"}),
        ({"name": "Subscribe"}, {"name"}),
        ({"name": None}, {"name"}),
        ({"message": "x" * 2_001}, {"message"}),
        ({"message": "\0"}, {"message"}),
        ({"done": 1.5}, {"done"}),
        ({"done": "1"}, {"done"}),
        ({"done": True}, {"done"}),
        ({"total": 2**63}, {"total"}),
        ({"total": None}, {"total"}),
        ({"user_id": "a\0b", "to": Audience.connection("c")}, {"user_id"}),
        ({"user_id": "x" * 201, "to": Audience.connection("c")}, {"user_id"}),
        (
            {"task_id": "", "name": "-", "message": 5, "done": -1, "status": "sleeping"},
            {"task_id", "name", "message", "done", "status"},
        ),
    ],
)
@pytest.mark.usefixtures("picky")
def test_every_fault_of_a_report_is_named(inside, heard, user, report, paths):
    values = {"to": user.id, "task_id": "t1", "done": 1, "total": 10, **report}
    with pytest.raises(InvalidNotification) as error:
        report_progress(*[values.pop(name) for name in ("to", "task_id", "done", "total")], **values)
    assert {fault.path for fault in error.value.faults} == paths
    assert heard == []
    assert Task.select().count() == 0, "nothing is kept of it"


def test_a_job_may_count_bytes(place):
    with verbs(place) as notebook:
        runtime.current().pace = Pace()
        report_progress("ada", "t1", 5_000_000_000, 2**63 - 1, name=NAME)
        assert (tasks.get("ada", "t1").done, tasks.get("ada", "t1").total) == (5_000_000_000, 2**63 - 1)
        assert bodies(notebook.events)[0]["progress"] == 0


def test_a_title_takes_the_place_of_the_name_and_stays_until_another_is_given(inside, heard, user):
    report_progress(user.id, "t1", 1, 10, name=NAME, title="Import of books.csv")
    report_progress(user.id, "t1", 0, 0, status="queued", name=NAME)
    report_progress(user.id, "t1", 10, 10, name=NAME, title="Import of films.csv")
    shown = [event.data["notification"] for event in heard]
    titles = ["Import of books.csv", "Import of books.csv", "Import of films.csv"]
    assert [item["title"] for item in shown] == [item["body"]["title"] for item in shown] == titles
    task = tasks.get(user.id, "t1")
    assert item_of(task).title == body_of(task)["title"] == titles[-1]


def test_without_a_title_the_template_chooses(inside, heard, user):
    report_progress(user.id, "t1", 1, 10, name=NAME)
    assert heard[0].data["notification"]["title"] == "Import progress"
    assert "title" not in bodies(heard)[0]


@pytest.mark.parametrize("title", ["", " ", "x" * 201, "\0", 7])
def test_a_title_is_checked(inside, heard, user, title):
    with pytest.raises(InvalidNotification) as error:
        report_progress(user.id, "t1", 1, 10, title=title)
    assert [fault.path for fault in error.value.faults] == ["title"]


def test_nobody_reports_into_another_user_s_task(inside, heard, user, other):
    report_progress(user.id, "t1", 1, 10)
    with pytest.raises(NotFound):
        report_progress(other.id, "t1", 2, 10, status="failed")
    assert tasks.get(user.id, "t1").status == "processing"
    with pytest.raises(NotFound):
        tasks.get(other.id, "t1")


def test_a_job_of_one_tab_follows_that_tab_to_its_next_connection(inside, heard, user):
    report_progress(Audience.connection("first"), "t1", 1, 10, name=NAME, user_id=user.id)
    tasks.follow(user.id, "t1", "connection:second")
    report_progress(Audience.connection("first"), "t1", 10, 10, name=NAME, user_id=user.id)
    assert [event.audience for event in heard] == ["connection:first", "connection:second"]
    assert bodies(heard)[0]["tabOnly"]
    assert tasks.standing(user.id, NAME) == []


def test_old_tasks_go_with_the_cleanup(inside, heard, user):
    report_progress(user.id, "t1", 1, 10)
    Task.update(updated_at=now_ms() - 91 * 24 * 60 * 60 * 1000).execute()
    jobs.clean_up()
    assert Task.select().count() == 0
