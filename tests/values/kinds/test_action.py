"""Action: a button, and the name that is made from its label."""

import pytest

from notiway.values.kinds.action import NAME_LIMIT, Action, name_of


def test_an_action_is_a_link_unless_it_says_otherwise():
    assert Action("Track it", "/orders/7").as_dict() == {
        "name": "track-it",
        "label": "Track it",
        "url": "/orders/7",
        "method": "get",
        "style": "secondary",
    }


def test_a_name_that_is_given_stays():
    assert Action("Genehmigen", method="post", name="approve").as_dict()["name"] == "approve"


@pytest.mark.parametrize(
    ("label", "name"),
    [
        ("Approve", "approve"),
        ("  Say NO!  ", "say-no"),
        ("承認", ""),
        ("x" * 90, "x" * NAME_LIMIT),
        ("a" * 39 + " b", "a" * 39),
    ],
)
def test_the_name_that_a_label_makes(label, name):
    assert name_of(label) == name
