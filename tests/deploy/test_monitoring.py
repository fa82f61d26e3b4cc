"""Alert rules and dashboard: every expression is evaluated by a real Prometheus against a real server."""

from __future__ import annotations

import json
import re
import subprocess

import pytest
import requests
import yaml
from server.talk import listen
from servers import accepts, free_port, wait_until
from serving import Site

from deploy.proxies import DEPLOY

pytestmark = pytest.mark.server
MONITORING = DEPLOY / "monitoring"
COMPARISON = re.compile(r" (?:>|==) [\d.]+$")
METRIC = re.compile(r"\bnotiway_\w+")


def alerts():
    """Each rule's name and expression."""
    groups = yaml.safe_load((MONITORING / "alerts.yml").read_text())["groups"]
    return {rule["alert"]: rule["expr"] for group in groups for rule in group["rules"]}


def panels():
    """Each target of the dashboard, with an interval in place of Grafana's variable."""
    dashboard = json.loads((MONITORING / "dashboard.json").read_text())
    return {
        f"{panel['title']} {target['refId']}": target["expr"].replace("$__rate_interval", "1m")
        for panel in dashboard["panels"]
        for target in panel["targets"]
    }


@pytest.fixture(scope="module")
def site(tmp_path_factory):
    site = Site(tmp_path_factory.mktemp("measured")).prepare().start()
    yield site
    site.close()


@pytest.fixture(scope="module")
def query(site, tmp_path_factory):
    """Asks a Prometheus that has scraped the server before and after something happened there."""
    folder, port = tmp_path_factory.mktemp("prometheus"), free_port()
    settings = yaml.safe_load((MONITORING / "prometheus.yml").read_text())
    settings["global"]["scrape_interval"] = "1s"
    settings["rule_files"] = [str(MONITORING / "alerts.yml")]
    settings["scrape_configs"][0]["static_configs"] = [{"targets": [f"127.0.0.1:{site.port}"]}]
    (folder / "prometheus.yml").write_text(yaml.safe_dump(settings))
    words = ["prometheus", f"--config.file={folder}/prometheus.yml", f"--storage.tsdb.path={folder}/data"]
    with (folder / "said.log").open("ab") as log:
        process = subprocess.Popen([*words, f"--web.listen-address=127.0.0.1:{port}"], stdout=log, stderr=log)

    def ask(expression):
        answer = requests.get(f"http://127.0.0.1:{port}/api/v1/query", {"query": expression}, timeout=30).json()
        assert answer["status"] == "success", answer
        return answer["data"]["result"]

    try:
        wait_until(lambda: accepts(port) or process.poll() is not None, 30)
        with site.sign_in() as visitor, listen(visitor) as listener:
            visitor.notify("Measured")
            listener.hear_only("notification")
            wait_until(lambda: ask("count_over_time(notiway_closes_total[1m]) > 1") or ask('up{job="notiway"} == 1'))
        wait_until(lambda: ask("count_over_time(notiway_events_received_total[1m]) > 1"))
        yield ask
    finally:
        process.terminate()
        process.wait(90)


@pytest.mark.parametrize("expression", [*alerts().values(), *panels().values()], ids=[*alerts(), *panels()])
def test_an_expression_finds_what_it_is_about(site, query, expression):
    query(expression)
    shown = requests.get(f"{site.url}/metrics", timeout=30).text
    known = {line.split()[2] for line in shown.splitlines() if line.startswith("# TYPE")}
    for name in METRIC.findall(expression):
        assert name.removesuffix("_bucket") in known, name
        if "notiway_closes" not in name:  # it has no series before the first one
            assert wait_until(lambda name=name: query(name)), name
    value = COMPARISON.sub("", expression)
    if "notiway_closes" not in expression and "delivery" not in expression:
        assert wait_until(lambda: query(value)), value


def test_no_alert_fires_for_a_server_that_is_well(query):
    assert [name for name, expression in alerts().items() if query(expression)] == []


def test_the_rules_fire_when_they_should():
    subprocess.run(["promtool", "check", "rules", "alerts.yml"], cwd=MONITORING, check=True, capture_output=True)
    subprocess.run(["promtool", "check", "config", "prometheus.yml"], cwd=MONITORING, check=True, capture_output=True)
    done = subprocess.run(
        ["promtool", "test", "rules", "alerts_test.yml"], cwd=MONITORING, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stdout + done.stderr
