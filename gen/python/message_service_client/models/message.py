from __future__ import annotations

import datetime
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, Self, TypeVar
from uuid import UUID

from attrs import define as _attrs_define
from attrs import field as _attrs_field

from ..types import UNSET, Unset

if TYPE_CHECKING:
    from ..models.highlight import Highlight
    from ..models.metadata import Metadata


T = TypeVar("T", bound="Message")


@_attrs_define
class Message:
    """A message as it is now.

    Attributes:
        id (UUID): A UUID. Those the service makes are of version 7 and sort in the order of the
            messages.
        sender (str): Your id for a user: 1 to 128 letters, digits and `._~@:|+='-`, the first neither
            `.` nor `~`. Compared byte for byte. In a query encode `+` as `%2B`.
        recipient (str): To whom messages go: a user, by their id, or a group, by its address: `bob`, `~team-1`. No user
            id begins with
            `~`. In a shell quote the address of a group, `'~team-1'`; in a query encode `+` as `%2B`.
        text (str): The text, exactly as it was sent or edited; empty once the message is deleted. Example: Lunch at
            noon?.
        sent_at (datetime.datetime): An RFC 3339 time in UTC, with milliseconds. Example: 2026-11-23T12:00:00.366Z.
        metadata (Metadata | Unset): Your own data: a JSON object of at most 4 KiB (as compact UTF-8) and 30 levels.
            It is kept with the message, or the group. Numbers keep every digit; the order of properties is
            not kept. Leave it out rather than sending null.
             Example: {'client': 'android/4.2'}.
        reply_to (UUID | Unset): A UUID. Those the service makes are of version 7 and sort in the order of the
            messages.
        edited_at (datetime.datetime | Unset): An RFC 3339 time in UTC, with milliseconds. Example:
            2026-11-23T12:00:00.366Z.
        deleted_at (datetime.datetime | Unset): An RFC 3339 time in UTC, with milliseconds. Example:
            2026-11-23T12:00:00.366Z.
        highlights (list[Highlight] | Unset): Where the words of a search are in the text; only in answers to
            `highlight=true`.
            In order, and without overlaps. A word found by its beginning is marked as a
            whole, save in scripts without spaces.
    """

    id: UUID
    sender: str
    recipient: str
    text: str
    sent_at: datetime.datetime
    metadata: Metadata | Unset = UNSET
    reply_to: UUID | Unset = UNSET
    edited_at: datetime.datetime | Unset = UNSET
    deleted_at: datetime.datetime | Unset = UNSET
    highlights: list[Highlight] | Unset = UNSET
    additional_properties: dict[str, Any] = _attrs_field(init=False, factory=dict)

    def to_dict(self) -> dict[str, Any]:
        id = str(self.id)

        sender = self.sender

        recipient = self.recipient

        text = self.text

        if self.sent_at.utcoffset() is None:
            raise ValueError("sent_at needs a time zone, such as datetime.now(UTC)")
        sent_at = self.sent_at.isoformat()

        metadata: dict[str, Any] | Unset = UNSET
        if not isinstance(self.metadata, Unset):
            metadata = self.metadata.to_dict()

        reply_to: str | Unset = UNSET
        if not isinstance(self.reply_to, Unset):
            reply_to = str(self.reply_to)

        if (
            isinstance(self.edited_at, datetime.datetime)
            and self.edited_at.utcoffset() is None
        ):
            raise ValueError("edited_at needs a time zone, such as datetime.now(UTC)")
        edited_at: str | Unset = UNSET
        if not isinstance(self.edited_at, Unset):
            edited_at = self.edited_at.isoformat()

        if (
            isinstance(self.deleted_at, datetime.datetime)
            and self.deleted_at.utcoffset() is None
        ):
            raise ValueError("deleted_at needs a time zone, such as datetime.now(UTC)")
        deleted_at: str | Unset = UNSET
        if not isinstance(self.deleted_at, Unset):
            deleted_at = self.deleted_at.isoformat()

        highlights: list[dict[str, Any]] | Unset = UNSET
        if not isinstance(self.highlights, Unset):
            highlights = []
            for highlights_item_data in self.highlights:
                highlights_item = highlights_item_data.to_dict()
                highlights.append(highlights_item)

        field_dict: dict[str, Any] = {}
        field_dict.update(self.additional_properties)
        field_dict.update(
            {
                "id": id,
                "sender": sender,
                "recipient": recipient,
                "text": text,
                "sentAt": sent_at,
            }
        )
        if metadata is not UNSET:
            field_dict["metadata"] = metadata
        if reply_to is not UNSET:
            field_dict["replyTo"] = reply_to
        if edited_at is not UNSET:
            field_dict["editedAt"] = edited_at
        if deleted_at is not UNSET:
            field_dict["deletedAt"] = deleted_at
        if highlights is not UNSET:
            field_dict["highlights"] = highlights

        return field_dict

    @classmethod
    def from_dict(cls, src_dict: Mapping[str, Any]) -> Self:
        from ..models.highlight import Highlight
        from ..models.metadata import Metadata

        d = dict(src_dict)
        id = UUID(d.pop("id"))

        sender = d.pop("sender")

        recipient = d.pop("recipient")

        text = d.pop("text")

        sent_at = datetime.datetime.fromisoformat(d.pop("sentAt"))

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

        _edited_at = d.pop("editedAt", UNSET)
        edited_at: datetime.datetime | Unset
        if isinstance(_edited_at, Unset):
            edited_at = UNSET
        else:
            edited_at = datetime.datetime.fromisoformat(_edited_at)

        _deleted_at = d.pop("deletedAt", UNSET)
        deleted_at: datetime.datetime | Unset
        if isinstance(_deleted_at, Unset):
            deleted_at = UNSET
        else:
            deleted_at = datetime.datetime.fromisoformat(_deleted_at)

        _highlights = d.pop("highlights", UNSET)
        highlights: list[Highlight] | Unset = UNSET
        if _highlights is not UNSET:
            highlights = []
            for highlights_item_data in _highlights:
                highlights_item = Highlight.from_dict(highlights_item_data)

                highlights.append(highlights_item)

        message = cls(
            id=id,
            sender=sender,
            recipient=recipient,
            text=text,
            sent_at=sent_at,
            metadata=metadata,
            reply_to=reply_to,
            edited_at=edited_at,
            deleted_at=deleted_at,
            highlights=highlights,
        )

        message.additional_properties = d
        return message

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
