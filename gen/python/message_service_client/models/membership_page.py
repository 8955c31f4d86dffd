from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, Self, TypeVar

from attrs import define as _attrs_define
from attrs import field as _attrs_field

from ..types import UNSET, Unset

if TYPE_CHECKING:
    from ..models.membership import Membership


T = TypeVar("T", bound="MembershipPage")


@_attrs_define
class MembershipPage:
    """One page of members of a group, in the order of their ids. If it is not the last, `next` is
    where the next one begins: pass it as `after`.

        Attributes:
            members (list[Membership]): The members.
            has_more (bool): Whether there is at least one more member after these. Example: False.
            next_ (str | Unset): Your id for a user: 1 to 128 letters, digits and `._~@:|+='-`, the first neither
                `.` nor `~`. Compared byte for byte. In a query encode `+` as `%2B`.
    """

    members: list[Membership]
    has_more: bool
    next_: str | Unset = UNSET
    additional_properties: dict[str, Any] = _attrs_field(init=False, factory=dict)

    def to_dict(self) -> dict[str, Any]:
        members = []
        for members_item_data in self.members:
            members_item = members_item_data.to_dict()
            members.append(members_item)

        has_more = self.has_more

        next_ = self.next_

        field_dict: dict[str, Any] = {}
        field_dict.update(self.additional_properties)
        field_dict.update(
            {
                "members": members,
                "hasMore": has_more,
            }
        )
        if next_ is not UNSET:
            field_dict["next"] = next_

        return field_dict

    @classmethod
    def from_dict(cls, src_dict: Mapping[str, Any]) -> Self:
        from ..models.membership import Membership

        d = dict(src_dict)
        members = []
        _members = d.pop("members")
        for members_item_data in _members:
            members_item = Membership.from_dict(members_item_data)

            members.append(members_item)

        has_more = d.pop("hasMore")

        next_ = d.pop("next", UNSET)

        membership_page = cls(
            members=members,
            has_more=has_more,
            next_=next_,
        )

        membership_page.additional_properties = d
        return membership_page

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
