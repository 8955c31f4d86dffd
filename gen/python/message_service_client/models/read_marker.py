from __future__ import annotations

import datetime
from collections.abc import Mapping
from typing import Any, Self, TypeVar
from uuid import UUID

from attrs import define as _attrs_define
from attrs import field as _attrs_field

T = TypeVar("T", bound="ReadMarker")


@_attrs_define
class ReadMarker:
    """How far a user has read the conversation with a peer.

    Attributes:
        user (str): Your id for a user: 1 to 128 letters, digits and `._~@:|+='-`, the first neither
            `.` nor `~`. Compared byte for byte. In a query encode `+` as `%2B`.
        peer (str): To whom messages go: a user, by their id, or a group, by its address: `bob`, `~team-1`. No user id
            begins with
            `~`. In a shell quote the address of a group, `'~team-1'`; in a query encode `+` as `%2B`.
        message_id (UUID): A UUID. Those the service makes are of version 7 and sort in the order of the
            messages.
        read_at (datetime.datetime): An RFC 3339 time in UTC, with milliseconds. Example: 2026-11-23T12:00:00.366Z.
    """

    user: str
    peer: str
    message_id: UUID
    read_at: datetime.datetime
    additional_properties: dict[str, Any] = _attrs_field(init=False, factory=dict)

    def to_dict(self) -> dict[str, Any]:
        user = self.user

        peer = self.peer

        message_id = str(self.message_id)

        if self.read_at.utcoffset() is None:
            raise ValueError("read_at needs a time zone, such as datetime.now(UTC)")
        read_at = self.read_at.isoformat()

        field_dict: dict[str, Any] = {}
        field_dict.update(self.additional_properties)
        field_dict.update(
            {
                "user": user,
                "peer": peer,
                "messageId": message_id,
                "readAt": read_at,
            }
        )

        return field_dict

    @classmethod
    def from_dict(cls, src_dict: Mapping[str, Any]) -> Self:
        d = dict(src_dict)
        user = d.pop("user")

        peer = d.pop("peer")

        message_id = UUID(d.pop("messageId"))

        read_at = datetime.datetime.fromisoformat(d.pop("readAt"))

        read_marker = cls(
            user=user,
            peer=peer,
            message_id=message_id,
            read_at=read_at,
        )

        read_marker.additional_properties = d
        return read_marker

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
