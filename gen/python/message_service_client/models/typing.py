from __future__ import annotations

import datetime
from collections.abc import Mapping
from typing import Any, Self, TypeVar

from attrs import define as _attrs_define
from attrs import field as _attrs_field

T = TypeVar("T", bound="Typing")


@_attrs_define
class Typing:
    """That a user is writing a message, as far as is known until `expiresAt`. `peer` is the conversation in which they
    write as it is for whom the stream is: the group, or the user themselves.

        Attributes:
            user (str): Your id for a user: 1 to 128 letters, digits and `._~@:|+='-`, the first neither
                `.` nor `~`. Compared byte for byte. In a query encode `+` as `%2B`.
            peer (str): To whom messages go: a user, by their id, or a group, by its address: `bob`, `~team-1`. No user id
                begins with
                `~`. In a shell quote the address of a group, `'~team-1'`; in a query encode `+` as `%2B`.
            expires_at (datetime.datetime): An RFC 3339 time in UTC, with milliseconds. Example: 2026-11-23T12:00:00.366Z.
    """

    user: str
    peer: str
    expires_at: datetime.datetime
    additional_properties: dict[str, Any] = _attrs_field(init=False, factory=dict)

    def to_dict(self) -> dict[str, Any]:
        user = self.user

        peer = self.peer

        if self.expires_at.utcoffset() is None:
            raise ValueError("expires_at needs a time zone, such as datetime.now(UTC)")
        expires_at = self.expires_at.isoformat()

        field_dict: dict[str, Any] = {}
        field_dict.update(self.additional_properties)
        field_dict.update(
            {
                "user": user,
                "peer": peer,
                "expiresAt": expires_at,
            }
        )

        return field_dict

    @classmethod
    def from_dict(cls, src_dict: Mapping[str, Any]) -> Self:
        d = dict(src_dict)
        user = d.pop("user")

        peer = d.pop("peer")

        expires_at = datetime.datetime.fromisoformat(d.pop("expiresAt"))

        typing = cls(
            user=user,
            peer=peer,
            expires_at=expires_at,
        )

        typing.additional_properties = d
        return typing

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
