from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, Self, TypeVar
from uuid import UUID

from attrs import define as _attrs_define

from ..types import UNSET, Unset

if TYPE_CHECKING:
    from ..models.metadata import Metadata


T = TypeVar("T", bound="SendMessageRequest")


@_attrs_define
class SendMessageRequest:
    """A message to be sent.

    Attributes:
        sender (str): Your id for a user: 1 to 128 letters, digits and `._~@:|+='-`, the first neither
            `.` nor `~`. Compared byte for byte. In a query encode `+` as `%2B`.
        recipient (str): To whom messages go: a user, by their id, or a group, by its address: `bob`, `~team-1`. No user
            id begins with
            `~`. In a shell quote the address of a group, `'~team-1'`; in a query encode `+` as `%2B`.
        text (str): 1 to 4,096 Unicode code points without U+0000, at least one of which can be seen:
            neither white space nor invisible, as U+200B and U+3164 are (all of Unicode's
            Default_Ignorable_Code_Point, and U+2800). Stored and returned exactly: nothing is
            trimmed, escaped or normalised.
             Example: Lunch at noon?.
        metadata (Metadata | Unset): Your own data: a JSON object of at most 4 KiB (as compact UTF-8) and 30 levels.
            It is kept with the message, or the group. Numbers keep every digit; the order of properties is
            not kept. Leave it out rather than sending null.
             Example: {'client': 'android/4.2'}.
        reply_to (UUID | Unset): A UUID. Those the service makes are of version 7 and sort in the order of the
            messages.
    """

    sender: str
    recipient: str
    text: str
    metadata: Metadata | Unset = UNSET
    reply_to: UUID | Unset = UNSET

    def to_dict(self) -> dict[str, Any]:
        sender = self.sender

        recipient = self.recipient

        text = self.text

        metadata: dict[str, Any] | Unset = UNSET
        if not isinstance(self.metadata, Unset):
            metadata = self.metadata.to_dict()

        reply_to: str | Unset = UNSET
        if not isinstance(self.reply_to, Unset):
            reply_to = str(self.reply_to)

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
        if reply_to is not UNSET:
            field_dict["replyTo"] = reply_to

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

        _reply_to = d.pop("replyTo", UNSET)
        reply_to: UUID | Unset
        if isinstance(_reply_to, Unset):
            reply_to = UNSET
        else:
            reply_to = UUID(_reply_to)

        send_message_request = cls(
            sender=sender,
            recipient=recipient,
            text=text,
            metadata=metadata,
            reply_to=reply_to,
        )

        return send_message_request
