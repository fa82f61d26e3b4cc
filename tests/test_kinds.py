"""What applications import beside `notiway` to declare kinds."""

from notiway import kinds


def test_what_the_how_to_guide_imports_is_there():
    assert kinds.Action("Track", "/orders/7").method == "get"
    assert kinds.Actor("Ada").image is None
    assert kinds.Undo("withdraw").label == "Undo"
    assert issubclass(kinds.ActionFailed, Exception)
