"""Addresses: a path on this site is kept, anything that leads elsewhere is refused."""

import pytest

from notiway.values.text.urls import local_path, path_of_referrer


@pytest.mark.parametrize(
    "path", ["/", "/notifications?state=unread&text=a%20b", "/a//b", "/n/1#x", "/%09/x", "/?u=http://x"]
)
def test_a_path_on_this_site_is_kept(path):
    assert local_path(path) == path


@pytest.mark.parametrize(
    "target",
    [
        None,
        "",
        "//evil.example",
        "///evil.example",
        "/\\evil.example",
        "\\\\evil.example",
        "/\t/evil.example",
        "/\n/evil.example",
        " //evil.example",
        "https://evil.example/",
        "javascript:alert(1)",
        "evil.example",
        "/\x00",
        "/\x7f",
        "/" + "a" * 2_000,
    ],
)
def test_anything_else_is_refused(target):
    assert local_path(target) is None


@pytest.mark.parametrize(
    ("referrer", "path"),
    [
        ("https://app.example/dashboard?a=1#top", "/dashboard?a=1"),
        ("https://app.example/", "/"),
        ("https://app.example.evil.example/", None),
        ("http://app.example/", None),
        ("https://app.example//evil.example", None),
        ("", None),
        (None, None),
    ],
)
def test_only_a_page_of_this_very_site_is_a_place_to_go_back_to(referrer, path):
    assert path_of_referrer(referrer, "https://app.example/") == path
