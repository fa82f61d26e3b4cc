"""Ledger: what became of each message of a run, from the sender to every screen."""

from __future__ import annotations

import threading
import time
from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

COLUMNS = ("sent", "acknowledged", "stored", "heard", "again", "resets", "refused", "doubled", "lost")
LONGEST = ("silence_ms", "late_ms", "away_ms")  # of several runs the worst
SHOWN = 5  # marks that a failed assertion names


@dataclass
class Ledger:
    """Counts messages by their marks: a mark is the title of one message, and no other message has it.

    `again` counts what a wire carried more than once with the same id: allowed, for receivers drop the second.
    `doubled` counts what a person would see twice, or what is stored twice: never. `lost` counts what was acknowledged
    and is not stored, and for every screen what is stored and did not come: never. `refused` counts answers that were
    no acknowledgement. `silence_ms` is the longest time in which `/healthz` did not answer, `late_ms` the longest from
    an acknowledgement to a screen, `away_ms` the longest that a screen which had lost its line was without one.

    >>> ledger = Ledger("a fault")
    >>> ledger.note_sent("m1"), ledger.note_acknowledged("m1")
    (None, None)
    >>> ledger.lost
    1
    """

    name: str
    kept: bool = True  # whether the messages are stored; else they are for the screens that are open
    sent: set[str] = field(default_factory=set)
    acknowledged: set[str] = field(default_factory=set)
    stored: Counter[str] = field(default_factory=Counter)
    screens: dict[str, Counter[tuple[str, str]]] = field(default_factory=lambda: defaultdict(Counter))
    resets: int = 0
    refused: int = 0
    silence_ms: int = 0
    away_ms: int = 0
    remarks: dict[str, object] = field(default_factory=dict)
    _acknowledged_at: dict[str, float] = field(default_factory=dict, repr=False)
    _heard_at: dict[tuple[str, str], float] = field(default_factory=dict, repr=False)
    _lock: threading.Lock = field(default_factory=threading.Lock, repr=False)

    def note_sent(self, *marks: str) -> None:
        with self._lock:
            self.sent.update(marks)

    def note_acknowledged(self, *marks: str) -> None:
        with self._lock:
            self.acknowledged.update(marks)
            self._acknowledged_at |= dict.fromkeys(marks, time.monotonic())

    def note_refused(self) -> None:
        with self._lock:
            self.refused += 1

    def note_reset(self) -> None:
        with self._lock:
            self.resets += 1

    def note_silence(self, seconds: float) -> None:
        with self._lock:
            self.silence_ms = max(self.silence_ms, round(seconds * 1000))

    def note_away(self, seconds: float) -> None:
        """A screen has a line again."""
        with self._lock:
            self.away_ms = max(self.away_ms, round(seconds * 1000))

    def note_heard(self, wire: str, mark: str, message_id: str) -> None:
        """A screen of that wire was told of a message."""
        with self._lock:
            self.screens[wire][mark, message_id] += 1
            self._heard_at.setdefault((wire, mark), time.monotonic())

    def note_stored(self, titles: Mapping[str, int]) -> None:
        """How often each title is stored; those that were not sent here are passed over."""
        with self._lock:
            self.stored = Counter({title: count for title, count in titles.items() if title in self.sent})

    def heard(self, wire: str) -> set[str]:
        with self._lock:
            return {mark for mark, _ in self.screens[wire]}

    def missing(self) -> dict[str, set[str]]:
        """What is lost, by the place where it should be."""
        gone = {"store": self.acknowledged - set(self.stored)} if self.kept else {}
        due = set(self.stored) if self.kept else self.acknowledged
        gone |= {wire: due - self.heard(wire) for wire in list(self.screens)}
        return {place: marks for place, marks in gone.items() if marks}

    def twice(self) -> dict[str, set[str]]:
        """What is there twice, by the place."""
        seen = {"store": {mark for mark, count in self.stored.items() if count > 1}}
        for wire, told in self.screens.items():
            ids = Counter(mark for mark, _ in told)
            seen[wire] = {mark for mark, count in ids.items() if count > 1}
        return {place: marks for place, marks in seen.items() if marks}

    def _heard_by_wire(self) -> dict[str, int]:
        """How many of the messages each wire carried; of several screens of one wire the one that heard least."""
        least: dict[str, int] = {}
        for label in sorted(self.screens):
            wire = label.partition(" ")[0]
            least[wire] = min(least.get(wire, len(self.sent)), len(self.heard(label)))
        return least

    @property
    def lost(self) -> int:
        return sum(map(len, self.missing().values()))

    @property
    def doubled(self) -> int:
        return sum(map(len, self.twice().values()))

    @property
    def again(self) -> int:
        return sum(count - 1 for told in self.screens.values() for count in told.values())

    @property
    def late_ms(self) -> int:
        """The longest time from an acknowledgement to a screen; readers of pages are not told, and do not count."""
        with self._lock:
            waits = [
                at - self._acknowledged_at[mark]
                for (wire, mark), at in self._heard_at.items()
                if mark in self._acknowledged_at and wire != "pages"
            ]
        return max(0, round(max(waits, default=0.0) * 1000))

    def is_complete(self) -> bool:
        """Whether everything that was acknowledged is stored, and every screen has everything that is stored."""
        return not self.missing()

    def check(self) -> None:
        """Nothing was lost, nothing is there twice, and there was something to lose."""
        assert self.acknowledged, "nothing was sent: this shows nothing"
        assert not self.missing(), f"lost: {_some(self.missing())}"
        assert not self.twice(), f"doubled: {_some(self.twice())}"

    def figures(self) -> dict[str, object]:
        """The counters, as they are printed and recorded."""
        return {
            "sent": len(self.sent),
            "acknowledged": len(self.acknowledged),
            "stored": sum(self.stored.values()),
            "heard": self._heard_by_wire(),
            "again": self.again,
            "resets": self.resets,
            "refused": self.refused,
            "doubled": self.doubled,
            "lost": self.lost,
            "silence_ms": self.silence_ms,
            "late_ms": self.late_ms,
            "away_ms": self.away_ms,
            **self.remarks,
        }


def _some(places: dict[str, set[str]]) -> str:
    return "; ".join(f"{place}: {len(marks)}, {sorted(marks)[:SHOWN]}" for place, marks in places.items())


def table(rows: Iterable[tuple[str, dict[str, object]]]) -> list[str]:
    """The figures of several ledgers as lines of text, one ledger each."""
    lines = []
    for name, figures in rows:
        known = COLUMNS + LONGEST
        rest = {key: value for key, value in figures.items() if key not in known}
        cells = [f"{key} {_cell(figures[key])}" for key in known if figures[key] or key in ("doubled", "lost")]
        lines += [name, "    " + "  ".join(cells + [f"{key} {value}" for key, value in rest.items()])]
    return lines


def total(ledgers: Iterable[dict[str, object]]) -> dict[str, object]:
    """The figures of several runs as one."""
    every = list(ledgers)
    summed: dict[str, object] = {key: sum(each[key] for each in every) for key in COLUMNS if key != "heard"}  # type: ignore[misc]
    longest = {key: max(each[key] for each in every) for key in LONGEST}  # type: ignore[type-var]
    heard: Counter[str] = Counter()
    for each in every:
        heard.update(each["heard"])  # type: ignore[arg-type]
    return summed | {"heard": dict(heard)} | longest


def _cell(value: object) -> str:
    return " ".join(f"{wire}={count}" for wire, count in value.items()) if isinstance(value, dict) else str(value)
