"""Follows what changes for a user, over as many connections as it takes."""

import inspect
import json
import random
import time
from collections.abc import AsyncGenerator, Callable, Generator
from contextlib import aclosing, closing
from typing import Any
from urllib.parse import quote
from uuid import UUID

import anyio
import httpx
from attrs import define
from httpx_sse import ServerSentEvent, aconnect_sse, connect_sse

from .client import AuthenticatedClient, Client
from .models import Change, Problem
from .retrying import retry_after

__all__ = ["ProblemError", "follow_changes", "follow_changes_async"]

# How many seconds a stream is silent at most while it lives; the service sends a comment
# each 15. It is the timeout of a single read, so a comment is a sign of life.
_SILENCE = 45.0
# How long to wait for the next attempt while a stream has not told, and how far that
# grows while one attempt after the other fails.
_USUAL_RETRY = 1.0
_LONGEST_RETRY = 30.0


class ProblemError(Exception):
    """A problem as an exception."""

    def __init__(self, problem: Problem) -> None:
        super().__init__(f"{problem.status} {problem.title}: {problem.detail} ({problem.instance})")
        self.problem = problem


def follow_changes(
    user_id: str,
    *,
    client: AuthenticatedClient | Client,
    after: UUID | None = None,
    on_ready: Callable[[UUID], object] | None = None,
    on_retry: Callable[[Exception, float], object] | None = None,
) -> Generator[Change, None, None]:
    """Yields what changes for a user, in the order of the feed, as it is stored.

    It has no end: when the connection is lost it makes a new one and goes on behind the
    last change, so that nothing is missed and nothing comes twice. Store the `cursor` of
    a change once you have dealt with it, and pass it as `after` the next time. Leaving
    the loop closes the connection.

    A change whose type is newer than this package is passed on, with its members in
    `additional_properties`: skip what you do not know.

    Args:
        user_id: Your id for the user.
        client: Makes the requests; its timeout does not count here.
        after: The cursor of the last change you have dealt with. Without it you follow
            from now.
        on_ready: Called at each connection, with the cursor it goes on from. Store it if
            you have none: with it as `after` you miss nothing from then on.
        on_retry: Called when there is no connection, with the reason and the seconds
            until the next attempt.

    Raises:
        ProblemError: If the service refuses for good. If the problem's type is
            `urn:problem-type:message-service:cursor-ahead`, begin anew.
    """
    feed = _Feed(user_id, after)
    while True:
        try:
            with closing(_connect(client.get_httpx_client(), feed)) as events:
                for event in events:
                    news = feed.take(event)
                    if isinstance(news, Change):
                        yield news
                    elif news and on_ready:
                        on_ready(news)
        except _Lost as error:
            lost = error
        wait = feed.next_attempt(lost)
        if on_retry:
            on_retry(lost.reason, wait)
        time.sleep(wait)


async def follow_changes_async(
    user_id: str,
    *,
    client: AuthenticatedClient | Client,
    after: UUID | None = None,
    on_ready: Callable[[UUID], object] | None = None,
    on_retry: Callable[[Exception, float], object] | None = None,
) -> AsyncGenerator[Change, None]:
    """Yields what changes for a user, as `follow_changes` does.

    `on_ready` and `on_retry` may be async. Cancelling the task ends it, also while it
    waits. To close the connection at once when you leave the loop, use
    `contextlib.aclosing`: else Python does so some time later.
    """
    feed = _Feed(user_id, after)
    while True:
        try:
            async with aclosing(_connect_async(client.get_async_httpx_client(), feed)) as events:
                async for event in events:
                    news = feed.take(event)
                    if isinstance(news, Change):
                        yield news
                    elif news and on_ready:
                        await _finish(on_ready(news))
        except _Lost as error:
            lost = error
        wait = feed.next_attempt(lost)
        if on_retry:
            await _finish(on_retry(lost.reason, wait))
        await anyio.sleep(wait)


async def _finish(result: object) -> None:
    if inspect.isawaitable(result):
        await result


class _Lost(Exception):
    """There is no connection for now."""

    def __init__(self, reason: Exception, asked: float = 0) -> None:
        super().__init__(reason)
        self.reason = reason
        self.asked = asked  # how many seconds the service asked to wait


@define
class _Feed:
    """Where a reader is in a feed, and how it gets on."""

    user_id: str
    after: UUID | None  # where the caller began
    cursor: UUID | None = None  # of the last event, also one of an earlier connection
    retry: float = _USUAL_RETRY  # what the service last asked to wait, in seconds
    failures: int = 0  # attempts in a row that brought nothing

    def request(self) -> dict[str, Any]:
        return {
            "method": "GET",
            "url": f"/v1/users/{quote(self.user_id, safe='')}/changes",
            "params": {} if self.after is None else {"after": str(self.after)},
            "headers": {} if self.cursor is None else {"Last-Event-ID": str(self.cursor)},
            "timeout": _SILENCE,
        }

    def take(self, event: ServerSentEvent) -> UUID | Change | None:
        """Notes an event, and returns the cursor of `ready`, or a change."""
        if event.retry is not None:
            self.retry = event.retry / 1000
        if not event.data:  # httpx-sse makes events of comments and of a retry, too
            return None
        self.failures = 0
        self.cursor = UUID(event.id)
        data = json.loads(event.data)
        if event.event == "ready":
            return UUID(data["cursor"])
        return Change.from_dict(data)

    def next_attempt(self, lost: _Lost) -> float:
        """Returns in how many seconds to try again.

        That is what was asked for, or longer each time; at random, so that not all
        readers come at once.
        """
        longest = min(self.retry * 2.0 ** min(self.failures, 10), _LONGEST_RETRY)
        self.failures += 1
        if lost.asked > 0:
            return lost.asked * random.uniform(1, 1.25)
        return max(self.retry, longest * random.uniform(0.5, 1))


# These say that the request cannot be made, whatever the connection.
_NO_REQUEST = (httpx.UnsupportedProtocol, httpx.LocalProtocolError, httpx.TooManyRedirects)

# What the next two raise is about the connection: no code of the caller runs in them, so an
# error of theirs is never taken for one of the connection.


def _connect(client: httpx.Client, feed: _Feed) -> Generator[ServerSentEvent, None, None]:
    """Yields the events of one connection, and raises _Lost when that ends."""
    try:
        with connect_sse(client, **feed.request()) as source:
            if not source.response.is_success:
                source.response.read()
            _check(source.response)
            yield from source.iter_sse()
    except _NO_REQUEST:
        raise
    except httpx.RequestError as error:
        raise _Lost(error) from error
    raise _Lost(ConnectionError("The stream has ended."))


async def _connect_async(client: httpx.AsyncClient, feed: _Feed) -> AsyncGenerator[ServerSentEvent, None]:
    """Yields the events of one connection, and raises _Lost when that ends."""
    try:
        async with aconnect_sse(client, **feed.request()) as source:
            if not source.response.is_success:
                await source.response.aread()
            _check(source.response)
            async with aclosing(source.aiter_sse()) as events:
                async for event in events:
                    yield event
    except _NO_REQUEST:
        raise
    except httpx.RequestError as error:
        raise _Lost(error) from error
    raise _Lost(ConnectionError("The stream has ended."))


def _check(response: httpx.Response) -> None:
    """Raises why an answer is no stream."""
    content_type = response.headers.get("Content-Type", "")
    if not response.is_success:
        error = ProblemError(_problem_of(response, content_type))
        if response.status_code != 429 and response.status_code < 500:
            raise error
        raise _Lost(error, retry_after(response))
    if not content_type.startswith("text/event-stream"):
        raise RuntimeError(f"Answered {content_type!r}, which is no stream of events.")


def _problem_of(response: httpx.Response, content_type: str) -> Problem:
    """Returns what went wrong, also where the service did not answer but a proxy did."""
    if content_type.startswith("application/problem+json"):
        return Problem.from_dict(response.json())
    answered = f"{response.status_code} {response.reason_phrase}".strip()
    return Problem(
        type_="about:blank",
        title=response.reason_phrase or "Error",
        status=response.status_code,
        detail=f"Answered {answered}, and not by the service.",
        instance=str(response.url),
    )
