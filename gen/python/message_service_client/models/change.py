from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, Self, TypeVar
from uuid import UUID

from attrs import define as _attrs_define
from attrs import field as _attrs_field

from ..types import UNSET, Unset

if TYPE_CHECKING:
    from ..models.group import Group
    from ..models.membership import Membership
    from ..models.message import Message
    from ..models.read_marker import ReadMarker


T = TypeVar("T", bound="Change")


@_attrs_define
class Change:
    """A message, a read marker, a group or a membership, named by `type`, as it is now.

    Attributes:
        cursor (UUID): A place in a feed of changes. Cursors sort in the order of the feed; that of a
            new message is its id.
        type_ (str): `message` for one that is new, edited or deleted, `read` for a read marker, `group` for
            one that is new, updated or deleted, `membership` for one that has begun, changed or ended.
            More will come: skip a change of a type that you do not know.
             Example: message.
        message (Message | Unset): A message as it is now.
        read_marker (ReadMarker | Unset): How far a user has read the conversation with a peer.
        group (Group | Unset): A group as it is now. `updatedAt` is when its name, metadata or history was last changed,
            and absent
            before. A deleted group has `deletedAt` in its place.
        membership (Membership | Unset): That a user is in a group since they have last joined, or no longer.
    """

    cursor: UUID
    type_: str
    message: Message | Unset = UNSET
    read_marker: ReadMarker | Unset = UNSET
    group: Group | Unset = UNSET
    membership: Membership | Unset = UNSET
    additional_properties: dict[str, Any] = _attrs_field(init=False, factory=dict)

    def to_dict(self) -> dict[str, Any]:
        cursor = str(self.cursor)

        type_ = self.type_

        message: dict[str, Any] | Unset = UNSET
        if not isinstance(self.message, Unset):
            message = self.message.to_dict()

        read_marker: dict[str, Any] | Unset = UNSET
        if not isinstance(self.read_marker, Unset):
            read_marker = self.read_marker.to_dict()

        group: dict[str, Any] | Unset = UNSET
        if not isinstance(self.group, Unset):
            group = self.group.to_dict()

        membership: dict[str, Any] | Unset = UNSET
        if not isinstance(self.membership, Unset):
            membership = self.membership.to_dict()

        field_dict: dict[str, Any] = {}
        field_dict.update(self.additional_properties)
        field_dict.update(
            {
                "cursor": cursor,
                "type": type_,
            }
        )
        if message is not UNSET:
            field_dict["message"] = message
        if read_marker is not UNSET:
            field_dict["readMarker"] = read_marker
        if group is not UNSET:
            field_dict["group"] = group
        if membership is not UNSET:
            field_dict["membership"] = membership

        return field_dict

    @classmethod
    def from_dict(cls, src_dict: Mapping[str, Any]) -> Self:
        from ..models.group import Group
        from ..models.membership import Membership
        from ..models.message import Message
        from ..models.read_marker import ReadMarker

        d = dict(src_dict)
        cursor = UUID(d.pop("cursor"))

        type_ = d.pop("type")

        _message = d.pop("message", UNSET)
        message: Message | Unset
        if isinstance(_message, Unset):
            message = UNSET
        else:
            message = Message.from_dict(_message)

        _read_marker = d.pop("readMarker", UNSET)
        read_marker: ReadMarker | Unset
        if isinstance(_read_marker, Unset):
            read_marker = UNSET
        else:
            read_marker = ReadMarker.from_dict(_read_marker)

        _group = d.pop("group", UNSET)
        group: Group | Unset
        if isinstance(_group, Unset):
            group = UNSET
        else:
            group = Group.from_dict(_group)

        _membership = d.pop("membership", UNSET)
        membership: Membership | Unset
        if isinstance(_membership, Unset):
            membership = UNSET
        else:
            membership = Membership.from_dict(_membership)

        change = cls(
            cursor=cursor,
            type_=type_,
            message=message,
            read_marker=read_marker,
            group=group,
            membership=membership,
        )

        change.additional_properties = d
        return change

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
