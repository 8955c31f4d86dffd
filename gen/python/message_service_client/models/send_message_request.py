from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, Self, TypeVar

from attrs import define as _attrs_define

from ..types import UNSET, Unset

if TYPE_CHECKING:
    from ..models.metadata import Metadata


T = TypeVar("T", bound="SendMessageRequest")


@_attrs_define
class SendMessageRequest:
    """A message to be sent.

    Attributes:
        sender (str): Your id for a user: 1 to 128 letters, digits and `._~@:|+=-`, the first a
            letter or digit. Compared byte for byte.
        recipient (str): Your id for a user: 1 to 128 letters, digits and `._~@:|+=-`, the first a
            letter or digit. Compared byte for byte.
        text (str): 1 to 4,096 Unicode code points, not only white space, without U+0000.
            Stored and returned exactly: nothing is trimmed, escaped or normalised.
             Example: Lunch at noon?.
        metadata (Metadata | Unset): Your own data, kept with the message: a JSON object of at most 4 KiB (as
            compact UTF-8) and 30 levels. Numbers keep every digit; the order of members
            is not kept. Leave it out rather than sending null.
             Example: {'client': 'android/4.2'}.
    """

    sender: str
    recipient: str
    text: str
    metadata: Metadata | Unset = UNSET

    def to_dict(self) -> dict[str, Any]:
        sender = self.sender

        recipient = self.recipient

        text = self.text

        metadata: dict[str, Any] | Unset = UNSET
        if not isinstance(self.metadata, Unset):
            metadata = self.metadata.to_dict()

        field_dict: dict[str, Any] = {}

        field_dict.update(
            {
                "sender": sender,
                "recipient": recipient,
                "text": text,
            }
        )
        if metadata is not UNSET:
            field_dict["metadata"] = metadata

        return field_dict

    @classmethod
    def from_dict(cls, src_dict: Mapping[str, Any]) -> Self:
        from ..models.metadata import Metadata

        d = dict(src_dict)
        sender = d.pop("sender")

        recipient = d.pop("recipient")

        text = d.pop("text")

        _metadata = d.pop("metadata", UNSET)
        metadata: Metadata | Unset
        if isinstance(_metadata, Unset):
            metadata = UNSET
        else:
            metadata = Metadata.from_dict(_metadata)

        send_message_request = cls(
            sender=sender,
            recipient=recipient,
            text=text,
            metadata=metadata,
        )

        return send_message_request
