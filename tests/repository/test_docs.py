"""The documentation says what the code does: nothing is missing, nothing is made up, no link is dead."""

from __future__ import annotations

import ast
import importlib
import inspect
import json
import pkgutil
import re
import shlex
from dataclasses import fields
from pathlib import Path
from typing import Any

import click
import pytest
from flask import Flask
from foreign.tutorial import ROOT, blocks
from prometheus_client import generate_latest

import notiway
from notiway import metrics
from notiway.gateway import openapi
from notiway.gateway.envelope_model import EnvelopeModel, Metadata, Routing
from notiway.live.wires import signalr, sse
from notiway.live.wires.json import JsonWire
from notiway.live.wires.sse import SseWire
from notiway.values.close_codes import CloseCode
from notiway.values.config import Config
from notiway.values.event import KINDS, Event
from notiway.values.item import Item
from notiway.web.sockets import actions, invocations

DOCS = ROOT / "docs"
PAGES = sorted([ROOT / "README.md", ROOT / "CHANGELOG.md", *DOCS.rglob("*.md")])
LINK = re.compile(r"\]\(([^)\s]+)\)|(?:src|srcset)=\"([^\"]+)\"")
CODE = re.compile(r"^```.*?^```$|`[^`\n]+`", re.MULTILINE | re.DOTALL)
ROW = re.compile(r"^\| `(?P<name>NOTIWAY_\w+)` \| (?P<default>[^|]+) \| (?P<meaning>[^|]+) \|$", re.MULTILINE)
DECISION_PARTS = ("Status: ", "## Context", "## Decision", "## Consequences", "## Alternatives")
PATH = re.compile(r"\bnotiway/[\w/]+\.py\b")
DOTTED = re.compile(r"(?<![\w./-])notiway(?:\.[A-Za-z_]\w*)+")
DESIGN = DOCS / "explanation" / "design.md"
SECURITY_LOG = "notiway.security"  # a logger, no module
PACKAGE = ROOT / "notiway"
STATION = re.compile(r"`([\w/]+\.py)`( `[\w.]+`(?:, (?:else )?`[\w.]+`)*)")  # a file, and names in it
AN_ID = "01a1fb5d-fb8a-73bd-9a80-6c53df77be0b"


def reference(name: str) -> str:
    return (DOCS / "reference" / f"{name}.md").read_text()


def name_of(page: Path) -> str:
    return str(page.relative_to(ROOT))


def anchor(heading: str) -> str:
    """As repository hosts make it from a heading."""
    return re.sub(r"[^\w\- ]", "", heading.strip().lower()).replace(" ", "-")


@pytest.mark.parametrize("page", PAGES, ids=name_of)
def test_no_link_of_a_page_is_dead(page: Path) -> None:
    dead = []
    for found in LINK.finditer(CODE.sub("", page.read_text())):
        target, _, fragment = (found[1] or found[2]).partition("#")
        if target.startswith(("http://", "https://")):
            continue
        there = (page.parent / target).resolve() if target else page
        if not there.exists():
            dead.append(found[0])
            continue
        headings = re.findall(r"^#+ (.*)$", there.read_text(), re.MULTILINE) if there.suffix == ".md" else []
        if fragment and fragment not in map(anchor, headings):
            dead.append(found[0])
    assert dead == []


@pytest.mark.parametrize("page", PAGES, ids=name_of)
def test_the_examples_of_a_page_can_be_read_by_their_language(page: Path) -> None:
    for block in blocks(page):
        if block.language == "json":
            json.loads(block.text)
        if block.language == "python":
            for node in ast.walk(ast.parse(block.text)):
                if isinstance(node, ast.ImportFrom) and node.module and node.module.split(".")[0] == "notiway":
                    module = importlib.import_module(node.module)
                    for alias in node.names:
                        assert hasattr(module, alias.name) or importlib.import_module(f"{node.module}.{alias.name}")


@pytest.mark.parametrize("page", [page for page in PAGES if page.name != "CHANGELOG.md"], ids=name_of)
def test_every_module_that_a_page_names_exists(page: Path) -> None:
    """By its path, `notiway/live/hub.py`, or by its name in code, `notiway.live.hub`. The changelog names what was."""
    text = page.read_text()
    paths = {path for path in PATH.findall(text) if not (ROOT / path).is_file()}
    named = [dotted for code in CODE.findall(text) for dotted in DOTTED.findall(code) if dotted != SECURITY_LOG]
    assert (paths, [dotted for dotted in named if not leads_somewhere(dotted)]) == (set(), [])


def test_the_map_of_the_design_has_every_package() -> None:
    mapped = re.findall(r"^\| `((?:\w+/)+)` \|", DESIGN.read_text(), re.MULTILINE)
    packages = {path.parent.relative_to(PACKAGE).as_posix() for path in PACKAGE.rglob("__init__.py")} - {"."}
    assert sorted(mapped) == sorted(f"{package}/" for package in packages)


def test_the_stations_of_the_design_are_where_it_says() -> None:
    stations = STATION.findall(DESIGN.read_text())
    assert len(stations) > 12
    for path, names in stations:
        text = (PACKAGE / path).read_text()
        for name in re.findall(r"[A-Za-z_]\w*(?=`|\.)", names):
            assert re.search(rf"\b(?:def|class) {name}\b|\bself\.{name}\b", text), f"{path} {name}"


def leads_somewhere(dotted: str) -> bool:
    """A module or what is in one, or a file beside the database, such as notiway.db; templates know the extension."""
    if dotted.endswith((".db", ".env")) or hasattr(notiway.Notiway, dotted.split(".")[1]):
        return True
    try:
        pkgutil.resolve_name(dotted)
    except (AttributeError, ImportError):
        return False
    return True


def test_every_setting_is_documented_with_its_default() -> None:
    documented = {row["name"]: row["default"] for row in ROW.finditer(reference("settings"))}
    assert documented == {f"NOTIWAY_{spec.name.upper()}": shown(spec.default) for spec in fields(Config)}


def shown(default: Any) -> str:
    if default in ("", ()):
        return "empty"
    if isinstance(default, tuple):
        return f"`{', '.join(default)}`"
    return f"`{default:g}`" if isinstance(default, float) else f"`{default}`"


def test_no_page_names_a_setting_that_does_not_exist() -> None:
    known = {f"NOTIWAY_{spec.name.upper()}" for spec in fields(Config)}
    for page in PAGES:
        assert set(re.findall(r"NOTIWAY_[A-Z][A-Z_]*[A-Z]", page.read_text())) <= known, page


def test_every_metric_is_documented() -> None:
    families = re.findall(r"^# TYPE (notiway_\w+) (\w+)$", generate_latest(metrics.REGISTRY).decode(), re.MULTILINE)
    known = {(name.removesuffix("_total"), kind) for name, kind in families if not name.endswith("_created")}
    rows = re.findall(r"^\| `(\w+)(?:\{\w+\})?` \| (\w+) \|", reference("metrics"), re.MULTILINE)
    assert set(rows) == known


def test_every_command_and_option_is_documented(app: Flask) -> None:
    text = reference("commands")
    for words, command in all_commands(commands_of(app)):
        row = next((line for line in text.splitlines() if line.startswith(f"| `{words}")), None)
        assert row is not None, words
        for option in command.params:
            if isinstance(option, click.Option):
                assert f"`{option.opts[0]}" in row, f"{words} {option.opts[0]}"


def commands_of(app: Flask) -> click.Group:
    """The group `notiway` of this repository's application: the library's commands and the host's."""
    group = app.cli.commands["notiway"]
    assert isinstance(group, click.Group)
    return group


def all_commands(group: click.Group, before: str = "") -> list[tuple[str, click.Command]]:
    found = []
    for name, command in group.commands.items():
        if isinstance(command, click.Group):
            found += all_commands(command, f"{name} ")
        else:
            found.append((before + name, command))
    return found


def test_every_route_is_documented(app: Flask) -> None:
    text = reference("http")
    documented = set(re.findall(r"`(/[^`]*)`", text))
    for rule in app.url_map.iter_rules():
        path = re.sub(r"<(?:\w+:)?(\w+)>", lambda found: "<path>" if found[1] == "filename" else "<id>", rule.rule)
        assert path in documented, rule


def test_every_kind_of_event_is_documented() -> None:
    assert set(re.findall(r"^\| `(\w+)` \|", reference("events"), re.MULTILINE)) == KINDS
    Event.from_bytes(first_json("events").encode())


def test_every_close_code_is_documented() -> None:
    listed = re.findall(r"^\| (\d{4}(?:, \d{4})*) \|", reference("websocket"), re.MULTILINE)
    assert {int(code) for row in listed for code in row.split(", ")} == {*map(int, CloseCode)}


def test_the_messages_of_the_socket_look_as_documented() -> None:
    item = Item(AN_ID, "user:42", "notification", "success", "medium", "Invoice paid", "", 1_736_931_600_000)
    wire = JsonWire()
    real = [
        wire.connected("Zk3vT1nQ0bYx7w2L", 3),
        wire.render(Event("created", "user:42", {"notification": item.as_dict(), "unread": 4})),
        wire.render(Event("read", "user:42", {"ids": [AN_ID], "unread": 3})),
        wire.heartbeat(3),
        wire.error("NotFound", "There is no such notification"),
    ]
    documented = [
        json.loads(block.text) for block in blocks(DOCS / "reference" / "websocket.md") if block.language == "json"
    ]
    assert [keys(message) for message in documented] == [keys(json.loads(text or "")) for text in real]


def test_a_notification_looks_as_documented_on_every_wire() -> None:
    item = Item(AN_ID, "user:42", "order-shipped", "info", "medium", "Order shipped", "", 1_736_931_600_000).as_dict()
    event = Event("created", "user:42", {"notification": item})
    line = next(line for line in (SseWire().render(event) or "").splitlines() if line.startswith("data: "))
    assert json.loads(first_json("sse")).keys() == json.loads(line.removeprefix("data: ")).keys()
    documented, real = json.loads(first_json("signalr")), signalr.notification_dict(item)
    assert (documented.keys(), documented["metadata"].keys()) == (real.keys(), real["metadata"].keys())


def test_everything_a_client_may_ask_for_is_documented() -> None:
    asked = set(re.findall(r'case "(\w+)":', inspect.getsource(actions)))
    assert asked | actions.CHANGES.keys() <= words("websocket")
    methods = set(re.findall(r'case "(\w+)", \[', inspect.getsource(invocations)))
    assert set(re.findall(r"^\| `(\w+)\(", reference("signalr"), re.MULTILINE)) == methods


def test_every_event_of_a_stream_is_documented() -> None:
    sent = set(re.findall(r'_event\("(\w+)"', inspect.getsource(sse)))
    assert set(re.findall(r"^\| `(\w+)` \|", reference("sse"), re.MULTILINE)) == sent


def test_every_field_of_an_envelope_and_of_a_token_is_documented() -> None:
    known = words("http")
    for model, before in ((EnvelopeModel, ""), (Routing, ""), (Metadata, "metadata.")):
        assert {before + name for name in model.model_fields} - {"metadata"} <= known
    asked = openapi.document("")["components"]["schemas"]["TokenRequest"]["properties"]
    assert set(asked) <= known


def words(name: str) -> set[str]:
    """What a page of the reference has in code: names alone, and the actions of messages."""
    text = reference(name)
    return {*re.findall(r"`([\w.]+)`", text), *re.findall(r'"action": "(\w+)"', text)}


def test_every_command_line_of_a_page_is_understood(app: Flask) -> None:
    lines = [
        line
        for page in PAGES
        for block in blocks(page)
        if block.language in ("sh", "ini")
        for line in block.text.splitlines()
    ]
    found = [line.partition(" notiway ")[2] for line in lines if re.search(r"flask --app \w+ notiway ", line)]
    assert len(found) > 10
    for words in found:
        command, arguments = commands_of(app), shlex.split(words.partition(")")[0])
        while isinstance(command, click.Group):
            command = command.commands[arguments.pop(0)]
        command.make_context(command.name, arguments)


def keys(message: dict[str, Any]) -> tuple[str, set[str]]:
    return message["event"], set(message["data"])


def first_json(name: str) -> str:
    return next(block.text for block in blocks(DOCS / "reference" / f"{name}.md") if block.language == "json")


def test_the_signature_of_send_notification_is_the_documented_one() -> None:
    call = next(block.text for block in blocks(DOCS / "reference" / "python.md") if block.language == "text")
    definition = ast.parse(f"def {call.strip()}: ...").body[0]
    assert isinstance(definition, ast.FunctionDef)
    arguments = definition.args
    documented = {each.arg: None for each in arguments.args[:2]} | {
        each.arg: ast.literal_eval(default)
        for each, default in zip(
            [*arguments.args[2:], *arguments.kwonlyargs], [*arguments.defaults, *arguments.kw_defaults], strict=True
        )
    }
    real = inspect.signature(notiway.send_notification).parameters
    assert documented == {
        name: None if each.default is inspect.Parameter.empty else each.default for name, each in real.items()
    }


def test_everything_public_is_documented() -> None:
    for name in notiway.__all__:
        assert re.search(rf"\b{name}\b", reference("python")), name


@pytest.mark.parametrize("page", sorted((DOCS / "adr").glob("[0-9]*.md")), ids=name_of)
def test_a_decision_has_all_its_parts_and_is_listed(page: Path) -> None:
    text = page.read_text()
    assert [part for part in DECISION_PARTS if f"\n{part}" not in text] == []
    number = int(page.name[:4])
    assert text.startswith(f"# {number}. ")
    assert f"[{number:04}]({page.name})" in (DOCS / "adr" / "README.md").read_text()


def test_the_tutorial_s_application_is_short() -> None:
    application = next(block.text for block in blocks() if block.title == "shop.py")
    assert len([line for line in application.splitlines() if line.strip()]) <= 35


def test_readme_begins_with_what_one_needs_first() -> None:
    first = (ROOT / "README.md").read_text().split("\n## ")[0]
    places = [first.index(part) for part in ("<picture>", "make run", "make test", "from notiway import", "curl ")]
    assert places == sorted(places)


def test_the_changelog_tells_of_this_version() -> None:
    headings = re.findall(r"^## (.*)$", (ROOT / "CHANGELOG.md").read_text(), re.MULTILINE)
    assert headings[0] == "Unreleased"
    assert any(heading.startswith(notiway.__version__) for heading in headings)
    assert f'version = "{notiway.__version__}"' in (ROOT / "pyproject.toml").read_text()
    for page in (ROOT / "README.md", DOCS / "tutorial.md"):
        assert f"notiway-{notiway.__version__}-py3" in page.read_text()
