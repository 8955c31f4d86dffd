from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, Self, TypeVar
from uuid import UUID

from attrs import define as _attrs_define
from attrs import field as _attrs_field

from ..types import UNSET, Unset

if TYPE_CHECKING:
    from ..models.conversation import Conversation


T = TypeVar("T", bound="ConversationPage")


@_attrs_define
class ConversationPage:
    """One page of conversations, the one with the newest message first: as many as were asked
    for, or fewer where their last messages are large (`pageMaxBytes` of the limits). Only
    `hasMore` tells whether it is the last. If it is not, `next` is where the next one begins:
    pass it as `before`.

        Attributes:
            conversations (list[Conversation]): The conversations.
            has_more (bool): Whether there is at least one more conversation after these. Example: False.
            next_ (UUID | Unset): The place of a conversation among those of a user, which sort by it, the greatest first.
                It is the id of the
                last message, or, if that is greater, the change by which the user has joined the group. It is all zeros for a
                conversation between users that is there only because it is muted, since its last message was deleted.
    """

    conversations: list[Conversation]
    has_more: bool
    next_: UUID | Unset = UNSET
    additional_properties: dict[str, Any] = _attrs_field(init=False, factory=dict)

    def to_dict(self) -> dict[str, Any]:
        conversations = []
        for conversations_item_data in self.conversations:
            conversations_item = conversations_item_data.to_dict()
            conversations.append(conversations_item)

        has_more = self.has_more

        next_: str | Unset = UNSET
        if not isinstance(self.next_, Unset):
            next_ = str(self.next_)

        field_dict: dict[str, Any] = {}
        field_dict.update(self.additional_properties)
        field_dict.update(
            {
                "conversations": conversations,
                "hasMore": has_more,
            }
        )
        if next_ is not UNSET:
            field_dict["next"] = next_

        return field_dict

    @classmethod
    def from_dict(cls, src_dict: Mapping[str, Any]) -> Self:
        from ..models.conversation import Conversation

        d = dict(src_dict)
        conversations = []
        _conversations = d.pop("conversations")
        for conversations_item_data in _conversations:
            conversations_item = Conversation.from_dict(conversations_item_data)

            conversations.append(conversations_item)

        has_more = d.pop("hasMore")

        _next_ = d.pop("next", UNSET)
        next_: UUID | Unset
        if isinstance(_next_, Unset):
            next_ = UNSET
        else:
            next_ = UUID(_next_)

        conversation_page = cls(
            conversations=conversations,
            has_more=has_more,
            next_=next_,
        )

        conversation_page.additional_properties = d
        return conversation_page

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
