from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Self, TypeVar

from attrs import define as _attrs_define

T = TypeVar("T", bound="SetGroupMemberRequest")


@_attrs_define
class SetGroupMemberRequest:
    """The role of a member.

    Attributes:
        role (str): What a member may do. A `member` reads and writes, and leaves. An `admin` also adds members, removes
            those who are only
            members, changes the group, and deletes messages of others. The `owner`, of whom there is always one, also
            removes admins,
            sets roles, hands the group over, and deletes it.
             Example: member.
    """

    role: str

    def to_dict(self) -> dict[str, Any]:
        role = self.role

        field_dict: dict[str, Any] = {}

        field_dict.update(
            {
                "role": role,
            }
        )

        return field_dict

    @classmethod
    def from_dict(cls, src_dict: Mapping[str, Any]) -> Self:
        d = dict(src_dict)
        role = d.pop("role")

        set_group_member_request = cls(
            role=role,
        )

        return set_group_member_request
