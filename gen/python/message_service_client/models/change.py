from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, Self, TypeVar
from uuid import UUID

from attrs import define as _attrs_define
from attrs import field as _attrs_field

from ..types import UNSET, Unset

if TYPE_CHECKING:
    from ..models.message import Message
    from ..models.read_marker import ReadMarker


T = TypeVar("T", bound="Change")


@_attrs_define
class Change:
    """A message or a read marker, named by `type`, as it is now.

    Attributes:
        cursor (UUID): A place in a feed of changes. Cursors sort in the order of the feed; that of a
            new message is its id.
        type_ (str): `message` for one that is new, edited or deleted, `read` for a read marker.
            More will come: skip a change of a type that you do not know.
             Example: message.
        message (Message | Unset): A message as it is now.
        read_marker (ReadMarker | Unset): How far a user has read the conversation with a peer.
    """

    cursor: UUID
    type_: str
    message: Message | Unset = UNSET
    read_marker: ReadMarker | Unset = UNSET
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

        return field_dict

    @classmethod
    def from_dict(cls, src_dict: Mapping[str, Any]) -> Self:
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

        change = cls(
            cursor=cursor,
            type_=type_,
            message=message,
            read_marker=read_marker,
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
