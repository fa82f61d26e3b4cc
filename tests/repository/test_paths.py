"""Templates, scripts and style sheets are named by path: every path leads to a file, every file is named."""

import ast
import re
from pathlib import Path

import pytest
from jinja2 import Environment, nodes

ROOT = Path(__file__).resolve().parents[2]
TEMPLATES = ROOT / "templates"
STATIC = ROOT / "static"
TEMPLATE_ROOTS = (TEMPLATES, TEMPLATES / "host")  # the host draws events of its own in templates/host/events
TEMPLATE = re.compile(r"(?:notiway|host|events)/[\w/*-]+\.html")
STATIC_PATH = re.compile(r"(?:notiway|host|vendor)/[\w/*.-]+\.(?:js|css)")
SCRIPT_IMPORT = re.compile(r"""(?:\bfrom|\bimport)\s*\(?\s*["'](\.[^"']+)["']""")
STYLE_IMPORT = re.compile(r"""@import url\("([^"]+)"\)""")
DOCUMENTED = re.compile(r"(?<![\w/.-])(?:templates/|static/)?(?:notiway|host)/[\w/-]+\.(?:html|js|css)\b")


def own(folder: str, kind: str) -> list[Path]:
    """Files of this kind in a folder of the repository, without those of others and those that are made."""
    return sorted(path for path in (ROOT / folder).rglob(f"*.{kind}") if not {"vendor", "bundled"} & set(path.parts))


def label(path: Path) -> str:
    return str(path.relative_to(ROOT))


def texts_of_module(module: Path) -> set[str]:
    """Every string of a Python module; what an f-string fills in is a `*`."""
    texts = set()
    for node in ast.walk(ast.parse(module.read_text())):
        if isinstance(node, ast.Constant) and isinstance(node.value, str):
            texts.add(node.value)
        elif isinstance(node, ast.JoinedStr):
            texts.add("".join(str(part.value) if isinstance(part, ast.Constant) else "*" for part in node.values))
    return texts


def texts_of_template(template: Path) -> set[str]:
    """Every string in the expressions and tags of a template; what `~` joins with a variable is a `*`."""
    tree = Environment(autoescape=True).parse(template.read_text())
    texts = {node.value for node in tree.find_all(nodes.Const) if isinstance(node.value, str)}
    for joined in tree.find_all(nodes.Concat):
        texts.add("".join(str(part.value) if isinstance(part, nodes.Const) else "*" for part in joined.nodes))
    return texts


def named_by(source: Path) -> set[str]:
    return texts_of_module(source) if source.suffix == ".py" else texts_of_template(source)


def templates_named_by(source: Path) -> set[str]:
    return {text for text in named_by(source) if TEMPLATE.fullmatch(text)}


def templates_called(name: str) -> list[Path]:
    """The files that a name, or a pattern of names, leads to."""
    return [path for root in TEMPLATE_ROOTS for path in root.glob(name)]


def static_named_by(source: Path) -> set[str]:
    return {text for text in named_by(source) if STATIC_PATH.fullmatch(text)}


def imported_by(file: Path) -> set[Path]:
    """What a script or a style sheet imports from its own site."""
    pattern = SCRIPT_IMPORT if file.suffix == ".js" else STYLE_IMPORT
    return {(file.parent / path).resolve() for path in pattern.findall(file.read_text())}


SOURCES = [*own("notiway", "py"), *own("templates", "html")]
LINKED = [*own("static", "js"), *own("static", "css")]


@pytest.mark.parametrize("source", SOURCES, ids=label)
def test_every_template_script_and_style_sheet_that_is_named_exists(source):
    assert [name for name in templates_named_by(source) if not templates_called(name)] == []
    assert [name for name in static_named_by(source) if not any(STATIC.glob(name))] == []


@pytest.mark.parametrize("file", LINKED, ids=label)
def test_every_import_of_a_script_or_style_sheet_leads_to_a_file(file):
    assert [path for path in imported_by(file) if not path.is_file()] == []


def test_every_template_is_named_somewhere():
    named = {path for source in SOURCES for name in templates_named_by(source) for path in templates_called(name)}
    assert {label(path) for path in own("templates", "html")} - {label(path) for path in named} == set()


def test_every_script_and_style_sheet_is_linked_or_imported():
    linked = {path for source in SOURCES for name in static_named_by(source) for path in STATIC.glob(name)}
    imported = {path for file in LINKED for path in imported_by(file)}
    assert {label(path) for path in LINKED} - {label(path) for path in linked | imported} == set()


@pytest.mark.parametrize("page", [ROOT / "README.md", *own("docs", "md")], ids=label)
def test_every_template_script_and_style_sheet_in_the_docs_exists(page):
    roots = (ROOT, TEMPLATES, STATIC)
    named = set(DOCUMENTED.findall(page.read_text()))
    assert [name for name in named if not any((root / name).is_file() for root in roots)] == []
