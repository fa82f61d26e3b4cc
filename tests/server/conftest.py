"""One server of each kind for the whole run; a server of its own for a test that stops it or sets it differently."""

import pytest
from conftest import DATABASE
from held import HeldSite
from servers import redis_process
from serving import Site

from server.talk import new_visitor

KINDS = {"gunicorn": Site, "flask run": HeldSite}
GENEROUS = {"NOTIWAY_MAX_CONNECTIONS_PER_USER": 3000}


def pytest_collection_modifyitems(items):
    for item in items:
        if "server" in item.path.parts:
            item.add_marker(pytest.mark.server)


@pytest.fixture(scope="session")
def template(tmp_path_factory, request):
    """A migrated database with the demo users in PostgreSQL, to be copied for each site."""
    folder = tmp_path_factory.mktemp("template")
    postgres = request.getfixturevalue("postgres")
    url = postgres.empty()
    Site(folder, NOTIWAY_DATABASE_URL=url, NOTIWAY_JOBS_URL=f"sqlite:///{folder}/jobs.db").prepare()
    return url


@pytest.fixture(scope="session")
def make_site(request, tmp_path_factory):
    """Makes sites, not started: `make_site(NOTIWAY_QUEUE_LIMIT=8192)`, `make_site(kind=HeldSite)`.

    `on` is the kind of the database: without it that of the run.
    """
    made = []

    def places(folder, on):
        if on == "sqlite":
            Site(folder).prepare()
            return {}
        postgres = request.getfixturevalue("postgres")
        url = postgres.copy(request.getfixturevalue("template"))
        return {"NOTIWAY_DATABASE_URL": url, "NOTIWAY_JOBS_URL": f"sqlite:///{folder}/jobs.db"}

    def make(application="loud_app:app", kind=Site, on=DATABASE, **settings):
        folder = tmp_path_factory.mktemp("site")
        chosen = "sqlite" if "NOTIWAY_DATABASE_URL" in settings else on
        made.append(kind(folder, application, **(places(folder, chosen) | settings)))
        return made[-1]

    yield make
    for site in made:
        site.close()


@pytest.fixture(scope="session")
def site(make_site):
    """gunicorn, shared by all tests that leave it running."""
    return make_site(**GENEROUS).start()


@pytest.fixture(scope="session", params=KINDS)
def any_site(request, make_site):
    """gunicorn, then `flask run`, shared."""
    if request.param == "gunicorn":
        return request.getfixturevalue("site")
    return make_site(kind=KINDS[request.param], **GENEROUS).start()


@pytest.fixture(scope="session", params=KINDS)
def quick_site(request, make_site):
    """Either server with a heartbeat of half a second."""
    return make_site(kind=KINDS[request.param], NOTIWAY_HEARTBEAT_SECONDS=0.5).start()


@pytest.fixture(scope="session")
def redis():
    """A Redis for the whole run."""
    with redis_process() as running:
        yield running


@pytest.fixture(scope="session")
def several(make_site, redis):
    """Three workers of gunicorn that share a Redis."""
    return make_site(WEB_CONCURRENCY=3, NOTIWAY_BROKER_URL=redis.url, NOTIWAY_JOBS="web", **GENEROUS).start()


@pytest.fixture
def visitor(site):
    """A new user of gunicorn's site."""
    with new_visitor(site) as visitor:
        yield visitor


@pytest.fixture
def ada(any_site):
    """A new user of either server."""
    with new_visitor(any_site) as visitor:
        yield visitor


@pytest.fixture
def bob(any_site):
    """Another one."""
    with new_visitor(any_site) as visitor:
        yield visitor


@pytest.fixture
def start(make_site):
    """Starts a site of the test's own; it is gone after the test."""
    started = []

    def begin(*options, **settings):
        started.append(make_site(**settings).start(*options))
        return started[-1]

    yield begin
    for site in started:
        site.close()
