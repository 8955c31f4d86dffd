from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Self, TypeVar
from uuid import UUID

from attrs import define as _attrs_define

T = TypeVar("T", bound="SetReadMarkerRequest")


@_attrs_define
class SetReadMarkerRequest:
    """How far a user has read.

    Attributes:
        message_id (UUID): A UUID. Those the service makes are of version 7 and sort in the order of the
            messages.
    """

    message_id: UUID

    def to_dict(self) -> dict[str, Any]:
        message_id = str(self.message_id)

        field_dict: dict[str, Any] = {}

        field_dict.update(
            {
                "messageId": message_id,
            }
        )

        return field_dict

    @classmethod
    def from_dict(cls, src_dict: Mapping[str, Any]) -> Self:
        d = dict(src_dict)
        message_id = UUID(d.pop("messageId"))

        set_read_marker_request = cls(
            message_id=message_id,
        )

        return set_read_marker_request
