import asyncio
import itertools
import json
import os
import random
import socket
import threading
import time
from collections.abc import AsyncIterator, Callable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import aclosing, closing, contextmanager
from typing import Any
from urllib.parse import urlsplit
from uuid import UUID

import httpx
import pytest
from message_service_client import Client
from message_service_client.api.changes import list_changes
from message_service_client.api.conversations import set_read_marker
from message_service_client.api.messages import delete_message, edit_message, send_message
from message_service_client.changes import ProblemError, follow_changes, follow_changes_async
from message_service_client.models import (
    Change,
    ChangePage,
    EditMessageRequest,
    Message,
    ReadMarker,
    SendMessageRequest,
    SetReadMarkerRequest,
)

BASE_URL = os.environ.get("BASE_URL", "http://localhost:8080")
RUN = time.time_ns()
BEGINNING = UUID(int=0)


def list_all(client: Client, user: str, after: UUID) -> list[Change]:
    """Returns all changes after a cursor, page by page."""
    changes: list[Change] = []
    while True:
        page = list_changes.sync(user, client=client, after=after, limit=50)
        assert isinstance(page, ChangePage)
        changes += page.changes
        if not page.has_more:
            return changes
        after = page.next_


Until = Callable[[Change], object]


def follow_sync(user: str, client: Client, until: Until, into: list[Change], **options: Any) -> None:
    """Appends the changes to a list, up to the first for which `until` is true."""
    with client, closing(follow_changes(user, client=client, **options)) as changes:
        for change in changes:
            into.append(change)
            if until(change):
                break


def follow_async(user: str, client: Client, until: Until, into: list[Change], **options: Any) -> None:
    async def run() -> None:
        async with client, aclosing(follow_changes_async(user, client=client, **options)) as changes:
            async for change in changes:
                into.append(change)
                if until(change):
                    break

    asyncio.run(run())


Follow = Callable[..., None]
both = pytest.mark.parametrize("follow", [follow_sync, follow_async])


@pytest.fixture
def waits(monkeypatch: pytest.MonkeyPatch) -> list[float]:
    """Makes waits for the next attempt end at once, and records their seconds."""
    waits: list[float] = []

    async def sleep(seconds: float) -> None:
        waits.append(seconds)

    monkeypatch.setattr("message_service_client.changes.time.sleep", waits.append)
    monkeypatch.setattr("message_service_client.changes.anyio.sleep", sleep)
    return waits


class CuttingProxy:
    """Cuts each connection after at most 4,000 bytes of answer, and counts the cuts."""

    def __init__(self) -> None:
        self.cuts = 0
        self.listener = socket.create_server(("127.0.0.1", 0))
        self.url = f"http://127.0.0.1:{self.listener.getsockname()[1]}"
        self.threads = ThreadPoolExecutor(64)
        self.threads.submit(self.accept)

    def accept(self) -> None:
        while True:
            try:
                client, _ = self.listener.accept()
            except OSError:
                return
            self.threads.submit(self.serve, client)

    def serve(self, client: socket.socket) -> None:
        target = urlsplit(BASE_URL)
        left = random.randint(1, 4000)
        with client, socket.create_connection((target.hostname, target.port or 80)) as upstream:
            asking = self.threads.submit(self.ask, client, upstream)
            try:
                while left > 0 and (data := upstream.recv(left)):
                    client.sendall(data)
                    left -= len(data)
                self.cuts += left == 0
            except OSError:
                pass
            for side in (client, upstream):
                try:
                    side.shutdown(socket.SHUT_RDWR)
                except OSError:
                    pass
            asking.result()

    @staticmethod
    def ask(client: socket.socket, upstream: socket.socket) -> None:
        try:
            while data := client.recv(65536):
                upstream.sendall(data)
            upstream.shutdown(socket.SHUT_RDWR)
        except OSError:
            pass

    def close(self) -> None:
        # shutdown unblocks the thread in accept(), which close does not.
        self.listener.shutdown(socket.SHUT_RDWR)
        self.listener.close()
        self.threads.shutdown()


@contextmanager
def cutting_proxy() -> Iterator[CuttingProxy]:
    with closing(CuttingProxy()) as proxy:
        yield proxy


def latest(changes: list[Change]) -> list[Change]:
    """Returns the last change of each message and marker."""
    last: dict[object, Change] = {}
    for change in changes:
        if isinstance(change.message, Message):
            key: object = change.message.id
        else:
            assert isinstance(change.read_marker, ReadMarker)
            key = (change.read_marker.user, change.read_marker.peer)
        last.pop(key, None)
        last[key] = change
    return list(last.values())


def text_of(change: Change) -> object:
    return isinstance(change.message, Message) and change.message.text


def is_end(change: Change) -> bool:
    return text_of(change) == "The end"


@both
def test_a_feed_is_followed_over_any_number_of_cut_connections(follow: Follow, waits: list[float]) -> None:
    ann, ben = f"ann@example.org-{follow.__name__}-{RUN}", f"b+e|n:=~{follow.__name__}-{RUN}"
    done = threading.Event()
    with Client(base_url=BASE_URL) as client, cutting_proxy() as proxy, ThreadPoolExecutor() as threads:

        def send(text: str) -> UUID:
            sent = send_message.sync(client=client, body=SendMessageRequest(sender=ann, recipient=ben, text=text))
            assert isinstance(sent, Message)
            return sent.id

        def write() -> None:
            sent: list[UUID] = []

            def earlier(steps: int) -> UUID:
                return sent[max(0, len(sent) - 1 - steps)]

            for i in itertools.count():
                if done.is_set() or i >= 200 and proxy.cuts >= 100:
                    break
                text = "🥪é\u2028\x85" * (i % 30)
                sent.append(send(f"{i}: {text}"))
                if i % 3 == 0:
                    body = EditMessageRequest(text=f"Edited 🥪 {i}")
                    edit_message.sync(earlier(i % 7), client=client, body=body)
                if i % 5 == 0:
                    delete_message.sync(earlier(i % 11), client=client)
                if i % 4 == 0:
                    read = SetReadMarkerRequest(message_id=earlier(1))
                    set_read_marker.sync(ann, ben, client=client, body=read)
                    set_read_marker.sync(ben, ann, client=client, body=read)
            send("The end")

        send("Before")  # a message from before the loop must not come
        writing: list[Future[None]] = []
        ready: list[UUID] = []
        followed: list[Change] = []

        def on_ready(cursor: UUID) -> None:
            assert cursor == (followed[-1].cursor if followed else ready[0] if ready else cursor)
            ready.append(cursor)
            if not writing:
                writing.append(threads.submit(write))

        async def on_ready_async(cursor: UUID) -> None:
            on_ready(cursor)

        try:
            options = {"on_ready": on_ready if follow is follow_sync else on_ready_async}
            follow(ben, Client(base_url=proxy.url), is_end, followed, **options)
        finally:
            done.set()
        writing[0].result()
        assert proxy.cuts >= 100
        cursors = [change.cursor for change in followed]
        assert cursors == sorted(set(cursors))
        assert ready[0] < cursors[0]
        pages = list_all(client, ben, ready[0])
        assert latest(followed) == pages
        messages = [change.message for change in pages if isinstance(change.message, Message)]
        assert any(message.edited_at for message in messages) and any(message.deleted_at for message in messages)
        assert [change.type_ for change in pages].count("read") == 2

        resumed = list_changes.sync(ben, client=client, after=BEGINNING, last_event_id_header=pages[-3].cursor)
        assert isinstance(resumed, ChangePage) and resumed.changes == pages[-2:]

        # A second reader resumes in the middle.
        rest: list[Change] = []
        follow(ben, Client(base_url=proxy.url), is_end, rest, after=pages[100].cursor)
        assert rest == pages[101:]


@both
def test_a_cursor_that_is_ahead_is_refused(follow: Follow) -> None:
    with pytest.raises(ProblemError) as refused:
        follow(f"bob-{RUN}", Client(base_url=BASE_URL), is_end, [], after=UUID("ffffffff-ffff-7fff-bfff-ffffffffffff"))
    problem = refused.value.problem
    assert (problem.status, problem.type_) == (422, "urn:problem-type:message-service:cursor-ahead")
    assert [error.parameter for error in problem.errors or []] == ["after"]
    with pytest.raises(ProblemError, match="^422 "):
        follow("no/body", Client(base_url=BASE_URL), is_end, [])


def test_pages_async() -> None:
    async def run() -> ChangePage:
        async with Client(base_url=BASE_URL) as client:
            page = await list_changes.asyncio(f"nobody-{RUN}", client=client)
            assert isinstance(page, ChangePage)
            return page

    assert asyncio.run(run()) == ChangePage(changes=[], next_=BEGINNING, has_more=False)


@both
def test_leaving_the_loop_ends_a_stream_of_the_service(follow: Follow) -> None:
    user = f"carol-{follow.__name__}-{RUN}"
    with Client(base_url=BASE_URL) as client:
        body = SendMessageRequest(sender=user, recipient=user, text="To myself")
        assert isinstance(send_message.sync(client=client, body=body), Message)
    for _ in range(15):  # a user may have 10 streams at a time: a leaked one would be refused
        followed: list[Change] = []
        follow(user, Client(base_url=BASE_URL), text_of, followed, after=BEGINNING)
        assert [text_of(change) for change in followed] == ["To myself"]


def test_cancelling_the_task_ends_a_stream_of_the_service() -> None:
    user = f"dave-{RUN}"

    async def run() -> None:
        async with Client(base_url=BASE_URL) as client:
            for _ in range(15):
                ready = asyncio.Event()

                async def follow(ready: asyncio.Event = ready) -> None:
                    changes = follow_changes_async(user, client=client, on_ready=lambda _: ready.set())
                    async with aclosing(changes):
                        async for change in changes:
                            raise AssertionError(change)

                following = asyncio.create_task(follow())
                await ready.wait()
                following.cancel()
                with pytest.raises(asyncio.CancelledError):
                    await following

    asyncio.run(run())


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
