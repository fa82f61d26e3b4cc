"""`python -m mutants [word …]`, or `make mutants`: puts each mutant into a copy of the tree and runs its tests there.

With words, only the mutants whose names hold one of them. Ends with 1 if one survived.
"""

from __future__ import annotations

import subprocess
import sys
import tempfile
from functools import cache
from pathlib import Path

from mutants.table import MUTANTS, Mutant

ROOT = Path(__file__).resolve().parents[2]
PYTEST = [
    sys.executable,
    "-m",
    "pytest",
    "-q",
    "-x",
    "-p",
    "no:cacheprovider",
    "-p",
    "no:xdist",
    "--no-header",
    "-m",
    "not server",
]
FAILED = 1  # what pytest ends with when a test failed: anything else is no verdict
SECONDS = 600


def copy_of_the_tree(folder: Path) -> None:
    """All files that git knows, as they are here."""
    names = subprocess.run(["git", "ls-files", "-z"], cwd=ROOT, check=True, capture_output=True, text=True).stdout
    for name in filter(None, names.split("\0")):
        if (ROOT / name).is_file():
            (folder / name).parent.mkdir(parents=True, exist_ok=True)
            (folder / name).write_bytes((ROOT / name).read_bytes())


def ends_with(folder: Path, tests: str) -> int:
    """What pytest ends with; a test that never ends has failed."""
    try:
        ended = subprocess.run([*PYTEST, *tests.split()], cwd=folder, capture_output=True, timeout=SECONDS, check=False)
    except subprocess.TimeoutExpired:
        return FAILED
    if ended.returncode not in (0, FAILED):
        print(ended.stdout.decode()[-2_000:], ended.stderr.decode()[-2_000:])
    return ended.returncode


@cache
def are_sound(folder: Path, tests: str) -> bool:
    """Whether the tests pass on the tree as it is: else they would kill anything."""
    return ends_with(folder, tests) == 0


def verdict(folder: Path, mutant: Mutant) -> str:
    """Whether the mutant's tests kill it."""
    file = folder / mutant.file
    sound = file.read_text()
    if sound.count(mutant.old) != 1:
        print(f"what it changes is there {sound.count(mutant.old)} times")
        return "BROKEN"
    if not are_sound(folder, mutant.tests):
        print(f"these fail without it: {mutant.tests}")
        return "BROKEN"
    file.write_text(sound.replace(mutant.old, mutant.new))
    try:
        return {0: "SURVIVED", FAILED: "killed"}.get(ends_with(folder, mutant.tests), "BROKEN")
    finally:
        file.write_text(sound)


def main(words: list[str]) -> int:
    chosen = [each for each in MUTANTS if not words or any(word in each.name for word in words)]
    count = {"killed": 0, "SURVIVED": 0, "BROKEN": 0}
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        copy_of_the_tree(folder)
        for mutant in chosen:
            found = verdict(folder, mutant)
            count[found] += 1
            print(f"{found:9} {mutant.file}: {mutant.name}", flush=True)
    print(", ".join(f"{number} {word}" for word, number in count.items()))
    return int(count["killed"] < len(chosen))


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
