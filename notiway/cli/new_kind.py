"""The new-kind command: the declaration of a kind, its templates and a test, to begin with."""

from __future__ import annotations

import keyword
import os
import re
import sys
from pathlib import Path

import click
from flask import current_app
from flask.cli import AppGroup

from notiway.values.draft import name_faults, words_of
from notiway.values.errors import InvalidNotification

DECLARATION = '''"""The kind {name}."""

from notiway import Notiway
from notiway.kinds import Kind


def declare(notiway: Notiway) -> Kind:
    """Call it once for the application's Notiway, before or after `init_app`."""
    return notiway.kind("{name}", label="{label}", icon="bell", category="{category}", priority="medium")
'''
ITEM = """{{% extends "notiway/item/_item.html" %}}
{{#- {name} in lists: panel, history, live pages. Context: item.
    Blocks: icon, title, text, media, meta, actions. -#}}
{{% block text %}}
<p class="notiway-item__message" dir="auto">{{{{ item.message }}}}</p>
{{% endblock %}}
"""
TOAST = """{{% extends "notiway/toast/_toast.html" %}}
{{#- {name} as a toast. Context: toast. Blocks: icon, title, text, media, actions. -#}}
{{% block text %}}
<p class="notiway-toast__message" dir="auto">{{{{ toast.message }}}}</p>
{{% endblock %}}
"""
TEST = '''"""The kind {name}: it is declared, and its templates can be read."""

from pathlib import Path

import pytest
from jinja2 import Environment
from notiway import Notiway
from {module} import declare

TEMPLATES = Path(__file__).parent / "{templates}"


def test_it_is_declared():
    notiway = Notiway()
    kind = declare(notiway)
    assert notiway.declared.get("{name}") is kind
    assert kind.label == "{label}"


@pytest.mark.parametrize("folder", ["items", "toasts"])
def test_its_templates_can_be_read(folder):
    Environment(autoescape=True).parse((TEMPLATES / "notiway" / folder / "{name}.html").read_text())
'''
NEXT = """
Next:
  1. Where your application makes its Notiway:
       from {module} import declare
       declare(notiway)
  2. send_notification(user_id, "…", name="{name}")
  3. Change the templates, or delete those that you don't need: then Notiway's own are taken.
  4. pytest {test}"""


def register(commands: AppGroup) -> None:
    """Add `new-kind`."""
    commands.command("new-kind")(new_kind)


@click.argument("name")
@click.option("--label", help="Its name for people; by default made from NAME.")
@click.option("--category", help="What users mute; by default the first word of NAME.")
@click.option("--tests", default="tests", show_default=True, help="The folder of your tests.", type=click.Path())
def new_kind(name: str, label: str | None, category: str | None, tests: str) -> None:
    """Write what the kind NAME begins with: a declaration, templates and a test. No file is overwritten."""
    if faults := name_faults(name):
        raise InvalidNotification(f"{name!r} cannot be the name of a kind", faults)
    root, package = Path(current_app.root_path), _package()
    word = _module_name(name)
    templates = root / (current_app.template_folder or "templates")
    test = Path(tests) / f"test_{word}.py"
    values = {
        "name": name,
        "label": _quoted(label or words_of(name)),
        "category": _quoted(category or re.split(r"[._-]", name)[0]),
        "module": ".".join(part for part in (package, "kinds", word) if part),
        "templates": Path(os.path.relpath(templates.resolve(), test.parent.resolve())).as_posix(),
        "test": test,
    }
    for path, text in (
        (root / "kinds" / f"{word}.py", DECLARATION),
        (templates / "notiway" / "items" / f"{name}.html", ITEM),
        (templates / "notiway" / "toasts" / f"{name}.html", TOAST),
        (test, TEST),
    ):
        click.echo(f"{'wrote' if _write(path, text.format(**values)) else 'kept, since it is there'}\t{path}")
    click.echo(NEXT.format(**values))


def _write(path: Path, text: str) -> bool:
    """Write a new file; False, and nothing happened, if there is one."""
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        with path.open("x", encoding="utf-8") as file:
            file.write(text)
    except FileExistsError:
        return False
    except OSError as error:
        raise click.ClickException(f"{path} cannot be written: {error.strerror}") from error
    return True


def _package() -> str:
    """The package that the application is in; empty if it is a module of its own."""
    name = current_app.import_name
    is_package = hasattr(sys.modules.get(name), "__path__")
    return name if is_package else name.rpartition(".")[0]


def _module_name(name: str) -> str:
    word = re.sub(r"[.-]", "_", name).lower()
    return word if word.isidentifier() and not keyword.iskeyword(word) else f"kind_{word}"


def _quoted(text: str) -> str:
    """As it stands between double quotes in Python."""
    return text.replace("\\", "\\\\").replace('"', '\\"').replace("\n", " ")
