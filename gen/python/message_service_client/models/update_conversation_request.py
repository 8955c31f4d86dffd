from __future__ import annotations

import datetime
from collections.abc import Mapping
from typing import Any, Self, TypeVar, cast

from attrs import define as _attrs_define

from ..types import UNSET, Unset

T = TypeVar("T", bound="UpdateConversationRequest")


@_attrs_define
class UpdateConversationRequest:
    """What to replace in a user's view of a conversation.

    Attributes:
        muted_until (datetime.datetime | None | Unset): Until when it is muted, an RFC 3339 time in any zone, to the
            millisecond; null unmutes it. From
            then on, or if it is past, the conversation is not muted, and has no `mutedUntil`.
             Example: 2099-01-01T00:00:00Z.
        hidden (bool | Unset): Whether to leave it out of the list of conversations until there is a newer message.
            Example: True.
    """

    muted_until: datetime.datetime | None | Unset = UNSET
    hidden: bool | Unset = UNSET

    def to_dict(self) -> dict[str, Any]:
        muted_until: None | str | Unset
        if isinstance(self.muted_until, Unset):
            muted_until = UNSET
        elif isinstance(self.muted_until, datetime.datetime):
            if self.muted_until.utcoffset() is None:
                raise ValueError(
                    "muted_until_type_0 needs a time zone, such as datetime.now(UTC)"
                )
            muted_until = self.muted_until.isoformat()
        else:
            muted_until = self.muted_until

        hidden = self.hidden

        field_dict: dict[str, Any] = {}

        field_dict.update({})
        if muted_until is not UNSET:
            field_dict["mutedUntil"] = muted_until
        if hidden is not UNSET:
            field_dict["hidden"] = hidden

        return field_dict

    @classmethod
    def from_dict(cls, src_dict: Mapping[str, Any]) -> Self:
        d = dict(src_dict)

        def _parse_muted_until(data: object) -> datetime.datetime | None | Unset:
            if data is None:
                return data
            if isinstance(data, Unset):
                return data
            try:
                if not isinstance(data, str):
                    raise TypeError()
                muted_until_type_0 = datetime.datetime.fromisoformat(data)

                return muted_until_type_0
            except (TypeError, ValueError, AttributeError, KeyError):
                pass
            return cast(datetime.datetime | None | Unset, data)

        muted_until = _parse_muted_until(d.pop("mutedUntil", UNSET))

        hidden = d.pop("hidden", UNSET)

        update_conversation_request = cls(
            muted_until=muted_until,
            hidden=hidden,
        )

        return update_conversation_request
