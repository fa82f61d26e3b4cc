"""The dashboard's demo, and what every page of the host carries."""

import re
from urllib.parse import parse_qs, urlsplit

import pytest

TYPES = ("info", "success", "warning", "error")


def test_home_leads_to_the_dashboard_and_strangers_to_the_sign_in_page(browser, visitor):
    assert browser.get("/").location == "/dashboard"
    assert visitor.get("/dashboard").location == "/login?next=%2Fdashboard"


def test_there_is_one_send_button_for_each_type_and_it_works_without_javascript(browser):
    page = browser.get("/dashboard").text
    assert "Send one. Watch it arrive." in page
    actions = [
        action.replace("&amp;", "&") for action in re.findall(r'<form class="sample[^>]* action="([^"]+)"', page)
    ]
    assert [parse_qs(urlsplit(action).query)["type"] for action in actions] == [[name] for name in TYPES]
    for action in actions:
        response = browser.post(action, headers={"Referer": "http://localhost/dashboard"})
        assert (response.status_code, response.location) == (303, "/dashboard")
    listed = browser.get("/notifications", form="json").json["notifications"]
    assert [item["type"] for item in listed] == list(TYPES[::-1])


@pytest.mark.parametrize("path", ["/dashboard", "/account", "/notifications", "/no-such-page"])
def test_every_page_of_a_signed_in_user_has_the_bell(browser, path):
    page = browser.get(path).text
    assert page.count("data-notiway-bell") == 1
    assert '<nav class="links"' in page


def test_the_sign_in_page_has_no_bell(visitor):
    assert "data-notiway-bell" not in visitor.get("/login").text
