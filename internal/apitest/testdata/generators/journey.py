"""Sends, retries, lists, pages, fails, and writes to a group, with the client that OpenAPI Generator makes for Python."""

import os
import uuid

import openapi_client
from openapi_client.exceptions import NotFoundException, UnprocessableEntityException

configuration = openapi_client.Configuration(host=os.environ["BASE_URL"], access_token=os.environ["TOKEN"])
with openapi_client.ApiClient(configuration) as client:
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

    groups = openapi_client.GroupsApi(client)
    address = "~python+team:1"
    made = groups.create_group(address, openapi_client.CreateGroupRequest(name="Team", owner="python-alice"))
    assert made.address == address, "a group has the address that it was given"
    added = groups.add_group_members(address, openapi_client.AddGroupMembersRequest(users=["python-bob"]))
    assert added.members[0].outcome == "added", "each user who is added has an outcome"
    request = openapi_client.SendMessageRequest(sender="python-bob", recipient=address, text="Noodles?")
    noodles = messages.send_message(request)
    page = messages.list_messages(recipient=address)
    assert page.messages == [noodles], "the messages of a group are those to its address"
    groups.delete_group(address)
    try:
        groups.get_group(address)
        raise AssertionError("a deleted group was read")
    except NotFoundException:
        pass
