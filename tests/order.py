"""Order: in which files a run begins, so that its workers are busy until the end and do not all do the same at once.

Files that start servers are long, and mostly wait; the others are short, and need the processor all the time. Each
folder's files are spread over the run, and those of the former folders over its first part. Two workers drive a
browser each, from the beginning, for these tests wait as much as they work.
"""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path
from zlib import crc32

from xdist.scheduler import LoadFileScheduling

BROWSER = "browser"
BROWSERS = 2
# Beside it those that set the clock: no thread that another test leaves behind may see that.
FIRST = (BROWSER, "stateful", "simulation")
LONG = frozenset({"chaos", "foreign", "repository", "server"})
LONG_PART = 0.6  # of the run; what begins after it is short


def spread(files: Iterable[Path], tests: Path) -> list[Path]:
    """The files of all folders in turn, those of one folder in their own order.

    >>> [str(path) for path in spread([Path("t/web/a.py"), Path("t/web/b.py"), Path("t/server/c.py")], Path("t"))]
    ['t/web/a.py', 't/server/c.py', 't/web/b.py']
    """
    folders: dict[str, list[Path]] = {}
    for path in files:
        folders.setdefault(path.relative_to(tests).parts[0], []).append(path)
    places = [
        (_place(folder, (number + 0.5) / len(paths)), path)
        for folder, paths in folders.items()
        for number, path in enumerate(paths)
    ]
    return [path for _, path in sorted(places)]


def _place(folder: str, part: float) -> float:
    if folder in FIRST:
        return FIRST.index(folder) - len(FIRST)
    return part * LONG_PART if folder in LONG else part


class Files(LoadFileScheduling):  # type: ignore[misc]
    """Gives a worker a file at a time, and `BROWSERS` workers all that need a browser."""

    def _split_scope(self, nodeid: str) -> str:
        file: str = super()._split_scope(nodeid)
        return f"{BROWSER} {crc32(file.encode()) % BROWSERS}" if f"/{BROWSER}/" in file else file
