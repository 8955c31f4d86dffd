import asyncio
import itertools
import random
import socket
import threading
import time
from collections.abc import Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import aclosing, closing, contextmanager
from urllib.parse import urlsplit
from uuid import UUID

import pytest
from following import BASE_URL, Follow, both, follow_sync, is_end, service, text_of
from message_service_client import Client
from message_service_client.api.changes import list_changes
from message_service_client.api.conversations import set_read_marker
from message_service_client.api.messages import delete_message, edit_message, send_message
from message_service_client.changes import ProblemError, follow_changes_async
from message_service_client.models import (
    Change,
    ChangePage,
    EditMessageRequest,
    Message,
    ReadMarker,
    SendMessageRequest,
    SetReadMarkerRequest,
)

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


@both
def test_a_feed_is_followed_over_any_number_of_cut_connections(follow: Follow, waits: list[float]) -> None:
    ann, ben = f"ann@example.org-{follow.__name__}-{RUN}", f"b+e|n:=~{follow.__name__}-{RUN}"
    done = threading.Event()
    with service() as client, cutting_proxy() as proxy, ThreadPoolExecutor() as threads:

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
            follow(ben, service(proxy.url), is_end, followed, **options)
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
        follow(ben, service(proxy.url), is_end, rest, after=pages[100].cursor)
        assert rest == pages[101:]


@both
def test_a_cursor_that_is_ahead_is_refused(follow: Follow) -> None:
    with pytest.raises(ProblemError) as refused:
        follow(f"bob-{RUN}", service(), is_end, [], after=UUID("ffffffff-ffff-7fff-bfff-ffffffffffff"))
    problem = refused.value.problem
    assert (problem.status, problem.type_) == (422, "urn:problem-type:message-service:cursor-ahead")
    assert [error.parameter for error in problem.errors or []] == ["after"]
    with pytest.raises(ProblemError, match="^422 "):
        follow("no/body", service(), is_end, [])


def test_pages_async() -> None:
    async def run() -> ChangePage:
        async with service() as client:
            page = await list_changes.asyncio(f"nobody-{RUN}", client=client)
            assert isinstance(page, ChangePage)
            return page

    assert asyncio.run(run()) == ChangePage(changes=[], next_=BEGINNING, has_more=False)


@both
def test_leaving_the_loop_ends_a_stream_of_the_service(follow: Follow) -> None:
    user = f"carol-{follow.__name__}-{RUN}"
    with service() as client:
        body = SendMessageRequest(sender=user, recipient=user, text="To myself")
        assert isinstance(send_message.sync(client=client, body=body), Message)
    for _ in range(15):  # a user may have 10 streams at a time: a leaked one would be refused
        followed: list[Change] = []
        follow(user, service(), text_of, followed, after=BEGINNING)
        assert [text_of(change) for change in followed] == ["To myself"]


def test_cancelling_the_task_ends_a_stream_of_the_service() -> None:
    user = f"dave-{RUN}"

    async def run() -> None:
        async with service() as client:
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
