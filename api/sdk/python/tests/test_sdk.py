import asyncio
import json
import time
import uuid
from collections.abc import Iterator
from typing import TypeVar
from urllib.parse import quote

from following import service
from message_service_client import Client
from message_service_client.api.conversations import (
    get_conversation,
    list_conversation_messages,
    list_conversations,
    set_read_marker,
)
from message_service_client.api.messages import (
    delete_message,
    edit_message,
    get_message,
    list_messages,
    send_message,
)
from message_service_client.api.service import get_health, get_limits
from message_service_client.api.users import block_user, erase_user, export_user, list_blocks, unblock_user
from message_service_client.models import (
    BlockPage,
    Conversation,
    ConversationPage,
    EditMessageRequest,
    ExportRecord,
    Limits,
    Message,
    MessagePage,
    Metadata,
    NewMetadata,
    Problem,
    ReadMarker,
    SendMessageRequest,
    SetReadMarkerRequest,
)
from message_service_client.types import UNSET, File, Unset

RUN = time.time_ns()
ALICE, BOB = f"alice-{RUN}", f"bob-{RUN}"


def draft(text: str) -> SendMessageRequest:
    return SendMessageRequest(sender=ALICE, recipient=BOB, text=text, metadata=Metadata.from_dict({"client": "test"}))


def page(answer: MessagePage | Problem | None) -> list[str]:
    assert isinstance(answer, MessagePage)
    assert answer.has_more is False
    return [message.text for message in answer.messages]


def test_a_message_is_sent_repeated_listed_both_ways_read_and_deleted() -> None:
    with service() as client:
        key = str(uuid.uuid4())
        first = send_message.sync_detailed(client=client, body=draft("Lunch at noon? 🥪"), idempotency_key=key)
        assert first.status_code == 201
        assert "Idempotent-Replayed" not in first.headers
        message = first.parsed
        assert isinstance(message, Message)
        assert message.text == "Lunch at noon? 🥪"
        assert isinstance(message.metadata, Metadata) and message.metadata["client"] == "test"
        assert message.sent_at.tzinfo is not None

        again = send_message.sync_detailed(client=client, body=draft("Lunch at noon? 🥪"), idempotency_key=key)
        assert again.headers["Idempotent-Replayed"] == "true"
        assert again.parsed == message

        second = send_message.sync(client=client, body=draft("Or one?"))
        assert isinstance(second, Message)
        assert page(list_messages.sync(client=client, recipient=BOB)) == ["Or one?", "Lunch at noon? 🥪"]
        assert page(list_messages.sync(client=client, recipient=BOB, before=second.id)) == ["Lunch at noon? 🥪"]
        assert page(list_messages.sync(client=client, recipient=BOB, after=message.id)) == ["Or one?"]

        assert get_message.sync(message.id, client=client) == message
        assert delete_message.sync_detailed(message.id, client=client).status_code == 204
        gone = get_message.sync(message.id, client=client)
        assert isinstance(gone, Problem)
        assert gone.type_ == "urn:problem-type:message-service:not-found"


T = TypeVar("T")


def got(kind: type[T], answer: object) -> T:
    assert isinstance(answer, kind), answer
    return answer


def problem_of(answer: object) -> tuple[int, str]:
    problem = got(Problem, answer)
    return problem.status, problem.type_.removeprefix("urn:problem-type:message-service:")


def stream_export(client: Client, user: str) -> Iterator[ExportRecord]:
    """Yields an export as the README shows it."""
    with client.get_httpx_client().stream("GET", f"/v1/users/{quote(user, safe='')}/export") as answer:
        assert answer.status_code == 200
        rest = b""
        for chunk in answer.iter_bytes():
            *lines, rest = (rest + chunk).split(b"\n")
            for line in lines:
                yield ExportRecord.from_dict(json.loads(line))


def test_two_users_talk_reply_edit_read_block_delete_export_and_erase() -> None:
    # Ids with characters that are special in a path.
    ann, ben = f"ann@example.org-{RUN}", f"b+e|n:=~{RUN}"
    with service() as client:

        def say(sender: str, recipient: str, text: str, reply_to: uuid.UUID | None = None) -> Message:
            body = SendMessageRequest(sender=sender, recipient=recipient, text=text, reply_to=reply_to or UNSET)
            return got(Message, send_message.sync(client=client, body=body))

        def conversation(user: str, peer: str) -> Conversation:
            return got(Conversation, get_conversation.sync(user, peer, client=client))

        def read(user: str, peer: str, message: Message) -> ReadMarker:
            body = SetReadMarkerRequest(message_id=message.id)
            return got(ReadMarker, set_read_marker.sync(user, peer, client=client, body=body))

        question = say(ann, ben, "Lunch at noon?")
        answer = say(ben, ann, "Yes! \u2028\x85", question.id)  # which str.splitlines would split
        assert answer.reply_to == question.id
        noted = got(
            Message,
            edit_message.sync(
                question.id,
                client=client,
                body=EditMessageRequest(text="Lunch at one?", metadata=NewMetadata.from_dict({"client": "test"})),
            ),
        )
        assert noted.text == "Lunch at one?" and noted.edited_at
        assert noted.metadata == Metadata.from_dict({"client": "test"})
        edited = got(Message, edit_message.sync(question.id, client=client, body=EditMessageRequest(metadata=None)))
        assert (edited.text, edited.metadata) == ("Lunch at one?", UNSET)
        assert "metadata=UNSET" in repr(edited)

        assert conversation(ben, ann).unread_count == 1
        hers, his = read(ann, ben, answer), read(ben, ann, question)
        assert (hers.user, hers.peer, hers.message_id) == (ann, ben, answer.id)
        for user, peer, own, other in [(ann, ben, hers, his), (ben, ann, his, hers)]:
            view = conversation(user, peer)
            assert (view.peer, view.last_message, view.unread_count) == (peer, answer, 0)
            assert (view.read_marker, view.peer_read_marker) == (own, other)
        inbox = got(ConversationPage, list_conversations.sync(ann, client=client, limit=1))
        assert ([c.peer for c in inbox.conversations], inbox.has_more) == ([ben], False)

        last = say(ann, ben, "See you there")
        for user, peer in [(ann, ben), (ben, ann)]:
            newest = got(MessagePage, list_conversation_messages.sync(user, peer, client=client, limit=2))
            assert (newest.messages, newest.next_, newest.has_more) == ([last, answer], answer.id, True)
            older = got(MessagePage, list_conversation_messages.sync(user, peer, client=client, before=answer.id))
            assert (older.messages, older.has_more) == ([edited], False)
            newer = got(
                MessagePage, list_conversation_messages.sync(user, peer, client=client, after=question.id, limit=1)
            )
            assert (newer.messages, newer.has_more) == ([answer], True)

        assert block_user.sync_detailed(ben, ann, client=client).status_code == 204
        blocks = got(BlockPage, list_blocks.sync(ben, client=client)).blocks
        assert [(block.user, block.peer) for block in blocks] == [(ben, ann)]
        hello = SendMessageRequest(sender=ann, recipient=ben, text="Hello?")
        assert problem_of(send_message.sync(client=client, body=hello)) == (403, "sender-blocked")

        streamed = list(stream_export(client, ben))
        assert [r.message or r.read_marker or r.block for r in streamed[:-1]] == [edited, answer, last, his, *blocks]
        assert (streamed[-1].type_, streamed[-1].records) == ("end", 5)
        whole = got(File, export_user.sync(ben, client=client))
        assert [ExportRecord.from_dict(json.loads(line)) for line in whole.payload] == streamed

        assert unblock_user.sync_detailed(ben, ann, client=client).status_code == 204
        for message in [question, answer, last, say(ann, ben, "Hello again")]:
            assert delete_message.sync_detailed(message.id, client=client).status_code == 204
        late = edit_message.sync(question.id, client=client, body=EditMessageRequest(text="Too late"))
        assert problem_of(late) == (409, "message-deleted")
        assert problem_of(get_conversation.sync(ann, ben, client=client)) == (404, "not-found")

        say(ann, ben, "My last one")
        assert erase_user.sync_detailed(ann, client=client).status_code == 204
        assert [record.type_ for record in stream_export(client, ann)] == ["end"]


def test_a_search_says_where_the_words_are_in_code_points() -> None:
    text = "🎉 See you at the party"
    with service() as client:
        sent = send_message.sync(client=client, body=draft(text))
        found = list_messages.sync(client=client, recipient=BOB, q="PARTY you", highlight=True)
    assert isinstance(sent, Message) and isinstance(found, MessagePage)
    assert [message.id for message in found.messages] == [sent.id]
    highlights = found.messages[0].highlights
    assert not isinstance(highlights, Unset)
    assert [text[h.start : h.end] for h in highlights] == ["you", "party"]


def test_an_error_is_a_typed_problem() -> None:
    with service() as client:
        problem = send_message.sync(client=client, body=SendMessageRequest(sender=ALICE, recipient="no/body", text=""))
        assert isinstance(problem, Problem)
        assert problem.status == 422
        assert [error.pointer for error in problem.errors or []] == ["/recipient", "/text"]


def test_health_is_text() -> None:
    with service() as client:
        assert get_health.sync(client=client) == "UP\n"


def test_async() -> None:
    asyncio.run(send_and_read())


async def send_and_read() -> None:
    async with service() as client:
        limits = await get_limits.asyncio(client=client)
        assert isinstance(limits, Limits)
        assert limits.text_max_length == 4096
        sent = await send_message.asyncio(client=client, body=draft("Later?"))
        assert isinstance(sent, Message)
        assert await get_message.asyncio(sent.id, client=client) == sent
        body = EditMessageRequest(text="Sooner!")
        edited = got(Message, await edit_message.asyncio(sent.id, client=client, body=body))
        assert (edited.id, edited.text) == (sent.id, "Sooner!")
        read = SetReadMarkerRequest(message_id=sent.id)
        marker = got(ReadMarker, await set_read_marker.asyncio(BOB, ALICE, client=client, body=read))
        inbox = got(ConversationPage, await list_conversations.asyncio(BOB, client=client))
        assert [(c.peer, c.last_message, c.read_marker) for c in inbox.conversations] == [(ALICE, edited, marker)]
        export = got(File, await export_user.asyncio(BOB, client=client))
        assert json.loads(export.payload.readlines()[-1])["type"] == "end"
