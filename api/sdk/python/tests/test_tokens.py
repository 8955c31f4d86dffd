"""Tokens and their sources. Which requests are repeated is in test_scenarios.py, as for all SDKs."""

import asyncio
import json
import threading
from collections.abc import Awaitable, Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import httpx
import pytest
from following import Follow, both, text_of
from message_service_client import Client
from message_service_client.api.changes import list_changes
from message_service_client.api.service import get_health
from message_service_client.changes import ProblemError
from message_service_client.models import Change
from message_service_client.tokens import Token, TokenSourceError
from test_streams import Answer, Stream, bytes_of, cursor_of

URL = "http://localhost"
PREFIX = "urn:problem-type:message-service:"


class Source:
    """A source whose tokens are t1, t2 and so on, and which fails at the given numbers."""

    def __init__(self, *fails: int) -> None:
        self.fails, self.asked = fails, 0

    def __call__(self) -> str:
        self.asked += 1
        if self.asked in self.fails:
            raise RuntimeError("signed out")
        return f"t{self.asked}"


def refuse(kind: str, status: int = 401) -> httpx.Response:
    problem = {"type": PREFIX + kind, "title": "x", "status": status, "detail": "x", "instance": "urn:x"}
    return httpx.Response(status, headers={"Content-Type": "application/problem+json"}, content=json.dumps(problem))


def up() -> httpx.Response:
    return httpx.Response(200, text="UP\n")


def client_of(token: Token | None, answer: Callable[[httpx.Request], Any], **options: Any) -> Client:
    return Client(URL, token=token, httpx_args={"transport": httpx.MockTransport(answer)}, **options)


COUNT = 20


class CountedLock:
    """A lock that counts who have come to it."""

    def __init__(self) -> None:
        self.lock, self.came = threading.Lock(), threading.Semaphore(0)

    def __enter__(self) -> None:
        self.came.release()
        self.lock.acquire()

    def __exit__(self, *_: object) -> None:
        self.lock.release()


@pytest.mark.parametrize("fails", [(), (2,)])
def test_requests_that_are_refused_at_once_wait_for_one_new_token(
    fails: tuple[int, ...], monkeypatch: pytest.MonkeyPatch
) -> None:
    source, all_refused, lock = Source(*fails), threading.Barrier(COUNT), CountedLock()

    def ask() -> str:
        for _ in range(2 * COUNT if source.asked == 1 else 0):  # each comes for its first token and for another one
            assert lock.came.acquire(timeout=10)
        return source()

    def answer(request: httpx.Request) -> httpx.Response:
        if request.headers["Authorization"] != "Bearer t1":
            return up()
        all_refused.wait(10)
        return refuse("credential-expired")

    with client_of(ask, answer) as client:
        assert client._tokens and client._tokens.get() == "t1"
        monkeypatch.setattr(client._tokens, "_lock", lock)
        with ThreadPoolExecutor(COUNT) as threads:
            calls = [threads.submit(get_health.sync, client=client) for _ in range(COUNT)]
        outcomes = {str(call.exception() or call.result()) for call in calls}
    assert outcomes == {"There is no token: signed out" if fails else "UP\n"}
    assert source.asked == 2


@pytest.mark.parametrize("fails", [(), (2,)])
def test_async_requests_wait_for_one_new_token_too(fails: tuple[int, ...]) -> None:
    source, count = Source(*fails), 0

    async def ask() -> str:
        for _ in range(10):  # lets all others run until they wait
            await asyncio.sleep(0)
        return source()

    async def run() -> list[object]:
        all_refused = asyncio.Event()

        async def answer(request: httpx.Request) -> httpx.Response:
            nonlocal count
            if request.headers["Authorization"] != "Bearer t1":
                return up()
            count += 1
            if count == COUNT:
                all_refused.set()
            await all_refused.wait()
            return refuse("credential-expired")

        async with client_of(ask, answer) as client:
            calls = [get_health.asyncio(client=client) for _ in range(COUNT)]
            return [str(outcome) for outcome in await asyncio.gather(*calls, return_exceptions=True)]

    assert set(asyncio.run(run())) == {"There is no token: signed out" if fails else "UP\n"}
    assert source.asked == 2


def test_a_cancelled_request_leaves_the_source_to_the_next_one() -> None:
    asked = 0

    async def run() -> None:
        begun = asyncio.Event()

        async def ask() -> str:
            nonlocal asked
            asked += 1
            if asked == 1:
                begun.set()
                await asyncio.Event().wait()
            return "t"

        async with client_of(ask, lambda _: up()) as client:
            first = asyncio.create_task(get_health.asyncio(client=client))
            await begun.wait()
            second = asyncio.create_task(get_health.asyncio(client=client))
            await asyncio.sleep(0)
            first.cancel()
            assert await second == "UP\n"
            with pytest.raises(asyncio.CancelledError):
                await first

    asyncio.run(run())
    assert asked == 2


def test_no_other_origin_gets_the_token_and_no_redirect_is_followed() -> None:
    seen: list[tuple[str, str | None]] = []

    def answer(request: httpx.Request) -> httpx.Response:
        seen.append((str(request.url), request.headers.get("Authorization")))
        answer = refuse("x", 307)
        answer.headers["Location"] = "http://elsewhere"
        return answer

    with client_of("secret", answer, follow_redirects=True) as client:
        assert get_health.sync_detailed(client=client).status_code == 307
        for url in ["http://localhost:80/x", "https://localhost", "http://localhost:8080", "http://localhost.example.org"]:
            client.get_httpx_client().get(url, follow_redirects=False)
    assert seen == [
        ("http://localhost/health", "Bearer secret"),
        ("http://localhost/x", "Bearer secret"),
        ("https://localhost", None),
        ("http://localhost:8080", None),
        ("http://localhost.example.org", None),
    ]


def test_a_request_keeps_an_authorization_of_its_own_and_an_empty_token_is_none() -> None:
    seen: list[str | None] = []

    def answer(request: httpx.Request) -> httpx.Response:
        seen.append(request.headers.get("Authorization"))
        return up()

    tokens: list[Token | None] = [Source(), "", None]
    for token in tokens:
        with client_of(token, answer, headers={"Authorization": "Basic x"} if token else {}) as client:
            get_health.sync(client=client)
    assert seen == ["Basic x", None, None]


@pytest.mark.parametrize("bad", ["secret\n", "secret\r\nHost: x", "se cret", "Bearer secret", "secret=x", "sécret"])
def test_what_is_no_token_is_refused_and_not_shown(bad: str) -> None:
    with pytest.raises(ValueError, match="^A token consists") as fixed:
        Client(URL, token=bad)
    with client_of(lambda: bad, lambda _: up()) as client, pytest.raises(TokenSourceError) as asked:
        get_health.sync(client=client)
    assert "cret" not in f"{fixed.value} {asked.value}"


def test_an_async_source_needs_async_functions_and_a_client_does_not_show_its_token() -> None:
    async def ask() -> str:
        return "t"

    pending: list[Awaitable[str]] = []
    with client_of(lambda: pending.append(ask()) or pending[0], lambda _: up()) as client:  # type: ignore[func-returns-value]
        with pytest.raises(TokenSourceError, match="async functions"):
            get_health.sync(client=client)
    asyncio.run(asyncio.wait_for(pending[0], 1))
    assert "secret" not in repr(Client(URL, token="secret", headers={"Authorization": "secret"}))


def test_the_wait_of_a_long_poll_is_added_once_to_a_repeated_request() -> None:
    seen: list[float] = []

    def answer(request: httpx.Request) -> httpx.Response:
        seen.append(request.extensions["timeout"]["read"])
        return refuse("credential-expired")

    with client_of(Source(), answer) as client:
        list_changes.sync("bob", client=client, wait=60)
    assert seen == [90, 90]


def follow_scripted(
    follow: Follow, token: Token, answers: list[Answer], count: int, **options: Any
) -> tuple[list[object], list[tuple[str | None, str]]]:
    """Follows a service whose n-th request gets the n-th answer; returns the texts, and the cursor and token of each request."""
    asked: list[tuple[str | None, str]] = []

    def answer(request: httpx.Request) -> httpx.Response:
        asked.append((request.headers.get("Last-Event-ID", "")[-1:], request.headers["Authorization"]))
        next_one = answers.pop(0)
        assert not isinstance(next_one, Exception)
        return next_one.response() if isinstance(next_one, Stream) else next_one

    followed: list[Change] = []
    try:
        follow("ann", client_of(token, answer), lambda _: len(followed) == count, followed, **options)
    finally:
        assert not answers
    return [text_of(change) for change in followed], asked


TEXTS = ["one", "two", "three"]


def some(start: int, end: int) -> Stream:
    """A stream with the texts from one number to another, which then ends."""
    return Stream(bytes_of(TEXTS[:end], start))


@both
def test_a_stream_that_ends_with_its_token_goes_on_with_a_new_one(follow: Follow, waits: list[float]) -> None:
    source, reasons = Source(3), list[str]()
    answers: list[Answer] = [some(0, 1), refuse("credential-expired"), some(1, 2), refuse("credential-revoked"), some(2, 3)]
    texts, asked = follow_scripted(
        follow, source, answers, 3, on_retry=lambda reason, _: reasons.append(str(reason)), after=cursor_of(0)
    )
    assert texts == TEXTS
    assert asked == [("", "Bearer t1"), ("1", "Bearer t1"), ("1", "Bearer t2"), ("2", "Bearer t2"), ("2", "Bearer t4")]
    assert reasons == ["The stream has ended."] * 2 + ["There is no token: signed out"]
    assert source.asked == 4


@both
@pytest.mark.parametrize(
    ("kind", "status", "requests"),
    [
        ("credential-expired", 401, 2),
        ("credential-revoked", 401, 2),
        ("credential-invalid", 401, 1),
        ("credential-required", 401, 1),
        ("forbidden", 403, 1),
        ("insufficient-scope", 403, 1),
    ],
)
def test_following_ends_with_a_token_that_another_one_cannot_replace(
    follow: Follow, kind: str, status: int, requests: int
) -> None:
    source = Source()
    with pytest.raises(ProblemError) as raised:
        follow_scripted(follow, source, [refuse(kind, status) for _ in range(requests)], 1)
    assert (raised.value.problem.type_, source.asked) == (PREFIX + kind, requests)


@both
def test_following_ends_with_a_fixed_token(follow: Follow) -> None:
    with pytest.raises(ProblemError):
        follow_scripted(follow, "t", [refuse("credential-expired")], 1)
