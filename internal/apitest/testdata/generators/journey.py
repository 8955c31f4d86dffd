"""Sends, retries, lists, pages and fails, with the client that OpenAPI Generator makes for Python."""

import os
import uuid

import openapi_client
from openapi_client.exceptions import UnprocessableEntityException

with openapi_client.ApiClient(openapi_client.Configuration(host=os.environ["BASE_URL"])) as client:
    messages = openapi_client.MessagesApi(client)

    request = openapi_client.SendMessageRequest(sender="python-alice", recipient="python-bob", text="Lunch at noon?")
    key = str(uuid.uuid4())
    sent = messages.send_message_with_http_info(request, idempotency_key=key)
    retried = messages.send_message_with_http_info(request, idempotency_key=key)
    assert retried.data == sent.data, "a retry under a key is answered with the first message"
    assert retried.headers["Idempotent-Replayed"] == "true", "a retry says so"
    request.text = "Or one?"
    second = messages.send_message(request, idempotency_key=str(uuid.uuid4()))

    newest = messages.list_messages(recipient="python-bob", sender="python-alice", limit=1)
    assert newest.messages == [second] and newest.has_more, "a list begins with the newest message"
    older = messages.list_messages(recipient="python-bob", sender="python-alice", before=second.id, limit=1)
    assert older.messages == [sent.data] and not older.has_more, "the next page has the older message and is the last"

    changes = openapi_client.ChangesApi(client).list_changes("python-bob", after=uuid.UUID(int=0), limit=1)
    assert changes.changes[0].message == sent.data, "changes come as pages, not as a stream"

    try:
        messages.list_messages(q="lunch")
        raise AssertionError("a search without a user was answered")
    except UnprocessableEntityException as e:
        assert e.data.type == "urn:problem-type:message-service:unprocessable-content", e.data
        assert e.data.status == e.status == 422, e.data
        assert [error.parameter for error in e.data.errors] == ["q"], e.data
