from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Self, TypeVar, cast

from attrs import define as _attrs_define

T = TypeVar("T", bound="AddGroupMembersRequest")


@_attrs_define
class AddGroupMembersRequest:
    """Users to be added to a group.

    Attributes:
        users (list[str]): Who.
    """

    users: list[str]

    def to_dict(self) -> dict[str, Any]:
        users = self.users

        field_dict: dict[str, Any] = {}

        field_dict.update(
            {
                "users": users,
            }
        )

        return field_dict

    @classmethod
    def from_dict(cls, src_dict: Mapping[str, Any]) -> Self:
        d = dict(src_dict)
        users = cast(list[str], d.pop("users"))

        add_group_members_request = cls(
            users=users,
        )

        return add_group_members_request
