from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, Self, TypeVar

from attrs import define as _attrs_define
from attrs import field as _attrs_field

from ..types import UNSET, Unset

if TYPE_CHECKING:
    from ..models.message import Message
    from ..models.read_marker import ReadMarker


T = TypeVar("T", bound="Conversation")


@_attrs_define
class Conversation:
    """One user's view of what they and another have written to each other.

    Attributes:
        peer (str): To whom messages go: a user, by their id, or a group, by its address: `bob`, `~team-1`. No user id
            begins with
            `~`. In a shell quote the address of a group, `'~team-1'`; in a query encode `+` as `%2B`.
        last_message (Message): A message as it is now.
        unread_count (int): How many messages from the peer come after the user's marker; 100 means
            100 or more.
             Example: 1.
        read_marker (ReadMarker | Unset): How far a user has read the conversation with a peer.
        peer_read_marker (ReadMarker | Unset): How far a user has read the conversation with a peer.
    """

    peer: str
    last_message: Message
    unread_count: int
    read_marker: ReadMarker | Unset = UNSET
    peer_read_marker: ReadMarker | Unset = UNSET
    additional_properties: dict[str, Any] = _attrs_field(init=False, factory=dict)

    def to_dict(self) -> dict[str, Any]:
        peer = self.peer

        last_message = self.last_message.to_dict()

        unread_count = self.unread_count

        read_marker: dict[str, Any] | Unset = UNSET
        if not isinstance(self.read_marker, Unset):
            read_marker = self.read_marker.to_dict()

        peer_read_marker: dict[str, Any] | Unset = UNSET
        if not isinstance(self.peer_read_marker, Unset):
            peer_read_marker = self.peer_read_marker.to_dict()

        field_dict: dict[str, Any] = {}
        field_dict.update(self.additional_properties)
        field_dict.update(
            {
                "peer": peer,
                "lastMessage": last_message,
                "unreadCount": unread_count,
            }
        )
        if read_marker is not UNSET:
            field_dict["readMarker"] = read_marker
        if peer_read_marker is not UNSET:
            field_dict["peerReadMarker"] = peer_read_marker

        return field_dict

    @classmethod
    def from_dict(cls, src_dict: Mapping[str, Any]) -> Self:
        from ..models.message import Message
        from ..models.read_marker import ReadMarker

        d = dict(src_dict)
        peer = d.pop("peer")

        last_message = Message.from_dict(d.pop("lastMessage"))

        unread_count = d.pop("unreadCount")

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

        conversation = cls(
            peer=peer,
            last_message=last_message,
            unread_count=unread_count,
            read_marker=read_marker,
            peer_read_marker=peer_read_marker,
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
