"""Follows the changes of a user's mailbox, over any number of connections."""

import inspect
import json
import random
import time
from collections.abc import AsyncGenerator, Callable, Generator
from contextlib import aclosing, closing
from datetime import datetime
from typing import Any
from urllib.parse import quote
from uuid import UUID

import anyio
import httpx
from attrs import define
from httpx_sse import ServerSentEvent, aconnect_sse, connect_sse

from .client import Client
from .models import Change, Problem
from .retrying import retry_after
from .tokens import TokenSourceError

__all__ = ["ProblemError", "Typing", "follow_changes", "follow_changes_async"]

# Seconds of silence after which a stream counts as dead: three of the service's heartbeats.
# It is the timeout of a single read, which every heartbeat (a comment) satisfies.
_SILENCE = 45.0
# Seconds before the next attempt, until a stream has sent a `retry` field, and the most
# between failing attempts.
_DEFAULT_RETRY = 1.0
_LONGEST_RETRY = 30.0


class ProblemError(Exception):
    """A problem document (RFC 9457) as an exception."""

    def __init__(self, problem: Problem) -> None:
        super().__init__(f"{problem.status} {problem.title}: {problem.detail} ({problem.instance})")
        self.problem = problem


@define(frozen=True)
class Typing:
    """That a user is writing a message, as far as is known until `expires_at`."""

    user: str
    peer: str  # as the user who follows addresses it: the one who writes, or the group
    expires_at: datetime


def follow_changes(
    user_id: str,
    *,
    client: Client,
    after: UUID | None = None,
    on_ready: Callable[[UUID], object] | None = None,
    on_retry: Callable[[Exception, float], object] | None = None,
    on_typing: Callable[[Typing], object] | None = None,
) -> Generator[Change, None, None]:
    """Yields the changes of a user's mailbox in the order of the feed, as they are stored.

    It has no end: when the connection is lost it reconnects and resumes after the last
    change, so that none is missed and none comes twice. Store the `cursor` of a change once
    you have processed it, and pass it as `after` the next time. Leaving the loop closes the
    connection.

    A change whose type is newer than this package is passed on, with its members in
    `additional_properties`: skip what you do not know.

    Args:
        user_id: Your id for the user.
        client: Makes the requests. Its timeout does not apply to streams.
        after: The cursor of the last change you have processed. Without it you follow
            from now.
        on_ready: Called at each connection, with the cursor it resumes after. Store it if
            you have none: with it as `after` you miss nothing from then on.
        on_retry: Called when the connection is lost or cannot be made, with the reason and
            the seconds until the next attempt.
        on_typing: Called while somebody writes to the user, or in a group of theirs. That is
            not a change: it has no cursor, and what happens while there is no connection is
            never told.

    Raises:
        ProblemError: If another attempt would be refused too. If the problem's type is
            `urn:problem-type:message-service:cursor-ahead`, begin anew.
    """
    feed = _Feed(user_id, after)
    while True:
        try:
            with closing(_connect(client.get_httpx_client(), feed)) as events:
                for event in events:
                    taken = feed.take(event)
                    if isinstance(taken, Change):
                        yield taken
                    elif isinstance(taken, Typing):
                        if on_typing:
                            on_typing(taken)
                    elif taken and on_ready:
                        on_ready(taken)
        except _Lost as error:
            lost = error
        wait = feed.next_attempt(lost)
        if on_retry:
            on_retry(lost.reason, wait)
        time.sleep(wait)


async def follow_changes_async(
    user_id: str,
    *,
    client: Client,
    after: UUID | None = None,
    on_ready: Callable[[UUID], object] | None = None,
    on_retry: Callable[[Exception, float], object] | None = None,
    on_typing: Callable[[Typing], object] | None = None,
) -> AsyncGenerator[Change, None]:
    """Yields the changes of a user's mailbox, as `follow_changes` does.

    `on_ready`, `on_retry` and `on_typing` may be async. Cancelling the task ends it, even while it
    waits. To close the connection at once when you leave the loop, use
    `contextlib.aclosing`: otherwise Python closes it some time later.
    """
    feed = _Feed(user_id, after)
    while True:
        try:
            async with aclosing(_connect_async(client.get_async_httpx_client(), feed)) as events:
                async for event in events:
                    taken = feed.take(event)
                    if isinstance(taken, Change):
                        yield taken
                    elif isinstance(taken, Typing):
                        if on_typing:
                            await _await_result(on_typing(taken))
                    elif taken and on_ready:
                        await _await_result(on_ready(taken))
        except _Lost as error:
            lost = error
        wait = feed.next_attempt(lost)
        if on_retry:
            await _await_result(on_retry(lost.reason, wait))
        await anyio.sleep(wait)


async def _await_result(result: object) -> None:
    if inspect.isawaitable(result):
        await result


class _Lost(Exception):
    """The connection is lost or could not be made, but another attempt may succeed."""

    def __init__(self, reason: Exception, asked: float = 0) -> None:
        super().__init__(reason)
        self.reason = reason
        self.asked = asked  # the seconds of Retry-After, or 0


@define
class _Feed:
    """The position of a reader in a feed, and the state of its retries."""

    user_id: str
    after: UUID | None  # where the caller began
    cursor: UUID | None = None  # of the last event, across connections
    retry: float = _DEFAULT_RETRY  # the last `retry` field of a stream, in seconds
    failures: int = 0  # attempts in a row that brought no event

    def request(self) -> dict[str, Any]:
        return {
            "method": "GET",
            "url": f"/v1/users/{quote(self.user_id, safe='')}/changes",
            "params": {} if self.after is None else {"after": str(self.after)},
            "headers": {} if self.cursor is None else {"Last-Event-ID": str(self.cursor)},
            "timeout": _SILENCE,
        }

    def take(self, event: ServerSentEvent) -> UUID | Change | Typing | None:
        """Records the position of an event, and returns the cursor of a `ready` event, a change, or who is typing."""
        if event.retry is not None:
            self.retry = event.retry / 1000
        if not event.data:  # httpx-sse yields an event also for a comment and for a retry field alone
            return None
        self.failures = 0
        self.cursor = UUID(event.id)  # that of the last event which had one
        data = json.loads(event.data)
        if event.event == "ready":
            return UUID(data["cursor"])
        if event.event == "typing":
            return Typing(data["user"], data["peer"], datetime.fromisoformat(data["expiresAt"]))
        if "cursor" not in data:  # it is no change
            return None
        return Change.from_dict(data)

    def next_attempt(self, lost: _Lost) -> float:
        """Returns the seconds until the next attempt.

        That is as Retry-After asked, or exponential backoff; with jitter, so that clients do
        not return all at once.
        """
        longest = min(self.retry * 2.0 ** min(self.failures, 10), _LONGEST_RETRY)
        self.failures += 1
        if lost.asked > 0:
            return lost.asked * random.uniform(1, 1.25)
        return max(self.retry, longest * random.uniform(0.5, 1))


# Errors of the request itself, which another connection would not change.
_BAD_REQUEST = (httpx.UnsupportedProtocol, httpx.LocalProtocolError, httpx.TooManyRedirects)

# The caller's loop body and callbacks do not run in the next two functions, so their errors are
# never taken for errors of the connection.


def _connect(client: httpx.Client, feed: _Feed) -> Generator[ServerSentEvent, None, None]:
    """Yields the events of one connection, and raises _Lost when that ends."""
    try:
        with connect_sse(client, **feed.request()) as source:
            if not source.response.is_success:
                source.response.read()
            _check(source.response)
            yield from source.iter_sse()
    except _BAD_REQUEST:
        raise
    except (httpx.RequestError, TokenSourceError) as error:
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
    except _BAD_REQUEST:
        raise
    except (httpx.RequestError, TokenSourceError) as error:
        raise _Lost(error) from error
    raise _Lost(ConnectionError("The stream has ended."))


def _check(response: httpx.Response) -> None:
    """Raises an error if an answer is not a stream: _Lost if that may pass."""
    content_type = response.headers.get("Content-Type", "")
    if not response.is_success:
        error = ProblemError(_problem_of(response, content_type))
        if response.status_code != 429 and response.status_code < 500:
            raise error
        raise _Lost(error, retry_after(response))
    if not content_type.startswith("text/event-stream"):
        raise RuntimeError(f"Answered {content_type!r}, which is no stream of events.")


def _problem_of(response: httpx.Response, content_type: str) -> Problem:
    """Returns the problem of an answer, also of one that a proxy gave instead of the service."""
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
