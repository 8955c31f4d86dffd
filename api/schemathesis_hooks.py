"""Rules of the API that a schema cannot express, for generated requests that are
meant to be valid:

- an Idempotency-Key belongs to one request body (another one is refused with 422,
  the same one is answered with the first message, deleted or not);
- `since` is not after `until` (refused with 422);
- `q` needs a `recipient` or a `sender` (refused with 422);
- what is replied to or read up to is a message of the two users (refused with 422),
  and so one is sent first;
- nobody blocks themselves (refused with 422);
- a cursor is not ahead of the feed (refused with 422).

A stream of changes does not end, and a request may wait for a minute. Here none is
asked for, and none waits for more than a second: other tests do.
"""

import itertools
import os
import re
import uuid
from datetime import UTC, datetime
from urllib.parse import quote, unquote

import requests
import schemathesis

_server = requests.Session()
_base_url = os.environ["BASE_URL"]
_sends = itertools.count(1)


@schemathesis.hook
def before_call(context, case, kwargs):
    key = (case.headers or {}).get("Idempotency-Key")
    if isinstance(key, str) and re.fullmatch(r"[!-~]([ -~]{0,253}[!-~])?", key):
        number = f"{next(_sends):08}"
        case.headers["Idempotency-Key"] = key[: max(1, len(key) - len(number))] + number

    query = case.query or {}
    if "q" in query and not {"recipient", "sender"} & query.keys():
        query["recipient"] = "bob"
    since, until = _time(query.get("since")), _time(query.get("until"))
    if until and since and since > until:
        query["since"], query["until"] = query["until"], query["since"]
    elif until and "since" not in query:
        query["since"] = query["until"]

    if case.operation.label.endswith("/changes"):
        case.headers["Accept"] = "application/json"
        if query.get("wait") in range(1, 61):
            query["wait"] = 1

    if case.meta and not case.meta.generation.mode.is_positive:
        return
    if case.operation.label.endswith("/changes"):
        for place in (query, case.headers):
            for name in {"after", "Last-Event-ID"} & place.keys():
                place[name] = "00000000-0000-0000-0000-000000000000"
    body, path = case.body if isinstance(case.body, dict) else {}, case.path_parameters or {}
    if _is_id(body.get("replyTo")):
        body["replyTo"] = _message(body.get("sender"), body.get("recipient"), body["replyTo"])
    if case.operation.label.endswith("/read-marker") and _is_id(body.get("messageId")):
        body["messageId"] = _message(unquote(path["peerId"]), unquote(path["userId"]), body["messageId"])
    if case.operation.label.startswith("PUT") and "/blocks/" in case.operation.label and path["userId"] == path["peerId"]:
        user = unquote(path["userId"])  # as the schema describes it, which is checked again
        case.path_parameters = {"userId": user, "peerId": "mallory" if user != "mallory" else "eve"}


def _is_id(value):
    try:
        return isinstance(value, str) and str(uuid.UUID(value)) == value.lower()
    except ValueError:
        return False


def _message(sender, recipient, otherwise):
    """Sends a message, also where it would be blocked, and returns its id, or what is
    given if the users are none."""
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
