"""The tutorial as a program: its files and commands, taken out of docs/tutorial.md so that they cannot rot."""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
TUTORIAL = ROOT / "docs" / "tutorial.md"
FENCE = re.compile(r'^```(?P<language>\w+)(?: title="(?P<title>[^"]+)")?\n(?P<text>.*?)^```$', re.MULTILINE | re.DOTALL)


@dataclass(frozen=True)
class Block:
    """One fenced block of a page; `title` is the file that it becomes."""

    language: str
    title: str | None
    text: str


def blocks(page: Path = TUTORIAL) -> list[Block]:
    """All fenced blocks of a page, in order."""
    return [Block(**found.groupdict()) for found in FENCE.finditer(page.read_text())]
