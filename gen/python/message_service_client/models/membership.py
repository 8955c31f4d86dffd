from __future__ import annotations

import datetime
from collections.abc import Mapping
from typing import Any, Self, TypeVar

from attrs import define as _attrs_define
from attrs import field as _attrs_field

T = TypeVar("T", bound="Membership")


@_attrs_define
class Membership:
    """That a user is in a group since they have last joined, or no longer.

    Attributes:
        group (str): The address of a group, which you choose: `~`, and then what a user id can be. It is never given to
            another
            group, even once the group is deleted. In a shell quote it, `'~team-1'`: some take a word that begins with `~`
            for a directory. In a query encode `+` as `%2B`.
             Example: ~team-1.
        user (str): Your id for a user: 1 to 128 letters, digits and `._~@:|+='-`, the first neither
            `.` nor `~`. Compared byte for byte. In a query encode `+` as `%2B`.
        role (str): What a member may do. A `member` reads and writes, and leaves. An `admin` also adds members, removes
            those who are only
            members, changes the group, and deletes messages of others. The `owner`, of whom there is always one, also
            removes admins,
            sets roles, hands the group over, and deletes it.
             Example: member.
        state (str): `active`, or how it ended: `left`, `removed`, or `deleted` with the group. Example: active.
        since (datetime.datetime): An RFC 3339 time in UTC, with milliseconds. Example: 2026-11-23T12:00:00.366Z.
    """

    group: str
    user: str
    role: str
    state: str
    since: datetime.datetime
    additional_properties: dict[str, Any] = _attrs_field(init=False, factory=dict)

    def to_dict(self) -> dict[str, Any]:
        group = self.group

        user = self.user

        role = self.role

        state = self.state

        if self.since.utcoffset() is None:
            raise ValueError("since needs a time zone, such as datetime.now(UTC)")
        since = self.since.isoformat()

        field_dict: dict[str, Any] = {}
        field_dict.update(self.additional_properties)
        field_dict.update(
            {
                "group": group,
                "user": user,
                "role": role,
                "state": state,
                "since": since,
            }
        )

        return field_dict

    @classmethod
    def from_dict(cls, src_dict: Mapping[str, Any]) -> Self:
        d = dict(src_dict)
        group = d.pop("group")

        user = d.pop("user")

        role = d.pop("role")

        state = d.pop("state")

        since = datetime.datetime.fromisoformat(d.pop("since"))

        membership = cls(
            group=group,
            user=user,
            role=role,
            state=state,
            since=since,
        )

        membership.additional_properties = d
        return membership

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
