from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, Self, TypeVar, cast

from attrs import define as _attrs_define

from ..types import UNSET, Unset

if TYPE_CHECKING:
    from ..models.update_group_request_metadata_type_0 import (
        UpdateGroupRequestMetadataType0,
    )


T = TypeVar("T", bound="UpdateGroupRequest")


@_attrs_define
class UpdateGroupRequest:
    """What to replace in a group.

    Attributes:
        name (str | Unset): What a group is called, for people: 1 to 128 Unicode code points without control characters,
            at least one of
            which can be seen. Several groups may have one name.
             Example: Team 1.
        metadata (None | Unset | UpdateGroupRequestMetadataType0): The new metadata, within the same bounds as at the
            creation; null removes it. Example: {'color': 'teal'}.
        history (str | Unset): What a user who joins may read of what was written before: `all` of it, or `none`. It
            counts at the time of
            joining, so a change of it concerns those who join later.
             Example: all.
    """

    name: str | Unset = UNSET
    metadata: None | Unset | UpdateGroupRequestMetadataType0 = UNSET
    history: str | Unset = UNSET

    def to_dict(self) -> dict[str, Any]:
        from ..models.update_group_request_metadata_type_0 import (
            UpdateGroupRequestMetadataType0,
        )

        name = self.name

        metadata: dict[str, Any] | None | Unset
        if isinstance(self.metadata, Unset):
            metadata = UNSET
        elif isinstance(self.metadata, UpdateGroupRequestMetadataType0):
            metadata = self.metadata.to_dict()
        else:
            metadata = self.metadata

        history = self.history

        field_dict: dict[str, Any] = {}

        field_dict.update({})
        if name is not UNSET:
            field_dict["name"] = name
        if metadata is not UNSET:
            field_dict["metadata"] = metadata
        if history is not UNSET:
            field_dict["history"] = history

        return field_dict

    @classmethod
    def from_dict(cls, src_dict: Mapping[str, Any]) -> Self:
        from ..models.update_group_request_metadata_type_0 import (
            UpdateGroupRequestMetadataType0,
        )

        d = dict(src_dict)
        name = d.pop("name", UNSET)

        def _parse_metadata(
            data: object,
        ) -> None | Unset | UpdateGroupRequestMetadataType0:
            if data is None:
                return data
            if isinstance(data, Unset):
                return data
            try:
                if not isinstance(data, dict):
                    raise TypeError()
                metadata_type_0 = UpdateGroupRequestMetadataType0.from_dict(data)

                return metadata_type_0
            except (TypeError, ValueError, AttributeError, KeyError):
                pass
            return cast(None | Unset | UpdateGroupRequestMetadataType0, data)

        metadata = _parse_metadata(d.pop("metadata", UNSET))

        history = d.pop("history", UNSET)

        update_group_request = cls(
            name=name,
            metadata=metadata,
            history=history,
        )

        return update_group_request
