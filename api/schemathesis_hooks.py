"""Three rules of the API that a schema cannot express, for generated requests that
are meant to be valid:

- an Idempotency-Key belongs to one request body (another one is refused with 422,
  the same one is answered with the first message, deleted or not);
- `since` is not after `until` (refused with 422);
- `q` needs a `recipient` or a `sender` (refused with 422).
"""

import itertools
import re
from datetime import UTC, datetime

import schemathesis

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


def _time(value):
    try:
        time = datetime.fromisoformat(value)
        return time if time.tzinfo else time.replace(tzinfo=UTC)
    except (TypeError, ValueError):
        return None
