from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, Self, TypeVar, cast

from attrs import define as _attrs_define

from ..types import UNSET, Unset

if TYPE_CHECKING:
    from ..models.new_metadata import NewMetadata


T = TypeVar("T", bound="EditMessageRequest")


@_attrs_define
class EditMessageRequest:
    """What to replace in a message.

    Attributes:
        text (str | Unset): 1 to 4,096 Unicode code points without U+0000, at least one of which can be seen:
            neither white space nor invisible, as U+200B and U+3164 are (all of Unicode's
            Default_Ignorable_Code_Point, and U+2800). Stored and returned exactly: nothing is
            trimmed, escaped or normalised.
             Example: Lunch at noon?.
        metadata (NewMetadata | None | Unset): The new metadata, within the same bounds as on a send; null removes it.
            Example: {'client': 'android/4.2'}.
    """

    text: str | Unset = UNSET
    metadata: NewMetadata | None | Unset = UNSET

    def to_dict(self) -> dict[str, Any]:
        from ..models.new_metadata import NewMetadata

        text = self.text

        metadata: dict[str, Any] | None | Unset
        if isinstance(self.metadata, Unset):
            metadata = UNSET
        elif isinstance(self.metadata, NewMetadata):
            metadata = self.metadata.to_dict()
        else:
            metadata = self.metadata

        field_dict: dict[str, Any] = {}

        field_dict.update({})
        if text is not UNSET:
            field_dict["text"] = text
        if metadata is not UNSET:
            field_dict["metadata"] = metadata

        return field_dict

    @classmethod
    def from_dict(cls, src_dict: Mapping[str, Any]) -> Self:
        from ..models.new_metadata import NewMetadata

        d = dict(src_dict)
        text = d.pop("text", UNSET)

        def _parse_metadata(data: object) -> NewMetadata | None | Unset:
            if data is None:
                return data
            if isinstance(data, Unset):
                return data
            try:
                if not isinstance(data, dict):
                    raise TypeError()
                metadata_type_0 = NewMetadata.from_dict(data)

                return metadata_type_0
            except (TypeError, ValueError, AttributeError, KeyError):
                pass
            return cast(NewMetadata | None | Unset, data)

        metadata = _parse_metadata(d.pop("metadata", UNSET))

        edit_message_request = cls(
            text=text,
            metadata=metadata,
        )

        return edit_message_request
