"""OpenAPI: the description of the HTTP API, made from the same models that check the input."""

from __future__ import annotations

from typing import Any

from notiway.gateway.client_tokens import DEFAULT_TTL_SECONDS, MAX_AUDIENCES, MAX_TTL_SECONDS
from notiway.gateway.envelope_model import EnvelopeModel
from notiway.values.attention.attention import CHANNELS, DENSITIES, MOTIONS, OFF, PAUSES, TOAST_SECONDS, TOMORROW
from notiway.values.attention.schedule import DAYS

REF = "#/components/schemas/"
SNIPPET: dict[str, Any] = {
    "id": "billing-invoice-ready-2025-01-15",
    "type": "invoice-ready",
    "body": {"invoiceId": "INV-789", "amount": 149.99, "currency": "USD"},
    "routing": {"audienceType": 4, "audienceValue": "user-123", "tenantId": None},
    "metadata": {"producer": "billing-service", "isPersisted": True},
}


def document(prefix: str) -> dict[str, Any]:
    """The OpenAPI 3.1 document, as JSON values; `prefix` is the path under which the API is mounted."""
    return {
        "openapi": "3.1.0",
        "info": {
            "title": "Notiway",
            "version": "1",
            "description": "Publish notifications from any service, make tokens for clients, and catch up.",
        },
        "servers": [{"url": prefix or "/"}],
        "paths": {
            "/api/notifications": {"post": _publish(), "get": _after()},
            "/api/tokens": {"post": _token()},
            "/api/presence": {"get": _presence()},
            "/notifications/settings": {"get": _settings(), "put": _change_settings()},
        },
        "components": {
            "securitySchemes": {
                "apiKey": {"type": "http", "scheme": "bearer", "description": "An API key: nw_…"},
                "clientToken": {"type": "http", "scheme": "bearer", "bearerFormat": "JWT"},
            },
            "schemas": _schemas(),
        },
    }


def _publish() -> dict[str, Any]:
    body = {
        "oneOf": [{"$ref": f"{REF}Envelope"}, {"type": "array", "items": {"$ref": f"{REF}Envelope"}, "maxItems": 1000}]
    }
    return {
        "summary": "Publish one envelope, or an array of up to 1,000",
        "operationId": "publish",
        "security": [{"apiKey": []}],
        "requestBody": {"required": True, "content": {"application/json": {"schema": body, "example": SNIPPET}}},
        "responses": {
            "200": _answer(
                "A duplicate, which was not delivered again; or the answers to an array, item by item",
                {"oneOf": [{"$ref": f"{REF}Published"}, {"type": "array", "items": {"$ref": f"{REF}Result"}}]},
            ),
            "201": _answer("Taken", {"$ref": f"{REF}Published"}),
            **_errors(400, 401, 403, 413, 422, 429, 503),
        },
    }


def _after() -> dict[str, Any]:
    return {
        "summary": "What came after an id, oldest first",
        "operationId": "after",
        "security": [{"clientToken": []}],
        "parameters": [
            {
                "name": "since",
                "in": "query",
                "schema": {"type": "string", "format": "uuid"},
                "description": "The id of the newest notification that you have; without it, from the beginning",
            },
            {
                "name": "limit",
                "in": "query",
                "schema": {"type": "integer", "minimum": 1, "maximum": 200, "default": 50},
            },
        ],
        "responses": {"200": _answer("Notifications", {"$ref": f"{REF}Page"}), **_errors(400, 401, 403, 503)},
    }


def _token() -> dict[str, Any]:
    return {
        "summary": "Make a token for a client without a session",
        "operationId": "makeToken",
        "security": [{"apiKey": []}],
        "requestBody": {"required": True, "content": {"application/json": {"schema": {"$ref": f"{REF}TokenRequest"}}}},
        "responses": {"201": _answer("The token", {"$ref": f"{REF}Token"}), **_errors(400, 401, 403, 413, 429, 503)},
    }


def _presence() -> dict[str, Any]:
    user = {"name": "user", "in": "query", "schema": {"type": "array", "items": {"type": "string"}, "maxItems": 1000}}
    audience = {"name": "audience", "in": "query", "schema": {"type": "string"}, "description": "A tenant or a group"}
    return {
        "summary": "Who of these users, or of an audience, is connected",
        "operationId": "presence",
        "security": [{"apiKey": []}, {"clientToken": []}],
        "parameters": [user, audience],
        "responses": {"200": _answer("The users", {"$ref": f"{REF}Presence"}), **_errors(400, 401, 403, 503)},
    }


def _settings() -> dict[str, Any]:
    return {
        "summary": "What the user has said about how notifications may ask for attention",
        "operationId": "settings",
        "security": [{"clientToken": []}],
        "responses": {"200": _answer("The settings", {"$ref": f"{REF}Settings"}), **_errors(401, 403, 503)},
    }


def _change_settings() -> dict[str, Any]:
    changes = {"$ref": f"{REF}SettingsChange"}
    return {
        "summary": "Change the settings that are named",
        "operationId": "changeSettings",
        "security": [{"clientToken": []}],
        "requestBody": {"required": True, "content": {"application/json": {"schema": changes}}},
        "responses": {
            "200": _answer("All settings as they are now", {"$ref": f"{REF}Settings"}),
            **_errors(400, 401, 403, 413, 422, 429, 503),
        },
    }


def _answer(description: str, schema: dict[str, Any]) -> dict[str, Any]:
    return {"description": description, "content": {"application/json": {"schema": schema}}}


def _errors(*statuses: int) -> dict[str, Any]:
    names = {
        400: "Not understood",
        401: "No key or token, or a bad one",
        403: "Not allowed",
        413: "Too large",
        422: "Not valid; every fault is named",
        429: "Too many requests; see Retry-After",
        503: "The database cannot answer now; nothing was changed, see Retry-After",
    }
    return {str(status): _answer(names[status], {"$ref": f"{REF}Error"}) for status in statuses}


def _schemas() -> dict[str, Any]:
    envelope = EnvelopeModel.model_json_schema(ref_template=REF + "{model}")
    parts = envelope.pop("$defs")
    text, flag = {"type": "string"}, {"type": "boolean"}
    published = _object({"id": text, "audienceId": text, "persisted": flag, "duplicate": flag})
    fault = _object({"path": text, "message": text})
    published["properties"]["warnings"] = {"type": "array", "items": fault, "description": "what was passed over"}
    error = _object({"code": text, "message": text, "fields": {"type": "array", "items": fault}})
    return {
        **parts,
        **_settings_schemas(),
        "Envelope": envelope,
        "Published": published,
        "Error": _object({"error": error}),
        "Result": {"oneOf": [{"$ref": f"{REF}Published"}, {"$ref": f"{REF}Error"}]},
        "TokenRequest": {
            "type": "object",
            "required": ["userId"],
            "properties": {
                "userId": {"type": "string", "minLength": 1, "maxLength": 200},
                "tenantId": {"type": ["string", "null"], "minLength": 1, "maxLength": 200},
                "audiences": {"type": "array", "items": text, "maxItems": MAX_AUDIENCES},
                "ttl": {"type": "integer", "minimum": 1, "maximum": MAX_TTL_SECONDS, "default": DEFAULT_TTL_SECONDS},
            },
        },
        "Token": _object({"token": text, "expiresAt": {"type": "integer", "description": "seconds since the epoch"}}),
        "Presence": _object(
            {
                "audience": {"type": ["string", "null"]},
                "online": {"type": "array", "items": text, "description": "user ids, at most 1,000"},
                "count": {"type": "integer"},
            }
        ),
        "Page": _object(
            {
                "notifications": {"type": "array", "items": {"type": "object"}},
                "unreadCount": {"type": "integer", "minimum": 0, "maximum": 100},
                "nextCursor": {"type": ["string", "null"], "description": "the next page; null at the end"},
                "cursor": {"type": "string", "description": "the end of this page, also where it is empty"},
            }
        ),
    }


def _settings_schemas() -> dict[str, Any]:
    flag, moment = {"type": "boolean"}, {"type": "integer", "description": "milliseconds since the epoch"}
    channels = {"type": "object", "properties": dict.fromkeys(CHANNELS, flag), "additionalProperties": False}
    time = {"type": "string", "pattern": "^([01][0-9]|2[0-3]):[0-5][0-9]$"}
    schedule = {"on": flag, "days": {"type": "array", "items": {"enum": list(DAYS)}}, "from": time, "to": time}
    shared = {
        "zone": {"type": ["string", "null"], "description": "of the IANA database"},
        "schedule": {"type": "object", "properties": schedule, "additionalProperties": False},
        "urgentBreaksThrough": flag,
        "toastSeconds": {"enum": [None, *TOAST_SECONDS], "description": "null: as usual; 0: until it is closed"},
        "browser": flag,
        "sound": flag,
        "volume": {"type": "integer", "minimum": 0, "maximum": 100},
        "motion": {"enum": list(MOTIONS)},
        "density": {"enum": list(DENSITIES)},
        "shortcuts": flag,
        "categories": {"type": "object", "additionalProperties": channels},
    }
    told = {
        "revision": {"type": "integer"},
        "now": moment,
        "quietUntil": {"type": ["integer", "null"]},
        "quiet": {"type": "array", "items": _object({"from": moment, "until": moment})},
        "always": {"type": "object", "additionalProperties": channels},
        "topics": {"type": "array", "items": {"type": "object"}},
    }
    changes = {**shared, "pause": {"enum": [*PAUSES, TOMORROW, OFF]}}
    return {
        "Settings": _object({**told, **shared}),
        "SettingsChange": {"type": "object", "properties": changes, "additionalProperties": False},
    }


def _object(properties: dict[str, Any]) -> dict[str, Any]:
    return {"type": "object", "required": list(properties), "properties": properties}
