"""Units, image and manifests: their commands, paths and settings are ones that Notiway knows."""

from __future__ import annotations

import configparser
import re
import shlex
from dataclasses import fields

import click
import pytest
import yaml
from serving import ROOT

from deploy.proxies import DEPLOY
from notiway.values.config import Config

UNITS = sorted((DEPLOY / "systemd").glob("*.service"))
LIVE_PATHS = {"/ws/notifications", "/hub", "/api/notifications/stream"}
SECONDS_AFTER_DRAIN = 5


def unit(path):
    parser = configparser.ConfigParser(strict=False, interpolation=None)
    parser.optionxform = str
    parser.read_string(path.read_text())
    return parser


def compose():
    return yaml.safe_load((DEPLOY / "compose.yaml").read_text())


def manifests():
    return list(yaml.safe_load_all((DEPLOY / "kubernetes" / "notiway.yaml").read_text()))


def pods():
    """The pod's specification of each workload, by its name."""
    return {
        each["metadata"]["name"]: each["spec"]["template"]["spec"]
        for each in manifests()
        if each["kind"] in ("Deployment", "Job")
    }


def commands():
    """Every command line of deploy/, as words."""
    for path in UNITS:
        service = unit(path)["Service"]
        yield from (shlex.split(service[name]) for name in ("ExecStartPre", "ExecStart") if name in service)
    yield from (each["command"] for each in compose()["services"].values() if "flask" in each.get("command", ()))
    yield from (each["command"] for pod in pods().values() for each in pod["containers"] if "command" in each)


def test_every_command_is_understood(app):
    group = app.cli.commands["notiway"]
    found = [words[words.index("notiway") + 1 :] for words in commands() if "notiway" in words]
    assert len(found) > 8
    for words in found:
        command, arguments = group, list(words)
        while isinstance(command, click.Group):
            command = command.commands[arguments.pop(0)]
        command.make_context(command.name, arguments)


def test_every_setting_is_known():
    known = {f"NOTIWAY_{spec.name.upper()}" for spec in fields(Config)}
    for path in DEPLOY.rglob("*"):
        if path.is_file() and "monitoring" not in path.parts:
            assert set(re.findall(r"\bNOTIWAY_[A-Z][A-Z_]*[A-Z]\b", path.read_text())) <= known, path


def test_the_image_has_what_is_there_and_what_the_application_needs():
    text = (DEPLOY / "Dockerfile").read_text()
    copied = {source for line in re.findall(r"^COPY (.+) \S+$", text, re.MULTILINE) for source in line.split()}
    assert {"app.py", "notiway", "templates", "static", "migrations", "requirements.txt"} <= copied
    assert [source for source in copied if not (ROOT / source).exists()] == []


@pytest.mark.parametrize("name", ["notiway-live.service", "notiway-worker.service"])
def test_who_drains_is_given_the_time(name):
    seconds = int(unit(DEPLOY / "systemd" / name)["Service"]["TimeoutStopSec"])
    assert seconds > Config().drain_seconds + SECONDS_AFTER_DRAIN
    assert int(compose()["services"]["live"]["stop_grace_period"].removesuffix("s")) >= seconds


def test_a_pod_drains_behind_its_hook_and_is_asked_where_it_answers(app):
    (settings,) = [each["data"] for each in manifests() if each["kind"] == "ConfigMap"]
    live = pods()["notiway-live"]
    (container,) = live["containers"]
    pause = int(container["lifecycle"]["preStop"]["exec"]["command"][1])
    drain = float(settings["NOTIWAY_DRAIN_SECONDS"])
    assert live["terminationGracePeriodSeconds"] > pause + drain + SECONDS_AFTER_DRAIN
    routes = {rule.rule for rule in app.url_map.iter_rules()}
    for name in ("notiway-app", "notiway-live"):
        (container,) = pods()[name]["containers"]
        assert {container[probe]["httpGet"]["path"] for probe in ("livenessProbe", "readinessProbe")} <= routes


def test_every_router_sends_the_live_paths_to_the_live_process():
    (ingress,) = [each for each in manifests() if each["kind"] == "Ingress"]
    paths = {
        each["path"]
        for each in ingress["spec"]["rules"][0]["http"]["paths"]
        if each["backend"]["service"]["name"] == "notiway-live"
    }
    assert paths == LIVE_PATHS
    for name in ("nginx/notiway.conf", "nginx/compose.conf", "caddy/Caddyfile", "haproxy/haproxy.cfg"):
        text = (DEPLOY / name).read_text()
        assert all(path.removeprefix("/") in text for path in (*LIVE_PATHS, "/hub/negotiate")), name


def test_composes_nginx_is_the_tested_one_with_other_names():
    tested = (DEPLOY / "nginx" / "notiway.conf").read_text().splitlines()
    ours = (DEPLOY / "nginx" / "compose.conf").read_text().splitlines()
    changed = {line.strip() for line in ours} - {line.strip() for line in tested}
    assert len(changed) <= 7, changed
