from __future__ import annotations

import datetime
from collections.abc import Mapping
from typing import Any, Self, TypeVar

from attrs import define as _attrs_define
from attrs import field as _attrs_field

T = TypeVar("T", bound="Block")


@_attrs_define
class Block:
    """A user receives nothing from a peer.

    Attributes:
        user (str): Your id for a user: 1 to 128 letters, digits and `._~@:|+='-`, the first neither
            `.` nor `~`. Compared byte for byte. In a query encode `+` as `%2B`.
        peer (str): Your id for a user: 1 to 128 letters, digits and `._~@:|+='-`, the first neither
            `.` nor `~`. Compared byte for byte. In a query encode `+` as `%2B`.
        blocked_at (datetime.datetime): An RFC 3339 time in UTC, with milliseconds. Example: 2026-11-23T12:00:00.366Z.
    """

    user: str
    peer: str
    blocked_at: datetime.datetime
    additional_properties: dict[str, Any] = _attrs_field(init=False, factory=dict)

    def to_dict(self) -> dict[str, Any]:
        user = self.user

        peer = self.peer

        if self.blocked_at.utcoffset() is None:
            raise ValueError("blocked_at needs a time zone, such as datetime.now(UTC)")
        blocked_at = self.blocked_at.isoformat()

        field_dict: dict[str, Any] = {}
        field_dict.update(self.additional_properties)
        field_dict.update(
            {
                "user": user,
                "peer": peer,
                "blockedAt": blocked_at,
            }
        )

        return field_dict

    @classmethod
    def from_dict(cls, src_dict: Mapping[str, Any]) -> Self:
        d = dict(src_dict)
        user = d.pop("user")

        peer = d.pop("peer")

        blocked_at = datetime.datetime.fromisoformat(d.pop("blockedAt"))

        block = cls(
            user=user,
            peer=peer,
            blocked_at=blocked_at,
        )

        block.additional_properties = d
        return block

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
