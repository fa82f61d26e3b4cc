"""Tasks on a page: the user's own only, and followed to the next connection."""

import pytest

from notiway.store.tables import Task
from notiway.store.tasks import SILENCE_MS, WAITING
from notiway.values.audience import Audience
from notiway.values.clock import now_ms
from notiway.verbs.progress import report_progress
from notiway.web.pages import tasks

NAME = "import-progress"


def test_the_page_shows_the_user_s_own_tasks_only(app, heard, browser, user, other, auth):
    with app.app_context():
        report_progress(user.id, "mine", 3, 10, "Row 3", name=NAME)
    page = browser.get("/dashboard").text
    assert '<progress max="100" value="30" aria-label="Contact import">' in page
    assert "notiway-task-mine" not in auth(other).get("/dashboard").text


@pytest.mark.parametrize("name", [NAME, "task-progress"])
def test_a_title_is_the_heading_whatever_the_template_says(app, heard, user, drawn, name):
    report(app, user, name=name, title="Import of <books>")
    bar = drawn(name)
    assert '<strong dir="auto">Import of &lt;books&gt;</strong>' in bar
    assert 'aria-label="Import of &lt;books&gt;"></progress>' in bar
    assert "Contact import" not in bar


def test_following_answers_the_present_state_to_the_owner_only(app, heard, browser, user, other, auth):
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


@pytest.fixture
def drawn(app, user):
    """What a page of the user shows of its tasks; `drawn("import-progress")`."""

    def draw(name):
        with app.test_request_context():
            return str(tasks.draw(user.id, name))

    return draw


def report(app, user, task_id="mine", name=NAME, **options):
    with app.app_context():
        report_progress(user.id, task_id, 3, 10, name=name, **options)


def test_a_page_without_tasks_has_the_place_where_they_appear(drawn):
    assert drawn('<"import>') == ('<div class="notiway notiway-tasks" data-notiway-tasks="&lt;&#34;import&gt;"></div>')


def test_tasks_of_another_kind_are_not_drawn(app, heard, user, drawn):
    report(app, user, name="another-job")
    assert "notiway-task-mine" not in drawn(NAME)
    assert "notiway-task-mine" in drawn("another-job"), (
        "a kind without a template of its own is drawn by the common one"
    )


def test_what_a_job_says_is_drawn_as_the_words_it_is(app, heard, user, drawn):
    report(app, user, message="<script>alert(1)</script>")
    assert "<script>" not in drawn(NAME)
    assert "&lt;script&gt;" in drawn(NAME)


@pytest.mark.parametrize("connection", ["", "x" * 500, "a\0b"])
def test_what_is_no_connection_is_not_followed(app, heard, browser, user, connection):
    report(app, user)
    answer = browser.post("/notifications/tasks/mine/follow", form="json", data={"connection": connection})
    assert (answer.status_code, answer.json["error"]["fields"][0]["path"]) == (400, "connection")


def test_a_page_that_heard_nothing_asks_how_a_task_is(app, heard, browser, user, other, auth):
    report(app, user)
    path = "/notifications/tasks/mine"
    assert 'id="notiway-task-mine"' in browser.get(path, form="htmx").text
    assert browser.get(path, form="json").json["done"] == 3
    assert auth(other).get(path, form="json").status_code == 404


def test_what_has_ended_is_closed_by_its_owner_and_gone_from_pages_that_come_later(
    app, heard, browser, user, other, auth, drawn
):
    path = "/notifications/tasks/mine/close"
    report(app, user)
    assert "data-notiway-close-task" not in drawn(NAME)
    assert browser.post(path, form="json").status_code == 400
    report(app, user, status="completed")
    assert f'action="{path}"' in drawn(NAME)
    assert auth(other).post(path, form="json").status_code == 404
    assert browser.post(path, form="htmx").status_code == 204
    assert "notiway-task-mine" not in drawn(NAME)


def test_without_scripts_closing_leads_back(app, heard, browser, user):
    report(app, user, status="failed")
    answer = browser.post("/notifications/tasks/mine/close")
    assert answer.status_code == 303


def test_one_that_waits_too_long_says_so_and_can_be_closed(app, heard, user, drawn):
    report(app, user, status="queued", message="In the queue")
    assert "data-notiway-close-task" not in drawn(NAME)
    with app.app_context():
        Task.update(updated_at=now_ms() - SILENCE_MS - 1).execute()
    assert "data-notiway-close-task" in drawn(NAME)
    assert WAITING in drawn(NAME)
