"""JSON text: what is not JSON is a ValueError, whatever it is; what is read can be walked through."""

import json

import pytest

from notiway.values.json_text import MAX_DEPTH, is_deeper, read


@pytest.mark.parametrize(
    "text", ["", "{", "NaN", "[Infinity]", "-Infinity", b"\xff\xfe\xfa", "1" * 5_000, "[" * 100_000]
)
def test_what_is_no_json_is_a_value_error(text):
    with pytest.raises(ValueError):
        read(text)


def nested(levels, innermost=None):
    """Lists and objects in turn, so many levels deep."""
    value = innermost
    for level in range(levels):
        value = [value] if level % 2 else {"in": value}
    return value


def test_the_depth_is_bounded():
    assert read(json.dumps(nested(MAX_DEPTH, 1))) == nested(MAX_DEPTH, 1)
    with pytest.raises(ValueError, match="levels deep"):
        read(json.dumps(nested(MAX_DEPTH + 1)))


@pytest.mark.parametrize(("value", "levels"), [(5, 0), ("x", 0), ({}, 1), ([], 1), ([[]], 2), ({"a": [{"b": 1}]}, 3)])
def test_the_depth_counts_lists_and_objects(value, levels):
    assert not is_deeper(value, levels)
    assert levels == 0 or is_deeper(value, levels - 1)


def test_what_holds_itself_is_deeper_than_anything():
    endless: list = []
    endless += [endless, {"again": endless, "and again": endless}]
    assert is_deeper(endless, 1_000)
    assert is_deeper(nested(100_000), 32)
