"""Makes generated requests keep the rules that a schema cannot express. The service
refuses a request that breaks one with 422:

- an Idempotency-Key belongs to one request body (the same body again gets the first
  message, even if it was deleted);
- `since` is not after `until`;
- `q` needs a `recipient` or a `sender`, and `highlight` needs `q`;
- `replyTo` and the `messageId` of a read marker name a message between the two users,
  so the hook sends one first;
- users do not block themselves;
- a service names the owner of the group that it creates;
- a cursor is not ahead of the feed;
- a service key expires in the future, and tokens are revoked up to now.

The hook leaves out tickets, since a request has one credential, and empty ids of a last event,
which count as absent. It also asks for no stream of changes, which would not end, and for long polls
of at most one second: other tests cover both.

Requests are made with the service key in SERVICE_KEY. Where it is empty, every operation that is
not public must answer 401, whatever else is wrong with the request.
"""

import itertools
import os
import re
import uuid
from datetime import UTC, datetime
from urllib.parse import quote, unquote

import requests
import schemathesis

_base_url = os.environ["BASE_URL"]
_credential = {"Authorization": "Bearer " + os.environ["SERVICE_KEY"]} if os.environ["SERVICE_KEY"] else {}
_server = requests.Session()
_server.headers.update(_credential)
_sends = itertools.count(1)


@schemathesis.hook
def before_call(context, case, kwargs):
    key = (case.headers or {}).get("Idempotency-Key")
    if isinstance(key, str) and re.fullmatch(r"[!-~]([ -~]{0,253}[!-~])?", key):
        number = f"{next(_sends):08}"
        case.headers["Idempotency-Key"] = key[: max(1, len(key) - len(number))] + number

    query = case.query or {}
    query.pop("ticket", None)
    if case.operation.label == "GET /v1/messages" and "q" in query and not {"recipient", "sender"} & query.keys():
        query["recipient"] = "bob"
    if "q" not in query:
        query.pop("highlight", None)
    since, until = _time(query.get("since")), _time(query.get("until"))
    if until and since and since > until:
        query["since"], query["until"] = query["until"], query["since"]
    elif until and "since" not in query:
        query["since"] = query["until"]

    if case.operation.label.endswith("/changes"):
        case.headers["Accept"] = "application/json"
        if query.get("wait") in range(1, 61):
            query["wait"] = 1
        for place, name in (query, "lastEventId"), (case.headers, "Last-Event-ID"):
            if place.get(name) == "":
                place[name] = "junk"

    if case.meta and not case.meta.generation.mode.is_positive:
        return
    if case.operation.label.endswith("/changes"):
        for place in (query, case.headers):
            for name in {"after", "lastEventId", "Last-Event-ID"} & place.keys():
                place[name] = "00000000-0000-0000-0000-000000000000"
    body, path = case.body if isinstance(case.body, dict) else {}, case.path_parameters or {}
    if _is_id(body.get("replyTo")):
        body["replyTo"] = _message(body.get("sender"), body.get("recipient"), body["replyTo"])
    if case.operation.label.endswith("/read-marker") and _is_id(body.get("messageId")):
        body["messageId"] = _message(unquote(path["peerId"]), unquote(path["userId"]), body["messageId"])
    if case.operation.label == "PUT /v1/groups/{groupId}":
        body.setdefault("owner", "alice")
    now = datetime.now(UTC)
    if (expires := _time(body.get("expiresAt"))) and expires <= now:
        body["expiresAt"] = "2999-01-01T00:00:00Z"
    if (before := _time(body.get("issuedBefore"))) and before > now:
        body["issuedBefore"] = now.isoformat()
    if case.operation.label.startswith("PUT") and "/blocks/" in case.operation.label and path["userId"] == path["peerId"]:
        user = unquote(path["userId"])  # Schemathesis checks the unescaped value against the schema
        case.path_parameters = {"userId": user, "peerId": "mallory" if user != "mallory" else "eve"}


@schemathesis.check
def refused_without_credential(context, response, case):
    is_public = case.operation.definition.raw.get("security") == []
    finds_operation = case.method == case.operation.method.upper() and response.status_code not in (404, 405)
    if not _credential and not is_public and finds_operation:
        assert response.status_code == 401, f"answered {response.status_code} without a credential"


def _is_id(value):
    try:
        return isinstance(value, str) and str(uuid.UUID(value)) == value.lower()
    except ValueError:
        return False


def _message(sender, recipient, otherwise):
    """Sends a message, after lifting a block, and returns its id, or `otherwise` if the
    user ids are invalid."""
    if not isinstance(sender, str) or not isinstance(recipient, str):
        return otherwise
    _server.delete(f"{_base_url}/v1/users/{quote(recipient, safe='')}/blocks/{quote(sender, safe='')}")
    answer = _server.post(f"{_base_url}/v1/messages", json={"sender": sender, "recipient": recipient, "text": "before"})
    return answer.json()["id"] if answer.status_code == 201 else otherwise


def _time(value):
    try:
        time = datetime.fromisoformat(value)
        return time if time.tzinfo else time.replace(tzinfo=UTC)
    except (TypeError, ValueError):
        return None
