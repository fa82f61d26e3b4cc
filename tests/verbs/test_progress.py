"""Progress: what is told and how often, what a reload finds, and the demo's import."""

import pytest

from notiway.host import contacts
from notiway.host.tables import Contact
from notiway.live import runtime
from notiway.ops import jobs
from notiway.store import tasks
from notiway.store.database import db
from notiway.store.tables import Task
from notiway.values.audience import Audience
from notiway.values.clock import now_ms
from notiway.values.errors import InvalidNotification, NotFound
from notiway.verbs.progress import body_of, report_progress

NAME = "import-progress"


@pytest.fixture
def told(app, monkeypatch):
    """The events that left this process."""
    events = []
    monkeypatch.setattr(app.extensions["notiway"].broker, "publish", events.append)
    return events


@pytest.fixture
def inside(app):
    with app.app_context():
        yield
    if not db.is_closed():
        db.close()


def bodies(told):
    return [event.data["notification"]["body"] for event in told]


def test_a_report_reaches_the_user_supersedes_the_one_before_and_is_stored_nowhere(inside, told, user):
    report_progress(user.id, "t1", 45, 100, "Row 45", name=NAME)
    (event,) = told
    assert event.audience == f"user:{user.id}"
    assert event.data["coalesce"] == "t1"
    item = event.data["notification"]
    assert (item["name"], item["persisted"], item["message"]) == (NAME, False, "Row 45")
    assert item["body"] == {
        "taskId": "t1", "status": "processing", "progress": 45, "done": 45, "total": 100, "message": "Row 45",
        "secondsLeft": None, "tabOnly": False,
    }  # fmt: skip
    assert tasks.get(user.id, "t1").done == 45


def test_ten_thousand_reports_cost_ten_a_second(inside, told, user):
    now = [0.0]
    runtime.current().pace._clock = lambda: now[0]
    for number in range(1, 10_001):
        now[0] = number * 0.0005  # five seconds in all
        report_progress(user.id, "t1", number, 10_000, name=NAME)
    assert 40 <= len(told) <= 52
    assert bodies(told)[-1]["status"] == "completed"
    assert [body["done"] for body in bodies(told)] == sorted(body["done"] for body in bodies(told))


@pytest.mark.parametrize("status", ["queued", "completed", "failed"])
def test_beginning_and_end_are_always_told(inside, told, user, status):
    report_progress(user.id, "t1", 1, 9)
    report_progress(user.id, "t1", 2, 9)
    report_progress(user.id, "t1", 2, 9, status=status)
    assert [body["status"] for body in bodies(told)] == ["processing", status]


def test_a_rolled_back_report_is_not_told(inside, told, user):
    with pytest.raises(RuntimeError), db.atomic():
        report_progress(user.id, "t1", 1, 9)
        raise RuntimeError
    assert told == []
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
    ],
)
def test_every_fault_of_a_report_is_named(inside, told, user, report, paths):
    values = {"to": user.id, "done": 1, **report}
    with pytest.raises(InvalidNotification) as error:
        report_progress(values.pop("to"), "t1", values.pop("done"), 10, **values)
    assert {fault.path for fault in error.value.faults} == paths
    assert told == []


def test_nobody_reports_into_another_user_s_task(inside, told, user, other):
    report_progress(user.id, "t1", 1, 10)
    with pytest.raises(NotFound):
        report_progress(other.id, "t1", 2, 10, status="failed")
    assert tasks.get(user.id, "t1").status == "processing"
    with pytest.raises(NotFound):
        tasks.get(other.id, "t1")


def test_a_job_of_one_tab_follows_that_tab_to_its_next_connection(inside, told, user):
    report_progress(Audience.connection("first"), "t1", 1, 10, name=NAME, user_id=user.id)
    tasks.follow(user.id, "t1", "connection:second")
    report_progress(Audience.connection("first"), "t1", 10, 10, name=NAME, user_id=user.id)
    assert [event.audience for event in told] == ["connection:first", "connection:second"]
    assert bodies(told)[0]["tabOnly"]
    assert tasks.standing(user.id, NAME) == []


def test_a_job_of_all_tabs_cannot_be_turned_into_one_tab_s(inside, told, user):
    report_progress(user.id, "t1", 1, 10, name=NAME)
    assert tasks.follow(user.id, "t1", "connection:mine").audience == f"user:{user.id}"


def test_a_task_whose_process_died_is_shown_as_failed(inside, told, user):
    report_progress(user.id, "t1", 1, 10, name=NAME)
    Task.update(updated_at=now_ms() - tasks.SILENCE_MS - 1).execute()
    (task,) = tasks.standing(user.id, NAME)
    assert (task.status, task.message) == ("failed", tasks.SILENT)
    assert not tasks.is_running(user.id, NAME)


def test_old_tasks_go_with_the_cleanup(inside, told, user):
    report_progress(user.id, "t1", 1, 10)
    Task.update(updated_at=now_ms() - 91 * 24 * 60 * 60 * 1000).execute()
    jobs.clean_up()
    assert Task.select().count() == 0


# The demo's import


@pytest.fixture
def quick(monkeypatch):
    monkeypatch.setattr(contacts, "PAUSE_SECONDS", 0)


def run(user, data):
    task_id, to = contacts.announce(user.id)
    contacts.import_contacts(task_id, user.id, to, data)
    return tasks.get(user.id, task_id)


def test_ten_thousand_rows_are_imported(inside, told, user, quick):
    task = run(user, contacts.sample())
    assert (task.status, task.done, task.total, task.message) == (
        "completed",
        10_000,
        10_000,
        "10,000 contacts imported",
    )
    assert contacts.how_many(user.id) == 10_000
    assert [body["status"] for body in bodies(told)][:1] == ["queued"]
    again = run(user, contacts.sample())
    assert (again.status, contacts.how_many(user.id)) == ("completed", 10_000)


def test_a_broken_row_fails_with_its_number_and_says_what_was_imported(inside, told, user, quick):
    task = run(user, contacts.sample(broken_row=6_204))
    assert task.status == "failed"
    assert task.message == "Row 6,204: 'nobody' is no e-mail address. 6,200 rows were imported."
    assert contacts.how_many(user.id) == 6_200
    assert bodies(told)[-1]["status"] == "failed"


@pytest.mark.parametrize(
    ("data", "message"),
    [
        (b"\xff\xfe", "not UTF-8"),
        (b"", "must name the columns"),
        (b"email,name\na@b,x\n", "city is missing"),
        (b"email,name,city\n", "no rows"),
        (b'email,name,city\n"a@b,x', "no CSV"),
        (b"email,name,city\n" + b"a@b,x,y\n" * 20_001, "more than 20,000"),
        (b"email,name,city\na@b," + b"x" * 201 + b",y\n", "Row 1: a field has more than 200"),
        (b"email,name,city\na@b\n@b,x,y\n", "Row 2: '@b' is no e-mail address"),
    ],
)
def test_a_file_that_is_none_fails_with_the_reason(inside, told, user, quick, data, message):
    task = run(user, data)
    assert task.status == "failed"
    assert message in task.message


def test_the_same_address_twice_counts_once(inside, told, user, quick):
    run(user, "\ufeffemail,name,city\nA@b,Old,x\na@B,New,Łódź\n".encode())
    assert [(row.email, row.name, row.city) for row in Contact.select()] == [("a@b", "New", "Łódź")]


def test_a_fault_of_ours_is_told_too(inside, told, user, monkeypatch):
    monkeypatch.setattr(contacts, "_store", lambda *_: 1 / 0)
    with pytest.raises(ZeroDivisionError):
        run(user, contacts.sample())
    assert bodies(told)[-1]["status"] == "failed"


# The pages


def start(browser, form="htmx", **fields):
    return browser.post("/dashboard/import", form=form, data={"source": "sample", **fields})


def test_the_form_puts_the_import_on_the_queue_and_a_reload_shows_it_waiting(app, browser):
    assert start(browser).status_code == 202
    assert len(app.extensions["notiway"].huey) == 1
    page = browser.get("/dashboard").text
    assert 'data-status="queued"' in page
    assert start(browser).status_code == 409
    assert start(browser, form="page").status_code == 303


def test_the_form_wants_a_file_where_one_is_to_be_imported(app, browser):
    assert start(browser, source="file").status_code == 422
    assert len(app.extensions["notiway"].huey) == 0


def test_the_page_shows_the_user_s_own_tasks_only(app, told, browser, user, other, auth):
    with app.app_context():
        report_progress(user.id, "mine", 3, 10, "Row 3", name=NAME)
    page = browser.get("/dashboard").text
    assert '<progress max="100" value="30" aria-label="Contact import">' in page
    assert "notiway-task-mine" not in auth(other).get("/dashboard").text


def test_following_answers_the_present_state_to_the_owner_only(app, told, browser, user, other, auth):
    with app.app_context():
        report_progress(Audience.connection("first"), "mine", 3, 10, name=NAME, user_id=user.id)
    path = "/notifications/tasks/mine/follow"
    assert (
        'data-notiway-follow="/notifications/tasks/mine/follow"'
        in browser.post(path, form="htmx", data={"connection": "x"}).text
    )
    assert browser.post(path, form="json", data={"connection": "x"}).json["done"] == 3
    assert browser.post(path, form="json", data={}).status_code == 400
    assert auth(other).post(path, form="json", data={"connection": "x"}).status_code == 404
    assert browser.post(path, form="json", csrf=False, data={"connection": "x"}).status_code in (400, 403)


def test_the_sample_can_be_downloaded(browser):
    response = browser.get("/dashboard/sample.csv")
    assert response.mimetype == "text/csv"
    assert len(contacts.read(response.data)) == 10_000
