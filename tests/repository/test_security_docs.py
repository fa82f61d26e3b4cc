"""What the documentation says about security: each rule of ASVS has its test or a reason, each event its fields."""

from __future__ import annotations

import ast
import re
from pathlib import Path

from foreign.tutorial import ROOT

SECURITY = (ROOT / "docs" / "explanation" / "security.md").read_text()
EVENTS = (ROOT / "docs" / "reference" / "security-events.md").read_text()
NAMED_TEST = re.compile(r"`(tests/[\w/]+\.py)(?:::(\w+))?`")
RULE = re.compile(r"(\d+\.\d+)\.(\d+)")
# Levels 1 and 2 of the chapters that are answered in full: how many rules each section has (OWASP ASVS 5.0.0).
SECTIONS = {
    "6.1": 3,
    "6.2": 12,
    "6.3": 4,
    "6.4": 4,
    "6.5": 5,
    "6.6": 3,
    "6.8": 4,
    "7.1": 3,
    "7.2": 4,
    "7.3": 2,
    "7.4": 5,
    "7.5": 2,
    "7.6": 2,
    "9.1": 3,
    "9.2": 4,
}


def rows_of(text: str, columns: int) -> list[list[str]]:
    """The rows of all tables of so many columns, without their heads."""
    lines = [line for line in text.splitlines() if line.startswith("| ") and line.count(" | ") == columns - 1]
    return [[cell.strip() for cell in line.strip("|").split(" | ")] for line in lines]


def rules_in(cell: str) -> set[str]:
    """The rules that a cell names: one, several, or from one to another of the same section."""
    found: set[str] = set()
    for part in cell.split(", "):
        (section, first), *rest = RULE.findall(part)
        last = rest[0][1] if rest else first
        found |= {f"{section}.{number}" for number in range(int(first), int(last) + 1)}
    return found


def answered() -> list[str]:
    part = SECURITY.split("## ASVS 5.0")[1].split("\n## ")[0]
    cells = [row[0] for columns in (3, 2) for row in rows_of(part, columns) if row[0] != "rule"]
    return [rule for cell in cells for rule in rules_in(cell)]


def test_every_rule_of_the_chapters_on_sessions_and_tokens_is_answered() -> None:
    rules = {f"{section}.{number}" for section, count in SECTIONS.items() for number in range(1, count + 1)}
    assert rules - set(answered()) == set()
    invented = {rule for rule in answered() if rule.startswith(("6.", "7.", "9."))} - rules
    assert invented == set()


def test_every_rule_that_holds_names_a_test_and_each_of_them_exists() -> None:
    rows = [row for row in rows_of(SECURITY, 3) if RULE.match(row[0])]
    assert len(rows) > 40
    assert [row[0] for row in rows if not NAMED_TEST.search(row[2])] == []
    for path, name in NAMED_TEST.findall(SECURITY):
        assert (ROOT / path).is_file(), path
        assert not name or f"def {name}(" in (ROOT / path).read_text(), f"{path}::{name}"


def noted() -> dict[str, set[str]]:
    """The events that the code notes, and the fields of each."""
    found: dict[str, set[str]] = {}
    for path in sorted((ROOT / "notiway").rglob("*.py")):
        for node in ast.walk(ast.parse(path.read_text())):
            if isinstance(node, ast.Call) and ast.unparse(node.func) == "security_log.note":
                found.setdefault(name_in(node, path), set()).update(fields_of(node, path))
    return found


def name_in(call: ast.Call, path: Path) -> str:
    assert len(call.args) == 1, f"{path}:{call.lineno}: only the name has no keyword"
    name = ast.literal_eval(call.args[0])
    assert isinstance(name, str)
    return name


def fields_of(call: ast.Call, path: Path) -> set[str]:
    names = {keyword.arg for keyword in call.keywords}
    assert None not in names, f"{path}:{call.lineno}: fields are written out, so that they can be read here"
    return {name for name in names if name is not None}


def test_each_security_event_is_documented_with_its_fields() -> None:
    documented = {row[0].strip("`"): set(re.findall(r"`(\w+)`", row[2])) for row in rows_of(EVENTS, 3)}
    documented.pop("event")
    assert documented == noted()
