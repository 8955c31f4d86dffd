import json
import socket
from collections.abc import AsyncIterator, Iterator
from datetime import datetime, timezone
from typing import Any
from uuid import UUID

import httpx
import pytest
from following import BASE_URL, Follow, both, is_end, text_of
from message_service_client import Client
from message_service_client.api.changes import list_changes
from message_service_client.changes import ProblemError, Typing
from message_service_client.models import Change, ChangePage


def cursor_of(i: int) -> UUID:
    return UUID(int=i)


TEXTS = ["one", "🥪\u2028\x85", "three"]


def bytes_of(texts: list[str], start: int = 0) -> bytes:
    """Returns the bytes of a stream: the ready event with the cursor of event `start`, then the texts after it."""
    ready = f'retry: 2500\nid: {cursor_of(start)}\nevent: ready\ndata: {{"cursor":"{cursor_of(start)}"}}\n\n'
    events = []
    for i, text in enumerate(texts, 1):
        message = {
            "id": str(cursor_of(i)),
            "sender": "ann",
            "recipient": "ben",
            "text": text,
            "sentAt": "2026-11-23T12:00:00Z",
        }
        change = {"cursor": str(cursor_of(i)), "type": "message", "message": message}
        events.append(f"id: {cursor_of(i)}\nevent: message\ndata: {json.dumps(change, ensure_ascii=False)}\n\n")
    return (ready + ":\n\n".join(events[start:])).encode()


class Stream(httpx.SyncByteStream, httpx.AsyncByteStream):
    """A body in chunks of a size, which then ends or raises an error, such as a read timeout."""

    def __init__(self, data: bytes, then: type[httpx.TransportError] | None = None, chunk: int = 65536) -> None:
        self.data, self.then, self.chunk, self.closed = data, then, chunk, False

    def __iter__(self) -> Iterator[bytes]:
        for start in range(0, len(self.data), self.chunk):
            yield self.data[start : start + self.chunk]
        if self.then:
            raise self.then("Broken.")

    async def __aiter__(self) -> AsyncIterator[bytes]:
        for data in self:
            yield data

    def close(self) -> None:
        self.closed = True

    async def aclose(self) -> None:
        self.closed = True

    def response(self, content_type: str = "text/event-stream") -> httpx.Response:
        return httpx.Response(200, headers={"Content-Type": content_type}, stream=self)


Answer = Stream | httpx.Response | Exception


class Script:
    """A service whose n-th request gets the n-th answer."""

    def __init__(self, *answers: Answer) -> None:
        self.answers = list(answers)
        self.asked: list[tuple[str | None, str | None]] = []

    def client(self) -> Client:
        return Client(base_url=BASE_URL, httpx_args={"transport": httpx.MockTransport(self.answer)})

    def answer(self, request: httpx.Request) -> httpx.Response:
        assert request.headers["Accept"] == "text/event-stream"
        assert request.extensions["timeout"]["read"] == 45
        self.asked.append((request.url.params.get("after"), request.headers.get("Last-Event-ID")))
        answer = self.answers.pop(0)
        if isinstance(answer, Exception):
            raise answer
        return answer.response() if isinstance(answer, Stream) else answer


def take(follow: Follow, script: Script, count: int, **options: Any) -> list[object]:
    followed: list[Change] = []
    follow("ann", script.client(), lambda _: len(followed) == count, followed, **options)
    return [text_of(change) for change in followed]


@both
def test_a_stream_is_read_whatever_the_chunks_it_comes_in(follow: Follow) -> None:
    for chunk in (1, 2, 3, 7, 64):
        assert take(follow, Script(Stream(bytes_of(TEXTS), chunk=chunk)), 3) == TEXTS


@both
def test_typing_is_heard_and_other_events_without_a_cursor_are_passed_over(follow: Follow, waits: list[float]) -> None:
    typing = b'event: typing\ndata: {"user":"ann","peer":"~team-1","expiresAt":"2026-11-26T12:00:06Z"}\n\n'
    later = b'event: presence\ndata: {"user":"ann"}\n\n'
    heard: list[Typing] = []
    script = Script(Stream(bytes_of(TEXTS[:1]) + typing + later), Stream(bytes_of(TEXTS, 1)))
    assert take(follow, script, 3, on_typing=heard.append) == TEXTS
    assert heard == [Typing("ann", "~team-1", datetime(2026, 11, 26, 12, 0, 6, tzinfo=timezone.utc))]
    assert script.asked == [(None, None), (None, str(cursor_of(1)))]
    assert take(follow, Script(Stream(bytes_of([]) + typing + bytes_of(TEXTS))), 3) == TEXTS


@both
@pytest.mark.parametrize("then", [None, httpx.ReadError, httpx.ReadTimeout, httpx.RemoteProtocolError])
def test_a_stream_is_resumed_wherever_it_is_cut(
    follow: Follow, then: type[httpx.TransportError] | None, waits: list[float]
) -> None:
    whole = bytes_of(TEXTS)
    complete = [whole.index(f"id: {cursor_of(i)}".encode()) for i in (1, 2, 3)]
    complete = [whole.index(b"\n\n", place) + 2 for place in complete]
    for size in range(len(whole)):
        seen = sum(size >= place for place in complete)
        script = Script(Stream(whole[:size], then), Stream(bytes_of(TEXTS, seen)))
        assert take(follow, script, 3, after=cursor_of(0)) == TEXTS, size
        resumed = str(cursor_of(seen)) if b"\n\n" in whole[:size] else None
        assert script.asked == [(str(cursor_of(0)), None), (str(cursor_of(0)), resumed)]


@both
def test_a_stream_that_is_cut_before_its_first_change_goes_on_from_where_it_began(
    follow: Follow, waits: list[float]
) -> None:
    ready: list[UUID] = []
    script = Script(httpx.ConnectError("refused"), Stream(bytes_of([])), Stream(bytes_of(TEXTS)))
    assert take(follow, script, 1, on_ready=ready.append) == ["one"]
    assert script.asked == [(None, None), (None, None), (None, str(cursor_of(0)))]
    assert ready == [cursor_of(0), cursor_of(0)]


def refused(status: int, **headers: str) -> httpx.Response:
    problem = {
        "type": "about:blank",
        "title": "No",
        "status": status,
        "detail": "Not now.",
        "instance": "urn:request:0",
    }
    headers = {"Content-Type": "application/problem+json"} | {k.replace("_", "-"): v for k, v in headers.items()}
    return httpx.Response(status, headers=headers, content=json.dumps(problem))


@both
def test_it_waits_as_long_as_it_is_asked_to_and_else_longer_each_time(follow: Follow, waits: list[float]) -> None:
    script = Script(
        refused(429, Retry_After="7"),
        httpx.Response(502, headers={"Content-Type": "text/html", "Retry-After": "3"}, content="<h1>Bad Gateway</h1>"),
        Stream(bytes_of([])),
        Stream(bytes_of([]) + b"retry: 6000\n\n"),
        httpx.ConnectError("refused"),
        *(refused(503) for _ in range(1100)),
        Stream(bytes_of(TEXTS)),
        Stream(bytes_of(TEXTS, 3)),
        refused(404),
    )
    told: list[tuple[Exception, float]] = []
    followed: list[Change] = []
    with pytest.raises(ProblemError, match="^404 "):
        follow("ann", script.client(), is_end, followed, on_retry=lambda *retry: told.append(retry))
    assert [text_of(change) for change in followed] == TEXTS
    assert [wait for _, wait in told] == waits
    assert 7 <= waits[0] <= 8.75  # Retry-After, with up to a quarter of jitter
    assert 3 <= waits[1] <= 3.75  # the Retry-After of a proxy
    assert waits[2] == 2.5  # the stream's retry field
    assert waits[3] == 6  # the retry field that a stopping server sends last
    assert 6 <= waits[4] <= 12
    assert 12 <= waits[5] <= 24
    assert all(15 <= wait <= 30 for wait in waits[6:-2])
    assert waits[-2:] == [2.5, 2.5]
    reasons = [reason for reason, _ in told]
    assert isinstance(reasons[0], ProblemError) and reasons[0].problem.status == 429
    assert isinstance(reasons[1], ProblemError) and reasons[1].problem.type_ == "about:blank"
    assert isinstance(reasons[2], ConnectionError)
    assert isinstance(reasons[4], httpx.ConnectError)


@both
def test_a_service_that_is_silent_is_left(follow: Follow, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("message_service_client.changes._SILENCE", 0.05)

    class Left(Exception):
        pass

    def on_retry(reason: Exception, wait: float) -> None:
        assert isinstance(reason, httpx.ReadTimeout)
        raise Left

    with socket.create_server(("127.0.0.1", 0)) as silent, pytest.raises(Left):
        url = f"http://127.0.0.1:{silent.getsockname()[1]}"
        follow("ann", Client(base_url=url), is_end, [], on_retry=on_retry)


@both
def test_an_answer_that_is_no_stream_raises_and_so_does_an_error_of_a_callback(follow: Follow) -> None:
    page = Stream(b"<h1>Welcome</h1>")
    with pytest.raises(RuntimeError, match="'text/html', which is no stream"):
        follow("ann", Script(page.response("text/html")).client(), is_end, [])
    with pytest.raises(httpx.UnsupportedProtocol):
        follow("ann", Client(base_url="localhost:8080"), is_end, [])

    def on_ready(_: UUID) -> None:
        raise httpx.ConnectError("mine")

    stream = Stream(bytes_of(TEXTS))
    with pytest.raises(httpx.ConnectError, match="mine"):
        follow("ann", Script(stream).client(), is_end, [], on_ready=on_ready)
    assert page.closed and stream.closed


@both
def test_leaving_the_loop_closes_the_connection(follow: Follow) -> None:
    stream = Stream(bytes_of(TEXTS))
    assert take(follow, Script(stream), 2) == TEXTS[:2]
    assert stream.closed


NEWER = f'{{"cursor":"{cursor_of(0)}","type":"wave","wave":{{"by":"ann"}}}}'


@both
def test_a_change_of_a_newer_type_is_passed_on(follow: Follow) -> None:
    newer = f"id: {cursor_of(0)}\nevent: wave\ndata: {NEWER}\n\n".encode()
    followed: list[Change] = []
    follow("ann", Script(Stream(newer + bytes_of(TEXTS))).client(), lambda _: len(followed) == 4, followed)
    assert [text_of(change) for change in followed] == [False, *TEXTS]
    assert (followed[0].type_, followed[0]["wave"]) == ("wave", {"by": "ann"})


def test_a_page_with_a_change_of_a_newer_type_is_whole() -> None:
    def answer(_: httpx.Request) -> httpx.Response:
        return httpx.Response(200, text=f'{{"changes":[{NEWER}],"next":"{cursor_of(1)}","hasMore":false}}')

    with Client(base_url=BASE_URL, httpx_args={"transport": httpx.MockTransport(answer)}) as client:
        page = list_changes.sync("ann", client=client)
    assert isinstance(page, ChangePage) and [change.type_ for change in page.changes] == ["wave"]
