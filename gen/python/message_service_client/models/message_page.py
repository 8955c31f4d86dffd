from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, Self, TypeVar
from uuid import UUID

from attrs import define as _attrs_define
from attrs import field as _attrs_field

from ..types import UNSET, Unset

if TYPE_CHECKING:
    from ..models.message import Message


T = TypeVar("T", bound="MessagePage")


@_attrs_define
class MessagePage:
    """One page of messages, newest first: as many as were asked for, or fewer where they are
    large (`pageMaxBytes` of the limits) or where a search has looked at many others. Only
    `hasMore` tells whether it is the last. If it is not, `next` is where the next one
    begins: pass it as `after` where this page was asked for with `after` alone, else as
    `before`. Mostly it is the id of the last message in that direction.

        Attributes:
            messages (list[Message]): The messages, newest first.
            has_more (bool): Whether there is at least one more message in the direction asked for:
                newer ones with `after` alone, else older ones.
                 Example: False.
            next_ (UUID | Unset): A UUID. Those the service makes are of version 7 and sort in the order of the
                messages.
    """

    messages: list[Message]
    has_more: bool
    next_: UUID | Unset = UNSET
    additional_properties: dict[str, Any] = _attrs_field(init=False, factory=dict)

    def to_dict(self) -> dict[str, Any]:
        messages = []
        for messages_item_data in self.messages:
            messages_item = messages_item_data.to_dict()
            messages.append(messages_item)

        has_more = self.has_more

        next_: str | Unset = UNSET
        if not isinstance(self.next_, Unset):
            next_ = str(self.next_)

        field_dict: dict[str, Any] = {}
        field_dict.update(self.additional_properties)
        field_dict.update(
            {
                "messages": messages,
                "hasMore": has_more,
            }
        )
        if next_ is not UNSET:
            field_dict["next"] = next_

        return field_dict

    @classmethod
    def from_dict(cls, src_dict: Mapping[str, Any]) -> Self:
        from ..models.message import Message

        d = dict(src_dict)
        messages = []
        _messages = d.pop("messages")
        for messages_item_data in _messages:
            messages_item = Message.from_dict(messages_item_data)

            messages.append(messages_item)

        has_more = d.pop("hasMore")

        _next_ = d.pop("next", UNSET)
        next_: UUID | Unset
        if isinstance(_next_, Unset):
            next_ = UNSET
        else:
            next_ = UUID(_next_)

        message_page = cls(
            messages=messages,
            has_more=has_more,
            next_=next_,
        )

        message_page.additional_properties = d
        return message_page

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
