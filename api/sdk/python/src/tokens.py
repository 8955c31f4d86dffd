"""Sends a token with each request, and fetches another one when it has ended."""

import inspect
import re
import threading
from collections.abc import Awaitable, Callable, Iterator
from contextlib import contextmanager
from typing import Any

import anyio
import httpx

from .retrying import RetryingAsyncClient, RetryingClient

__all__ = ["Token", "TokenAsyncClient", "TokenClient", "TokenSourceError", "Tokens"]

Token = str | Callable[[], str | Awaitable[str]]

_BEARER = re.compile(r"[A-Za-z0-9._~+/-]+=*")  # RFC 6750, 2.1
_ENDED = {f"urn:problem-type:message-service:credential-{how}" for how in ("expired", "revoked")}


class TokenSourceError(Exception):
    """The function that returns tokens has failed; the cause says why."""


class Tokens:
    """A token, or the last one of a source: a function that returns tokens."""

    def __init__(self, token: Token) -> None:
        self.renewable = not isinstance(token, str)  # whether there may be another one
        self._source = (lambda: _checked(token)) if isinstance(token, str) else token
        self._token = _checked(token) if isinstance(token, str) else None
        self._lock, self._async_lock = threading.Lock(), anyio.Lock()
        self._failures = 0
        self._failure: Exception | None = None

    def get(self, refused: str | None = None) -> str:
        """Returns a token other than the refused one: the one it remembers, or else the next of the source.

        All who wait for that get the same, or the same failure.
        """
        failures = self._failures
        with self._lock:
            token = self._remembered(refused, failures)
            if token is None:
                with self._asking():
                    token = self._token = _checked(self._source())
            return token

    async def get_async(self, refused: str | None = None) -> str:
        """Does what `get` does; the source may be async."""
        failures = self._failures
        async with self._async_lock:
            token = self._remembered(refused, failures)
            if token is None:
                with self._asking():
                    answer = self._source()
                    token = self._token = _checked(await answer if inspect.isawaitable(answer) else answer)
            return token

    def _remembered(self, refused: str | None, failures: int) -> str | None:
        if self._token == refused:
            self._token = None  # nobody else shall try it
        if self._token is None and self._failures != failures:  # while this request waited
            raise TokenSourceError(f"There is no token: {self._failure}") from self._failure
        return self._token

    @contextmanager
    def _asking(self) -> Iterator[None]:
        try:
            yield
        except Exception as error:
            self._failures += 1
            self._failure = error
            raise TokenSourceError(f"There is no token: {error}") from error


def _checked(token: object) -> str:
    """Refuses what cannot be sent in a header. The error does not show it."""
    if not isinstance(token, str):
        raise TypeError("A token is a str, which only async functions can await.")
    if not _BEARER.fullmatch(token):
        raise ValueError("A token consists of letters, digits and the characters -._~+/, with = only at its end.")
    return token


class TokenClient(RetryingClient):
    """Sends a token with each request, and retries as `RetryingClient` does.

    If the service answers that the token has expired or was revoked, the request is repeated once
    with the next token of the source. Redirects are not followed, since they could lead the token
    elsewhere, and no other origin gets it. A request with an Authorization of its own keeps that.
    """

    def __init__(self, tokens: Tokens | None, **options: Any) -> None:
        super().__init__(**options)
        self._tokens = tokens

    def send(self, request: httpx.Request, *, stream: bool = False, **options: Any) -> httpx.Response:
        tokens = self._tokens
        if not tokens or not _is_for(request, self.base_url):
            return super().send(request, stream=stream, **options)
        options["follow_redirects"] = False
        token = tokens.get()
        response = super().send(_with_token(request, token), stream=stream, **options)
        if tokens.renewable and _is_problem(response):
            response.read()
            if response.json().get("type") in _ENDED:
                response.close()
                return super().send(_with_token(request, tokens.get(token)), stream=stream, **options)
        return response


class TokenAsyncClient(RetryingAsyncClient):
    """Sends a token with each request, as `TokenClient` does."""

    def __init__(self, tokens: Tokens | None, **options: Any) -> None:
        super().__init__(**options)
        self._tokens = tokens

    async def send(self, request: httpx.Request, *, stream: bool = False, **options: Any) -> httpx.Response:
        tokens = self._tokens
        if not tokens or not _is_for(request, self.base_url):
            return await super().send(request, stream=stream, **options)
        options["follow_redirects"] = False
        token = await tokens.get_async()
        response = await super().send(_with_token(request, token), stream=stream, **options)
        if tokens.renewable and _is_problem(response):
            await response.aread()
            if response.json().get("type") in _ENDED:
                await response.aclose()
                return await super().send(_with_token(request, await tokens.get_async(token)), stream=stream, **options)
        return response


def _is_for(request: httpx.Request, base: httpx.URL) -> bool:
    def origin(url: httpx.URL) -> tuple[str, str, int | None]:
        return url.scheme, url.host, url.port

    return "Authorization" not in request.headers and origin(request.url) == origin(base)


def _with_token(request: httpx.Request, token: str) -> httpx.Request:
    """Returns a copy of a request, so that it can be sent again."""
    headers = httpx.Headers(request.headers)
    headers["Authorization"] = f"Bearer {token}"
    return httpx.Request(
        request.method, request.url, headers=headers, stream=request.stream, extensions=dict(request.extensions)
    )


def _is_problem(response: httpx.Response) -> bool:
    content_type = response.headers.get("Content-Type", "")
    return response.status_code == 401 and content_type.startswith("application/problem+json")
