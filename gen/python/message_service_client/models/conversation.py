from __future__ import annotations

import datetime
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, Self, TypeVar
from uuid import UUID

from attrs import define as _attrs_define
from attrs import field as _attrs_field

from ..types import UNSET, Unset

if TYPE_CHECKING:
    from ..models.conversation_group import ConversationGroup
    from ..models.message import Message
    from ..models.read_marker import ReadMarker


T = TypeVar("T", bound="Conversation")


@_attrs_define
class Conversation:
    """One user's view of what they and another have written to each other, or of a group of which
    they are a member.

    `readMarker` is the user's own, and `peerReadMarker` that of the other user, never there in a group.
    A group has `group`, and no `lastMessage` before there is one. A conversation between users that is there only
    because it is muted, since its last message was deleted, has no `lastMessage`, either.

        Attributes:
            peer (str): To whom messages go: a user, by their id, or a group, by its address: `bob`, `~team-1`. No user id
                begins with
                `~`. In a shell quote the address of a group, `'~team-1'`; in a query encode `+` as `%2B`.
            position (UUID): The place of a conversation among those of a user, which sort by it, the greatest first. It is
                the id of the
                last message, or, if that is greater, the change by which the user has joined the group. It is all zeros for a
                conversation between users that is there only because it is muted, since its last message was deleted.
            unread_count (int): How many messages of others come after the user's marker; 100 means 100 or more. In a group
                those since the user has joined, of the newest 200.
                 Example: 1.
            hidden (bool): Whether it is left out of the list of conversations until there is a newer message, or one at
                all. Example: False.
            group (ConversationGroup | Unset): The group in which a conversation is.
            last_message (Message | Unset): A message as it is now.
            read_marker (ReadMarker | Unset): How far a user has read the conversation with a peer.
            peer_read_marker (ReadMarker | Unset): How far a user has read the conversation with a peer.
            muted_until (datetime.datetime | Unset): An RFC 3339 time in UTC, with milliseconds. Example:
                2026-11-23T12:00:00.366Z.
    """

    peer: str
    position: UUID
    unread_count: int
    hidden: bool
    group: ConversationGroup | Unset = UNSET
    last_message: Message | Unset = UNSET
    read_marker: ReadMarker | Unset = UNSET
    peer_read_marker: ReadMarker | Unset = UNSET
    muted_until: datetime.datetime | Unset = UNSET
    additional_properties: dict[str, Any] = _attrs_field(init=False, factory=dict)

    def to_dict(self) -> dict[str, Any]:
        peer = self.peer

        position = str(self.position)

        unread_count = self.unread_count

        hidden = self.hidden

        group: dict[str, Any] | Unset = UNSET
        if not isinstance(self.group, Unset):
            group = self.group.to_dict()

        last_message: dict[str, Any] | Unset = UNSET
        if not isinstance(self.last_message, Unset):
            last_message = self.last_message.to_dict()

        read_marker: dict[str, Any] | Unset = UNSET
        if not isinstance(self.read_marker, Unset):
            read_marker = self.read_marker.to_dict()

        peer_read_marker: dict[str, Any] | Unset = UNSET
        if not isinstance(self.peer_read_marker, Unset):
            peer_read_marker = self.peer_read_marker.to_dict()

        if (
            isinstance(self.muted_until, datetime.datetime)
            and self.muted_until.utcoffset() is None
        ):
            raise ValueError("muted_until needs a time zone, such as datetime.now(UTC)")
        muted_until: str | Unset = UNSET
        if not isinstance(self.muted_until, Unset):
            muted_until = self.muted_until.isoformat()

        field_dict: dict[str, Any] = {}
        field_dict.update(self.additional_properties)
        field_dict.update(
            {
                "peer": peer,
                "position": position,
                "unreadCount": unread_count,
                "hidden": hidden,
            }
        )
        if group is not UNSET:
            field_dict["group"] = group
        if last_message is not UNSET:
            field_dict["lastMessage"] = last_message
        if read_marker is not UNSET:
            field_dict["readMarker"] = read_marker
        if peer_read_marker is not UNSET:
            field_dict["peerReadMarker"] = peer_read_marker
        if muted_until is not UNSET:
            field_dict["mutedUntil"] = muted_until

        return field_dict

    @classmethod
    def from_dict(cls, src_dict: Mapping[str, Any]) -> Self:
        from ..models.conversation_group import ConversationGroup
        from ..models.message import Message
        from ..models.read_marker import ReadMarker

        d = dict(src_dict)
        peer = d.pop("peer")

        position = UUID(d.pop("position"))

        unread_count = d.pop("unreadCount")

        hidden = d.pop("hidden")

        _group = d.pop("group", UNSET)
        group: ConversationGroup | Unset
        if isinstance(_group, Unset):
            group = UNSET
        else:
            group = ConversationGroup.from_dict(_group)

        _last_message = d.pop("lastMessage", UNSET)
        last_message: Message | Unset
        if isinstance(_last_message, Unset):
            last_message = UNSET
        else:
            last_message = Message.from_dict(_last_message)

        _read_marker = d.pop("readMarker", UNSET)
        read_marker: ReadMarker | Unset
        if isinstance(_read_marker, Unset):
            read_marker = UNSET
        else:
            read_marker = ReadMarker.from_dict(_read_marker)

        _peer_read_marker = d.pop("peerReadMarker", UNSET)
        peer_read_marker: ReadMarker | Unset
        if isinstance(_peer_read_marker, Unset):
            peer_read_marker = UNSET
        else:
            peer_read_marker = ReadMarker.from_dict(_peer_read_marker)

        _muted_until = d.pop("mutedUntil", UNSET)
        muted_until: datetime.datetime | Unset
        if isinstance(_muted_until, Unset):
            muted_until = UNSET
        else:
            muted_until = datetime.datetime.fromisoformat(_muted_until)

        conversation = cls(
            peer=peer,
            position=position,
            unread_count=unread_count,
            hidden=hidden,
            group=group,
            last_message=last_message,
            read_marker=read_marker,
            peer_read_marker=peer_read_marker,
            muted_until=muted_until,
        )

        conversation.additional_properties = d
        return conversation

    @property
    def additional_keys(self) -> list[str]:
        return list(self.additional_properties.keys())

    def __getitem__(self, key: str) -> Any:
        return self.additional_properties[key]

    def __setitem__(self, key: str, value: Any) -> None:
        self.additional_properties[key] = value

    def __delitem__(self, key: str) -> None:
        del self.additional_properties[key]

    def __contains__(self, key: str) -> bool:
        return key in self.additional_properties
