"""Order: in which files a run begins, so that its workers are busy until the end and do not all do the same at once.

Files that start browsers and servers are long, and mostly wait; the others are short, and need the processor all the
time. Each folder's files are spread over the run, and those of the former folders over its first part.
"""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

FIRST = frozenset({"simulation", "stateful"})  # they set the clock: no thread that another test leaves may see that
LONG = frozenset({"browser", "chaos", "foreign", "repository", "server"})
LONG_PART = 0.8  # of the run; what begins after it is short


def spread(files: Iterable[Path], tests: Path) -> list[Path]:
    """The files of all folders in turn, those of one folder in their own order.

    >>> [str(path) for path in spread([Path("t/web/a.py"), Path("t/web/b.py"), Path("t/server/c.py")], Path("t"))]
    ['t/web/a.py', 't/server/c.py', 't/web/b.py']
    """
    folders: dict[str, list[Path]] = {}
    for path in files:
        folders.setdefault(path.relative_to(tests).parts[0], []).append(path)
    places = [
        (0.0 if folder in FIRST else (number + 0.5) / len(paths) * (LONG_PART if folder in LONG else 1.0), path)
        for folder, paths in folders.items()
        for number, path in enumerate(paths)
    ]
    return [path for _, path in sorted(places)]
