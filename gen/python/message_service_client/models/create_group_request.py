from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, Self, TypeVar

from attrs import define as _attrs_define

from ..types import UNSET, Unset

if TYPE_CHECKING:
    from ..models.metadata import Metadata


T = TypeVar("T", bound="CreateGroupRequest")


@_attrs_define
class CreateGroupRequest:
    """A group to be created. Without `history` it is `all`. A service has to name the `owner`; a user owns what they
    create.

        Attributes:
            name (str): What a group is called, for people: 1 to 128 Unicode code points without control characters, at
                least one of
                which can be seen. Several groups may have one name.
                 Example: Team 1.
            metadata (Metadata | Unset): Your own data: a JSON object of at most 4 KiB (as compact UTF-8) and 30 levels.
                It is kept with the message, or the group. Numbers keep every digit; the order of properties is
                not kept. Leave it out rather than sending null.
                 Example: {'client': 'android/4.2'}.
            history (str | Unset): What a user who joins may read of what was written before: `all` of it, or `none`. It
                counts at the time of
                joining, so a change of it concerns those who join later.
                 Example: all.
            owner (str | Unset): Your id for a user: 1 to 128 letters, digits and `._~@:|+='-`, the first neither
                `.` nor `~`. Compared byte for byte. In a query encode `+` as `%2B`.
    """

    name: str
    metadata: Metadata | Unset = UNSET
    history: str | Unset = UNSET
    owner: str | Unset = UNSET

    def to_dict(self) -> dict[str, Any]:
        name = self.name

        metadata: dict[str, Any] | Unset = UNSET
        if not isinstance(self.metadata, Unset):
            metadata = self.metadata.to_dict()

        history = self.history

        owner = self.owner

        field_dict: dict[str, Any] = {}

        field_dict.update(
            {
                "name": name,
            }
        )
        if metadata is not UNSET:
            field_dict["metadata"] = metadata
        if history is not UNSET:
            field_dict["history"] = history
        if owner is not UNSET:
            field_dict["owner"] = owner

        return field_dict

    @classmethod
    def from_dict(cls, src_dict: Mapping[str, Any]) -> Self:
        from ..models.metadata import Metadata

        d = dict(src_dict)
        name = d.pop("name")

        _metadata = d.pop("metadata", UNSET)
        metadata: Metadata | Unset
        if isinstance(_metadata, Unset):
            metadata = UNSET
        else:
            metadata = Metadata.from_dict(_metadata)

        history = d.pop("history", UNSET)

        owner = d.pop("owner", UNSET)

        create_group_request = cls(
            name=name,
            metadata=metadata,
            history=history,
            owner=owner,
        )

        return create_group_request
