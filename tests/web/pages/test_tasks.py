"""Tasks on a page: the user's own only, and followed to the next connection."""

from notiway.values.audience import Audience
from notiway.verbs.progress import report_progress

NAME = "import-progress"


def test_the_page_shows_the_user_s_own_tasks_only(app, heard, browser, user, other, auth):
    with app.app_context():
        report_progress(user.id, "mine", 3, 10, "Row 3", name=NAME)
    page = browser.get("/dashboard").text
    assert '<progress max="100" value="30" aria-label="Contact import">' in page
    assert "notiway-task-mine" not in auth(other).get("/dashboard").text


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
