import asyncio
import os
import time
import uuid

from message_service_client import Client
from message_service_client.api.messages import delete_message, get_message, list_messages, send_message
from message_service_client.api.service import get_health, get_limits
from message_service_client.models import Limits, Message, MessagePage, Metadata, Problem, SendMessageRequest

BASE_URL = os.environ.get("BASE_URL", "http://localhost:8080")
RUN = time.time_ns()
ALICE, BOB = f"alice-{RUN}", f"bob-{RUN}"


def draft(text: str) -> SendMessageRequest:
    return SendMessageRequest(sender=ALICE, recipient=BOB, text=text, metadata=Metadata.from_dict({"client": "test"}))


def page(answer: MessagePage | Problem | None) -> list[str]:
    assert isinstance(answer, MessagePage)
    assert answer.has_more is False
    return [message.text for message in answer.messages]


def test_a_message_is_sent_repeated_listed_both_ways_read_and_deleted() -> None:
    with Client(base_url=BASE_URL) as client:
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


def test_an_error_is_a_typed_problem() -> None:
    with Client(base_url=BASE_URL) as client:
        problem = send_message.sync(client=client, body=SendMessageRequest(sender=ALICE, recipient="no/body", text=""))
        assert isinstance(problem, Problem)
        assert problem.status == 422
        assert [error.pointer for error in problem.errors or []] == ["/recipient", "/text"]


def test_health_is_text() -> None:
    with Client(base_url=BASE_URL) as client:
        assert get_health.sync(client=client) == "UP\n"


def test_async() -> None:
    asyncio.run(send_and_read())


async def send_and_read() -> None:
    async with Client(base_url=BASE_URL) as client:
        limits = await get_limits.asyncio(client=client)
        assert isinstance(limits, Limits)
        assert limits.text_max_length == 4096
        sent = await send_message.asyncio(client=client, body=draft("Later?"))
        assert isinstance(sent, Message)
        assert await get_message.asyncio(sent.id, client=client) == sent
