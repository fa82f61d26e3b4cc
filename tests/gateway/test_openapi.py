"""Schemathesis tries the API as its own description says: no server error, no answer that is not described."""

import time

import pytest
import schemathesis
from hypothesis import HealthCheck, Phase, given, settings
from schemathesis.checks import not_a_server_error
from schemathesis.generation import GenerationMode
from schemathesis.specs.openapi.checks import response_schema_conformance, status_code_conformance

from notiway.gateway.client_tokens import Claims, mint
from notiway.store.credentials import api_keys

CHECKS = (not_a_server_error, status_code_conformance, response_schema_conformance)
EXAMPLES = 80


@pytest.mark.parametrize("mode", [GenerationMode.POSITIVE, GenerationMode.NEGATIVE], ids=["as described", "otherwise"])
@pytest.mark.parametrize("route", ["POST /api/notifications", "GET /api/notifications", "POST /api/tokens"])
def test_no_input_makes_the_server_fail(app, route, mode):
    with app.app_context():
        key = api_keys.add("schemathesis", ["publish", "token"])[1]
    schema = schemathesis.openapi.from_wsgi("/api/openapi.json", app)
    method, path = route.split()
    tried = []

    @settings(
        max_examples=EXAMPLES,
        deadline=None,
        database=None,
        phases=[Phase.explicit, Phase.generate],
        suppress_health_check=list(HealthCheck),
    )
    @given(case=schema[path][method].as_strategy(generation_mode=mode))
    def attempt(case):
        case.headers = {**(case.headers or {}), "Authorization": f"Bearer {key}"}
        response = case.call()
        tried.append(response.status_code)
        case.validate_response(response, checks=CHECKS)

    attempt()
    assert len(tried) > EXAMPLES / 4


@pytest.mark.parametrize("mode", [GenerationMode.POSITIVE, GenerationMode.NEGATIVE], ids=["as described", "otherwise"])
@pytest.mark.parametrize("method", ["GET", "PUT"])
def test_no_settings_make_the_server_fail(app, user, method, mode):
    claims = Claims(user.id, expires_at=time.time() + 600)
    token = mint(app.extensions["notiway"].token_secret, claims)
    schema = schemathesis.openapi.from_wsgi("/api/openapi.json", app)
    tried = []

    @settings(
        max_examples=EXAMPLES // 8,
        deadline=None,
        database=None,
        phases=[Phase.explicit, Phase.generate],
        suppress_health_check=list(HealthCheck),
    )
    @given(case=schema["/notifications/settings"][method].as_strategy(generation_mode=mode))
    def attempt(case):
        case.headers = {**(case.headers or {}), "Authorization": f"Bearer {token}", "Accept": "application/json"}
        response = case.call()
        tried.append(response.status_code)
        case.validate_response(response, checks=CHECKS)

    attempt()
    assert 200 in tried or mode is GenerationMode.NEGATIVE
