from __future__ import annotations

import datetime
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, Self, TypeVar

from attrs import define as _attrs_define
from attrs import field as _attrs_field

from ..types import UNSET, Unset

if TYPE_CHECKING:
    from ..models.metadata import Metadata


T = TypeVar("T", bound="Group")


@_attrs_define
class Group:
    """A group as it is now. `updatedAt` is when its name, metadata or history was last changed, and absent
    before. A deleted group has `deletedAt` in its place.

        Attributes:
            address (str): The address of a group, which you choose: `~`, and then what a user id can be. It is never given
                to another
                group, even once the group is deleted. In a shell quote it, `'~team-1'`: some take a word that begins with `~`
                for a directory. In a query encode `+` as `%2B`.
                 Example: ~team-1.
            name (str): What it is called; empty once the group is deleted. Example: Team 1.
            history (str): What a user who joins may read of what was written before: `all` of it, or `none`. It counts at
                the time of
                joining, so a change of it concerns those who join later.
                 Example: all.
            member_count (int): How many members it has; none once it is deleted. A change of who they are is an event of
                type
                `membership`, and none of the group: a client that keeps the number counts those, or reads it again.
                 Example: 20.
            created_at (datetime.datetime): An RFC 3339 time in UTC, with milliseconds. Example: 2026-11-23T12:00:00.366Z.
            metadata (Metadata | Unset): Your own data: a JSON object of at most 4 KiB (as compact UTF-8) and 30 levels.
                It is kept with the message, or the group. Numbers keep every digit; the order of properties is
                not kept. Leave it out rather than sending null.
                 Example: {'client': 'android/4.2'}.
            updated_at (datetime.datetime | Unset): An RFC 3339 time in UTC, with milliseconds. Example:
                2026-11-23T12:00:00.366Z.
            deleted_at (datetime.datetime | Unset): An RFC 3339 time in UTC, with milliseconds. Example:
                2026-11-23T12:00:00.366Z.
    """

    address: str
    name: str
    history: str
    member_count: int
    created_at: datetime.datetime
    metadata: Metadata | Unset = UNSET
    updated_at: datetime.datetime | Unset = UNSET
    deleted_at: datetime.datetime | Unset = UNSET
    additional_properties: dict[str, Any] = _attrs_field(init=False, factory=dict)

    def to_dict(self) -> dict[str, Any]:
        address = self.address

        name = self.name

        history = self.history

        member_count = self.member_count

        if self.created_at.utcoffset() is None:
            raise ValueError("created_at needs a time zone, such as datetime.now(UTC)")
        created_at = self.created_at.isoformat()

        metadata: dict[str, Any] | Unset = UNSET
        if not isinstance(self.metadata, Unset):
            metadata = self.metadata.to_dict()

        if (
            isinstance(self.updated_at, datetime.datetime)
            and self.updated_at.utcoffset() is None
        ):
            raise ValueError("updated_at needs a time zone, such as datetime.now(UTC)")
        updated_at: str | Unset = UNSET
        if not isinstance(self.updated_at, Unset):
            updated_at = self.updated_at.isoformat()

        if (
            isinstance(self.deleted_at, datetime.datetime)
            and self.deleted_at.utcoffset() is None
        ):
            raise ValueError("deleted_at needs a time zone, such as datetime.now(UTC)")
        deleted_at: str | Unset = UNSET
        if not isinstance(self.deleted_at, Unset):
            deleted_at = self.deleted_at.isoformat()

        field_dict: dict[str, Any] = {}
        field_dict.update(self.additional_properties)
        field_dict.update(
            {
                "address": address,
                "name": name,
                "history": history,
                "memberCount": member_count,
                "createdAt": created_at,
            }
        )
        if metadata is not UNSET:
            field_dict["metadata"] = metadata
        if updated_at is not UNSET:
            field_dict["updatedAt"] = updated_at
        if deleted_at is not UNSET:
            field_dict["deletedAt"] = deleted_at

        return field_dict

    @classmethod
    def from_dict(cls, src_dict: Mapping[str, Any]) -> Self:
        from ..models.metadata import Metadata

        d = dict(src_dict)
        address = d.pop("address")

        name = d.pop("name")

        history = d.pop("history")

        member_count = d.pop("memberCount")

        created_at = datetime.datetime.fromisoformat(d.pop("createdAt"))

        _metadata = d.pop("metadata", UNSET)
        metadata: Metadata | Unset
        if isinstance(_metadata, Unset):
            metadata = UNSET
        else:
            metadata = Metadata.from_dict(_metadata)

        _updated_at = d.pop("updatedAt", UNSET)
        updated_at: datetime.datetime | Unset
        if isinstance(_updated_at, Unset):
            updated_at = UNSET
        else:
            updated_at = datetime.datetime.fromisoformat(_updated_at)

        _deleted_at = d.pop("deletedAt", UNSET)
        deleted_at: datetime.datetime | Unset
        if isinstance(_deleted_at, Unset):
            deleted_at = UNSET
        else:
            deleted_at = datetime.datetime.fromisoformat(_deleted_at)

        group = cls(
            address=address,
            name=name,
            history=history,
            member_count=member_count,
            created_at=created_at,
            metadata=metadata,
            updated_at=updated_at,
            deleted_at=deleted_at,
        )

        group.additional_properties = d
        return group

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
