"""Retries idempotent requests by the rules that the SDKs of all languages follow."""

import math
import random
import ssl
import time
from collections.abc import AsyncIterator, Iterator
from contextlib import aclosing, closing
from email.utils import parsedate_to_datetime
from typing import Any

import anyio
import httpx

__all__ = ["RetryingAsyncClient", "RetryingClient", "retry_after"]

_RETRIES = 4
_SHORTEST_WAIT, _LONGEST_WAIT = 0.2, 10.0  # seconds
# An answer whose Retry-After is longer, in seconds, is returned at once.
_LONGEST_RETRY_AFTER = 60.0
_TEMPORARY = {429, 502, 503, 504}
_IDEMPOTENT = {"GET", "HEAD", "OPTIONS", "PUT", "DELETE"}


class RetryingClient(httpx.Client):
    """Retries an idempotent request up to four times, and limits the time of each attempt.

    It retries when the connection fails, when an attempt times out, and when the answer is
    429, 502, 503 or 504: after as long as Retry-After says, if that is at most a minute, else
    with exponential backoff from 0.2 to 10 seconds. Idempotent are GET, PUT, DELETE, and a POST
    with an Idempotency-Key. Streams of events are not retried here: `follow_changes` does so.
    """

    def send(self, request: httpx.Request, *, stream: bool = False, **options: Any) -> httpx.Response:
        attempts = _Attempts(request)
        while True:
            deadline = attempts.deadline()
            try:
                response = super().send(request, stream=True, **options)
                if not stream:
                    with closing(response):
                        response.stream = _Timed(response.stream, deadline)
                        response.read()
            except httpx.TransportError as error:
                if not attempts.may_retry_error(error):
                    raise
                wait = attempts.next_wait()
            else:
                if not attempts.may_retry(response):
                    return response
                response.close()
                wait = attempts.next_wait(response)
            time.sleep(wait)


class RetryingAsyncClient(httpx.AsyncClient):
    """Retries requests as `RetryingClient` does."""

    async def send(self, request: httpx.Request, *, stream: bool = False, **options: Any) -> httpx.Response:
        attempts = _Attempts(request)
        while True:
            deadline = attempts.deadline()
            try:
                response = await super().send(request, stream=True, **options)
                if not stream:
                    async with aclosing(response):
                        response.stream = _Timed(response.stream, deadline)
                        await response.aread()
            except httpx.TransportError as error:
                if not attempts.may_retry_error(error):
                    raise
                wait = attempts.next_wait()
            else:
                if not attempts.may_retry(response):
                    return response
                await response.aclose()
                wait = attempts.next_wait(response)
            await anyio.sleep(wait)


class _Timed(httpx.SyncByteStream, httpx.AsyncByteStream):
    """A body that must be complete by a deadline: the timeout of httpx is for each read."""

    def __init__(self, stream: Any, deadline: float) -> None:
        self.stream = stream
        self.deadline = deadline

    def __iter__(self) -> Iterator[bytes]:
        for chunk in self.stream:
            self.check()
            yield chunk

    async def __aiter__(self) -> AsyncIterator[bytes]:
        async for chunk in self.stream:
            self.check()
            yield chunk

    def check(self) -> None:
        if time.monotonic() > self.deadline:
            raise httpx.ReadTimeout("The answer takes too long.")

    def close(self) -> None:
        self.stream.close()

    async def aclose(self) -> None:
        await self.stream.aclose()


class _Attempts:
    """The attempts of one request: how many are left, and when the next is due."""

    def __init__(self, request: httpx.Request) -> None:
        is_stream = request.headers.get("Accept") == "text/event-stream"
        may_repeat = request.method in _IDEMPOTENT or "Idempotency-Key" in request.headers
        self.left = _RETRIES if may_repeat and not is_stream else 0
        self.failures = 0
        # The time of a long poll is added to the timeout.
        wait, timeout = request.url.params.get("wait", ""), request.extensions.get("timeout", {})
        self.limit = timeout.get("read")
        if wait.isdecimal() and self.limit is not None:
            self.limit += int(wait)
            request.extensions["timeout"] = {**timeout, "read": self.limit}

    def deadline(self) -> float:
        """Returns when the attempt that begins now times out, on the monotonic clock."""
        return math.inf if self.limit is None else time.monotonic() + self.limit

    def may_retry_error(self, error: httpx.TransportError) -> bool:
        may_pass = isinstance(error, (httpx.TimeoutException, httpx.NetworkError, httpx.RemoteProtocolError))
        return self.left > 0 and may_pass and not _is_refused_certificate(error)

    def may_retry(self, response: httpx.Response) -> bool:
        return self.left > 0 and response.status_code in _TEMPORARY and retry_after(response) <= _LONGEST_RETRY_AFTER

    def next_wait(self, response: httpx.Response | None = None) -> float:
        """Returns the seconds until the next attempt, with jitter, so that clients do not return all at once."""
        asked = retry_after(response) if response else 0
        wait = asked or min(_SHORTEST_WAIT * 2**self.failures, _LONGEST_WAIT)
        self.left -= 1
        self.failures += 1
        return wait * random.uniform(1, 1.25)


def _is_refused_certificate(error: BaseException | None) -> bool:
    while error:
        if isinstance(error, ssl.SSLCertVerificationError):
            return True
        error = error.__cause__ or error.__context__
    return False


def retry_after(response: httpx.Response) -> float:
    """Returns how many seconds Retry-After asks to wait, or 0 without one.

    A date in it is compared with the answer's Date, since the local clock may be wrong.
    """
    value = response.headers.get("Retry-After", "")
    if value.isdecimal():
        return float(value)
    try:
        until = parsedate_to_datetime(value).timestamp()
    except ValueError:
        return 0
    try:
        now = parsedate_to_datetime(response.headers.get("Date", "")).timestamp()
    except ValueError:
        now = time.time()
    return max(0, until - now)
