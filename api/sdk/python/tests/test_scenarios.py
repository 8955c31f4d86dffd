"""Runs the retry scenarios that are the same for the SDKs of all languages: a service that
fails at first. The server of the scenarios counts the attempts."""

import asyncio
import datetime
import json
import os
import uuid
from collections.abc import AsyncIterator, Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import httpx
import pytest
from message_service_client import Client
from message_service_client.api.changes import list_changes
from message_service_client.api.conversations import list_conversation_messages
from message_service_client.api.messages import edit_message, list_messages, send_message
from message_service_client.api.service import get_limits
from message_service_client.api.users import block_user, erase_user
from message_service_client.models import EditMessageRequest, SendMessageRequest
from message_service_client.tokens import Token, TokenSourceError

SCENARIOS = os.environ["SCENARIOS"]
DRAFT = SendMessageRequest(sender="alice", recipient="bob", text="x")
CALLS: dict[str, Callable[[Client], Any]] = {
    "read": lambda client: list_messages.sync_detailed(client=client),
    "send": lambda client: send_message.sync_detailed(client=client, body=DRAFT),
    "keyedSend": lambda client: send_message.sync_detailed(client=client, body=DRAFT, idempotency_key=str(uuid.uuid4())),
    "edit": lambda client: edit_message.sync_detailed(uuid.uuid4(), client=client, body=EditMessageRequest(text="x")),
    "block": lambda client: block_user.sync_detailed("bob", "mallory", client=client),
    "erase": lambda client: erase_user.sync_detailed("bob", client=client),
}


def token_of(scenario: dict[str, Any]) -> Token | None:
    """Returns the token of a scenario, or a source of its tokens, which fails instead of an empty one."""
    tokens: list[str] = scenario.get("tokens", [])

    def source() -> str:
        token = tokens.pop(0)
        if not token:
            raise RuntimeError("The source fails.")
        return token

    return source if tokens else scenario.get("token")


def outcome(scenario: dict[str, Any]) -> str:
    url, token = f"{SCENARIOS}/{scenario['name']}", token_of(scenario)
    with Client(base_url=url, token=token, timeout=httpx.Timeout(2), follow_redirects=True) as client:
        try:
            return str(int(CALLS[scenario["call"]](client).status_code))
        except (httpx.TransportError, TokenSourceError):
            return "error"


def test_requests_are_retried_as_in_all_sdks() -> None:
    scenarios = httpx.get(f"{SCENARIOS}/scenarios").json()
    assert scenarios
    with ThreadPoolExecutor(len(scenarios)) as threads:
        outcomes = list(threads.map(outcome, scenarios))
    assert {s["name"]: o for s, o in zip(scenarios, outcomes, strict=True)} == {s["name"]: s["want"] for s in scenarios}


LIMITS = {
    "userIdMaxLength": 128, "textMaxLength": 4096, "metadataMaxBytes": 4096, "metadataMaxDepth": 30, "idempotencyKeyMaxLength": 255,
    "pageMaxMessages": 100, "pageMaxBytes": 524288, "defaultWindowDays": 30, "requestMaxBytes": 65536, "userMaxStreams": 10,
    "groupMaxMembers": 1000, "userMaxGroups": 1000, "rateLimits": [],
}  # fmt: skip


def test_async_requests_are_retried_too(monkeypatch: pytest.MonkeyPatch) -> None:
    waits: list[float] = []

    async def sleep(seconds: float) -> None:
        waits.append(seconds)

    monkeypatch.setattr("message_service_client.retrying.anyio.sleep", sleep)
    answers: list[httpx.Response | Exception] = [
        httpx.Response(503, headers={"Retry-After": "7"}),
        httpx.ConnectError("Refused."),
        httpx.Response(429, headers={"Date": "Mon, 23 Nov 2026 12:00:00 GMT", "Retry-After": "Mon, 23 Nov 2026 12:00:30 GMT"}),
        httpx.Response(200, json=LIMITS),
    ]

    def answer(_: httpx.Request) -> httpx.Response:
        next_one = answers.pop(0)
        if isinstance(next_one, Exception):
            raise next_one
        return next_one

    async def run() -> int:
        async with Client(base_url=SCENARIOS, httpx_args={"transport": httpx.MockTransport(answer)}) as client:
            return (await get_limits.asyncio_detailed(client=client)).status_code

    assert asyncio.run(run()) == 200
    for wait, (least, most) in zip(waits, [(7, 8.75), (0.4, 0.5), (30, 37.5)], strict=True):
        assert least <= wait <= most


def test_an_async_answer_that_takes_too_long_is_given_up(monkeypatch: pytest.MonkeyPatch) -> None:
    asked = 0

    async def sleep(_: float) -> None:
        pass

    monkeypatch.setattr("message_service_client.retrying.anyio.sleep", sleep)

    async def body() -> AsyncIterator[bytes]:
        yield json.dumps(LIMITS).encode()

    def answer(_: httpx.Request) -> httpx.Response:
        nonlocal asked
        asked += 1
        return httpx.Response(200, content=body())

    async def run(seconds: float) -> int:
        transport = httpx.MockTransport(answer)
        async with Client(base_url=SCENARIOS, timeout=httpx.Timeout(seconds), httpx_args={"transport": transport}) as client:
            return (await get_limits.asyncio_detailed(client=client)).status_code

    with pytest.raises(httpx.ReadTimeout):
        asyncio.run(run(-1))  # the deadline has passed before the attempt begins
    assert asked == 5
    assert asyncio.run(run(30)) == 200


def test_the_wait_of_a_long_poll_is_added_to_the_timeout() -> None:
    seen: list[float] = []

    def answer(request: httpx.Request) -> httpx.Response:
        seen.append(request.extensions["timeout"]["read"])
        return httpx.Response(200, json={"changes": [], "next": str(uuid.UUID(int=0)), "hasMore": False})

    with Client(base_url=SCENARIOS, httpx_args={"transport": httpx.MockTransport(answer)}) as client:
        list_changes.sync("bob", client=client, wait=60)
        list_changes.sync("bob", client=client)
    assert seen == [90, 30]


def test_a_time_without_a_zone_is_refused() -> None:
    naive = datetime.datetime(2026, 11, 23)
    with Client(base_url=SCENARIOS) as client:
        with pytest.raises(ValueError, match="^since needs a time zone"):
            list_messages.sync(client=client, since=naive)
        with pytest.raises(ValueError, match="^until needs a time zone"):
            list_conversation_messages.sync("bob", "alice", client=client, until=naive)
