"""The use cases of the dashboard: the cards that publish, and the import."""

from notiway.host import contacts


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


def test_the_sample_can_be_downloaded(browser):
    response = browser.get("/dashboard/sample.csv")
    assert response.mimetype == "text/csv"
    assert len(contacts.read(response.data)) == 10_000
