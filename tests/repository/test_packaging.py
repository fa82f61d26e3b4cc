"""What is built and locked: the wheel carries all it needs, and an install gets what was tested."""

import re
import subprocess
import sys
import tarfile
import tomllib
import zipfile
from pathlib import Path

import pytest

import notiway

ROOT = Path(__file__).resolve().parents[2]
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text())
MAPPED = {
    "templates/notiway": "notiway",
    "templates/events": "notiway",
    "templates/host": "notiway/host",
    "static/notiway": "notiway",
    "static/vendor": "notiway",
    "static/host": "notiway/host",
    "migrations/notiway": "notiway",
    "migrations/host": "notiway/host",
}
LOCKS = ("requirements.txt", "requirements-dev.txt")
PINNED = re.compile(r"^([a-z0-9-]+)==(\S+)", re.MULTILINE)


def build(kind: str, source: Path, target: Path) -> Path:
    command = [sys.executable, "-m", "build", "--no-isolation", f"--{kind}", "--outdir", str(target), str(source)]
    subprocess.run(command, check=True, capture_output=True, timeout=120)
    return next(target.iterdir())


@pytest.fixture(scope="module")
def sdist(tmp_path_factory):
    return build("sdist", ROOT, tmp_path_factory.mktemp("sdist"))


@pytest.fixture(scope="module")
def wheel(tmp_path_factory):
    return build("wheel", ROOT, tmp_path_factory.mktemp("wheel"))


def names(wheel: Path) -> set[str]:
    with zipfile.ZipFile(wheel) as archive:
        return set(archive.namelist())


def tracked(folder: str) -> set[str]:
    files = (path for path in (ROOT / folder).rglob("*") if path.is_file() and path.suffix != ".pyc")
    return {path.relative_to(ROOT).as_posix() for path in files}


@pytest.mark.parametrize(("folder", "package"), MAPPED.items())
def test_the_wheel_carries_templates_static_files_and_migrations_inside_their_packages(wheel, folder, package):
    expected = {f"{package}/{name}" for name in tracked(folder)}
    assert expected
    assert expected <= names(wheel)


def test_the_wheel_holds_the_package_alone_and_the_host_in_a_package_of_its_own(wheel):
    inside = names(wheel)
    assert {"notiway/__init__.py", "notiway/py.typed"} <= inside
    assert not [
        name for name in inside if not name.startswith(("notiway/", f"notiway-{notiway.__version__}.dist-info/"))
    ]
    assert not [name for name in inside if "/host/" in name and not name.startswith("notiway/host/")]


def test_a_wheel_built_from_the_sdist_is_the_same(wheel, sdist, tmp_path):
    with tarfile.open(sdist) as archive:
        archive.extraction_filter = getattr(tarfile, "data_filter", None)  # Python 3.11.2, Debian 12's, has none yet
        archive.extractall(tmp_path / "unpacked")
    source = next((tmp_path / "unpacked").iterdir())
    assert names(build("wheel", source, tmp_path / "built")) == names(wheel)


def test_version_and_name_are_told_once_and_agree():
    assert PROJECT["project"]["version"] == notiway.__version__


@pytest.mark.parametrize("lock", LOCKS)
def test_a_lock_pins_everything_with_hashes_and_names_no_place_to_get_it_from(lock):
    text = (ROOT / lock).read_text()
    assert "://" not in text
    assert not re.search(r"^--?\w", text, re.MULTILINE)
    requirements = re.split(r"\n(?=[a-z0-9])", text)
    assert all(PINNED.match(each) and "--hash=sha256:" in each for each in requirements)


def test_the_lock_to_run_holds_all_dependencies_and_extras():
    extras = PROJECT["project"]["optional-dependencies"].values()
    wanted = [*PROJECT["project"]["dependencies"], *(each for extra in extras for each in extra)]
    locked = {name for name, _ in PINNED.findall((ROOT / "requirements.txt").read_text())}
    assert {re.match(r"[a-z0-9-]+", each).group() for each in wanted} <= locked


def test_tests_run_with_the_versions_that_serve():
    to_run, to_develop = (set(PINNED.findall((ROOT / lock).read_text())) for lock in LOCKS)
    assert to_run <= to_develop


def test_every_dependency_is_explained():
    text = (ROOT / "docs" / "dependencies.md").read_text()
    groups = [PROJECT["project"]["dependencies"], PROJECT["dependency-groups"]["dev"]]
    groups += PROJECT["project"]["optional-dependencies"].values()
    named = {re.match(r"[a-z0-9-]+", each).group() for group in groups for each in group}
    assert [name for name in sorted(named) if name not in text] == []


def test_what_the_machine_lacks_is_installed_by_name_only():
    done = subprocess.run([ROOT / "bin" / "need", "everything"], capture_output=True, text=True, check=False)
    assert done.returncode == 2
    assert "everything" in done.stderr


IMPORTED_AS = {"argon2-cffi": "argon2", "pyjwt": "jwt", "python-json-logger": "pythonjsonlogger", "tzdata": "zoneinfo"}


@pytest.mark.parametrize("requirement", PROJECT["project"]["dependencies"])
def test_every_dependency_is_imported(requirement):
    name = re.match(r"[a-z0-9-]+", requirement)[0]
    module = IMPORTED_AS.get(name, name.replace("-", "_"))
    imports = re.compile(rf"(from|import) {module}\b|\b{module}\.", re.MULTILINE)
    sources = [*(ROOT / "notiway").rglob("*.py"), ROOT / "gunicorn.conf.py"]
    assert any(imports.search(path.read_text()) for path in sources)


@pytest.mark.parametrize("name", ["flask-sock", "simple-websocket", "wsproto"])
def test_whose_inside_is_relied_on_is_bounded(name):
    (requirement,) = [each for each in PROJECT["project"]["dependencies"] if each.startswith(name)]
    assert "==" in requirement or "<" in requirement
