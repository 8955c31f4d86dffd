import time

from following import service
from message_service_client import Client
from message_service_client.api.conversations import get_conversation, list_conversation_messages, set_read_marker
from message_service_client.api.groups import (
    add_group_members,
    create_group,
    delete_group,
    get_group,
    list_group_members,
    remove_group_member,
    set_group_member,
    update_group,
)
from message_service_client.api.messages import list_messages, list_readers, send_message
from message_service_client.changes import follow_changes
from message_service_client.models import (
    AddedMembers,
    AddGroupMembersRequest,
    Change,
    Conversation,
    CreateGroupRequest,
    Group,
    Membership,
    MembershipPage,
    Message,
    MessagePage,
    Readers,
    ReadMarker,
    SendMessageRequest,
    SetGroupMemberRequest,
    SetReadMarkerRequest,
    UpdateGroupRequest,
)
from test_sdk import got, problem_of

RUN = time.time_ns()
ANN, BEN, CAI = f"ann-{RUN}", f"b+e|n:=~{RUN}", f"cai-{RUN}"
# With each character that may be in the address of a group.
GROUP = f"~t+e|a:m='@._~-{RUN}"


def add(client: Client, *users: str) -> list[tuple[str, str]]:
    answer = add_group_members.sync(GROUP, client=client, body=AddGroupMembersRequest(users=list(users)))
    return [(member.user, member.outcome) for member in got(AddedMembers, answer).members]


def follow_until_removed(client: Client) -> list[Change]:
    """Follows as Ben, to whom Ann writes, until he is removed."""
    changes: list[Change] = []

    def on_ready(_: object) -> None:
        send_message.sync(client=client, body=SendMessageRequest(sender=ANN, recipient=GROUP, text="Noodles?"))

    for change in follow_changes(BEN, client=client, on_ready=on_ready):
        changes.append(change)
        if isinstance(change.message, Message):
            remove_group_member.sync_detailed(GROUP, BEN, client=client)
        if isinstance(change.membership, Membership):
            break
    return changes


def test_a_group_is_made_joined_written_to_read_followed_left_and_deleted() -> None:
    with service() as client:
        body = CreateGroupRequest(name="Team", owner=ANN)
        made = create_group.sync_detailed(GROUP, client=client, body=body)
        assert made.status_code == 201
        assert got(Group, made.parsed).address == GROUP
        assert create_group.sync_detailed(GROUP, client=client, body=body).status_code == 200
        other = create_group.sync(GROUP, client=client, body=CreateGroupRequest(name="Another", owner=ANN))
        assert problem_of(other) == (409, "group-exists")
        assert add(client, BEN, ANN) == [(BEN, "added"), (ANN, "already-member")]

        changes = follow_until_removed(client)
        memberships = [got(Membership, c.membership) for c in changes if c.type_ == "membership"]
        assert [(m.group, m.user, m.state) for m in memberships] == [(GROUP, BEN, "removed")]
        [message] = [got(Message, c.message) for c in changes if c.type_ == "message"]
        assert (message.recipient, message.text) == (GROUP, "Noodles?")

        # Who is in sees the message by all that names the group, and who is not sees none of it.
        assert got(MessagePage, list_messages.sync(client=client, recipient=GROUP)).messages == [message]
        assert problem_of(list_conversation_messages.sync(BEN, GROUP, client=client)) == (404, "not-found")
        assert add(client, BEN, CAI) == [(BEN, "added"), (CAI, "added")]
        thread = list_conversation_messages.sync(BEN, GROUP, client=client)
        assert got(MessagePage, thread).messages == [message]
        line = got(Conversation, get_conversation.sync(BEN, GROUP, client=client))
        assert (line.peer, line.last_message, line.unread_count) == (GROUP, message, 0)  # unread is only what has come since he is in it again
        marker = set_read_marker.sync(BEN, GROUP, client=client, body=SetReadMarkerRequest(message_id=message.id))
        assert got(ReadMarker, marker).peer == GROUP
        readers = got(Readers, list_readers.sync(message.id, client=client))
        assert (readers.users, readers.count) == ([BEN], 1)

        owner = set_group_member.sync(GROUP, BEN, client=client, body=SetGroupMemberRequest(role="owner"))
        assert got(Membership, owner).role == "owner"
        page = got(MembershipPage, list_group_members.sync(GROUP, client=client))
        assert [(m.user, m.role) for m in page.members] == [(ANN, "admin"), (BEN, "owner"), (CAI, "member")]
        change = UpdateGroupRequest(name="Team 2", history="none")
        renamed = got(Group, update_group.sync(GROUP, client=client, body=change))
        assert (renamed.name, renamed.history, renamed.member_count) == ("Team 2", "none", 3)
        assert delete_group.sync_detailed(GROUP, client=client).status_code == 204
        assert problem_of(get_group.sync(GROUP, client=client)) == (404, "not-found")
