from __future__ import annotations

import datetime
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, Self, TypeVar
from uuid import UUID

from attrs import define as _attrs_define
from attrs import field as _attrs_field

from ..types import UNSET, Unset

if TYPE_CHECKING:
    from ..models.block import Block
    from ..models.export_record_conversation import ExportRecordConversation
    from ..models.export_record_erasure import ExportRecordErasure
    from ..models.export_record_mailbox import ExportRecordMailbox
    from ..models.group import Group
    from ..models.membership import Membership
    from ..models.message import Message
    from ..models.read_marker import ReadMarker


T = TypeVar("T", bound="ExportRecord")


@_attrs_define
class ExportRecord:
    """One line of an export: a message, a read marker, a block, a group, a membership, a conversation
    that is muted or hidden, the erasure of a user that has not ended, or a mailbox, named by `type`, or the end. A
    membership and a
    conversation may have `mutedUntil`, and `hidden`: up to which id the conversation is hidden.

    Groups, erasures, mailboxes, `created`, `since`, `visibleFrom`, and all properties from `changed` to `fingerprint`
    are for
    moving a whole store (`message-service export` and `import`), and not part of a user's export.

        Attributes:
            type_ (str): Which of the properties is there: `message`, `readMarker`, `block`, `group`, `membership`,
                `conversation`, `erasure` or `mailbox`; `end` on the last line. More will come: skip a record of a type that you
                do not know.
                 Example: message.
            message (Message | Unset): A message as it is now.
            read_marker (ReadMarker | Unset): How far a user has read the conversation with a peer.
            block (Block | Unset): A user receives nothing from a peer.
            group (Group | Unset): A group as it is now. `updatedAt` is when its name, metadata or history was last changed,
                and absent
                before. A deleted group has `deletedAt` in its place.
            membership (Membership | Unset): That a user is in a group since they have last joined, or no longer.
            conversation (ExportRecordConversation | Unset): A conversation with another user; `mutedUntil` and `hidden` say
                what is set for it.
            erasure (ExportRecordErasure | Unset): A user whose erasure has begun, and not ended. Repeat `eraseUser` after
                the import.
            mailbox (ExportRecordMailbox | Unset): The mailbox of a user or a group; `changed` is its newest change, and the
                last cursor that a client can have.
            created (UUID | Unset): A UUID. Those the service makes are of version 7 and sort in the order of the
                messages.
            since (UUID | Unset): A UUID. Those the service makes are of version 7 and sort in the order of the
                messages.
            visible_from (UUID | Unset): A UUID. Those the service makes are of version 7 and sort in the order of the
                messages.
            muted_until (datetime.datetime | Unset): An RFC 3339 time in UTC, with milliseconds. Example:
                2026-11-23T12:00:00.366Z.
            hidden (UUID | Unset): A UUID. Those the service makes are of version 7 and sort in the order of the
                messages.
            changed (UUID | Unset): A UUID. Those the service makes are of version 7 and sort in the order of the
                messages.
            key_hash (str | Unset): SHA-256 of the idempotency key the message was sent with, in hexadecimal.
            idempotency_key (str | Unset): The idempotency key itself, as exports of earlier versions have it. An import
                takes it
                with the fingerprint of that time, and keeps `keyHash` instead.
            fingerprint (str | Unset): What tells two requests with that key apart: HMAC-SHA-256 of the request, by the key,
                in
                hexadecimal. Of a group, SHA-256 of the request that created it.
            records (int | Unset): At the end, how many lines came before. Example: 3.
            sha256 (str | Unset): At the end, the SHA-256 of the lines before, in hexadecimal. Example:
                e47baf59e8e0d500981f7d9445eb700601da3c25fe822f24623c59f1906f0f43.
    """

    type_: str
    message: Message | Unset = UNSET
    read_marker: ReadMarker | Unset = UNSET
    block: Block | Unset = UNSET
    group: Group | Unset = UNSET
    membership: Membership | Unset = UNSET
    conversation: ExportRecordConversation | Unset = UNSET
    erasure: ExportRecordErasure | Unset = UNSET
    mailbox: ExportRecordMailbox | Unset = UNSET
    created: UUID | Unset = UNSET
    since: UUID | Unset = UNSET
    visible_from: UUID | Unset = UNSET
    muted_until: datetime.datetime | Unset = UNSET
    hidden: UUID | Unset = UNSET
    changed: UUID | Unset = UNSET
    key_hash: str | Unset = UNSET
    idempotency_key: str | Unset = UNSET
    fingerprint: str | Unset = UNSET
    records: int | Unset = UNSET
    sha256: str | Unset = UNSET
    additional_properties: dict[str, Any] = _attrs_field(init=False, factory=dict)

    def to_dict(self) -> dict[str, Any]:
        type_ = self.type_

        message: dict[str, Any] | Unset = UNSET
        if not isinstance(self.message, Unset):
            message = self.message.to_dict()

        read_marker: dict[str, Any] | Unset = UNSET
        if not isinstance(self.read_marker, Unset):
            read_marker = self.read_marker.to_dict()

        block: dict[str, Any] | Unset = UNSET
        if not isinstance(self.block, Unset):
            block = self.block.to_dict()

        group: dict[str, Any] | Unset = UNSET
        if not isinstance(self.group, Unset):
            group = self.group.to_dict()

        membership: dict[str, Any] | Unset = UNSET
        if not isinstance(self.membership, Unset):
            membership = self.membership.to_dict()

        conversation: dict[str, Any] | Unset = UNSET
        if not isinstance(self.conversation, Unset):
            conversation = self.conversation.to_dict()

        erasure: dict[str, Any] | Unset = UNSET
        if not isinstance(self.erasure, Unset):
            erasure = self.erasure.to_dict()

        mailbox: dict[str, Any] | Unset = UNSET
        if not isinstance(self.mailbox, Unset):
            mailbox = self.mailbox.to_dict()

        created: str | Unset = UNSET
        if not isinstance(self.created, Unset):
            created = str(self.created)

        since: str | Unset = UNSET
        if not isinstance(self.since, Unset):
            since = str(self.since)

        visible_from: str | Unset = UNSET
        if not isinstance(self.visible_from, Unset):
            visible_from = str(self.visible_from)

        if (
            isinstance(self.muted_until, datetime.datetime)
            and self.muted_until.utcoffset() is None
        ):
            raise ValueError("muted_until needs a time zone, such as datetime.now(UTC)")
        muted_until: str | Unset = UNSET
        if not isinstance(self.muted_until, Unset):
            muted_until = self.muted_until.isoformat()

        hidden: str | Unset = UNSET
        if not isinstance(self.hidden, Unset):
            hidden = str(self.hidden)

        changed: str | Unset = UNSET
        if not isinstance(self.changed, Unset):
            changed = str(self.changed)

        key_hash = self.key_hash

        idempotency_key = self.idempotency_key

        fingerprint = self.fingerprint

        records = self.records

        sha256 = self.sha256

        field_dict: dict[str, Any] = {}
        field_dict.update(self.additional_properties)
        field_dict.update(
            {
                "type": type_,
            }
        )
        if message is not UNSET:
            field_dict["message"] = message
        if read_marker is not UNSET:
            field_dict["readMarker"] = read_marker
        if block is not UNSET:
            field_dict["block"] = block
        if group is not UNSET:
            field_dict["group"] = group
        if membership is not UNSET:
            field_dict["membership"] = membership
        if conversation is not UNSET:
            field_dict["conversation"] = conversation
        if erasure is not UNSET:
            field_dict["erasure"] = erasure
        if mailbox is not UNSET:
            field_dict["mailbox"] = mailbox
        if created is not UNSET:
            field_dict["created"] = created
        if since is not UNSET:
            field_dict["since"] = since
        if visible_from is not UNSET:
            field_dict["visibleFrom"] = visible_from
        if muted_until is not UNSET:
            field_dict["mutedUntil"] = muted_until
        if hidden is not UNSET:
            field_dict["hidden"] = hidden
        if changed is not UNSET:
            field_dict["changed"] = changed
        if key_hash is not UNSET:
            field_dict["keyHash"] = key_hash
        if idempotency_key is not UNSET:
            field_dict["idempotencyKey"] = idempotency_key
        if fingerprint is not UNSET:
            field_dict["fingerprint"] = fingerprint
        if records is not UNSET:
            field_dict["records"] = records
        if sha256 is not UNSET:
            field_dict["sha256"] = sha256

        return field_dict

    @classmethod
    def from_dict(cls, src_dict: Mapping[str, Any]) -> Self:
        from ..models.block import Block
        from ..models.export_record_conversation import ExportRecordConversation
        from ..models.export_record_erasure import ExportRecordErasure
        from ..models.export_record_mailbox import ExportRecordMailbox
        from ..models.group import Group
        from ..models.membership import Membership
        from ..models.message import Message
        from ..models.read_marker import ReadMarker

        d = dict(src_dict)
        type_ = d.pop("type")

        _message = d.pop("message", UNSET)
        message: Message | Unset
        if isinstance(_message, Unset):
            message = UNSET
        else:
            message = Message.from_dict(_message)

        _read_marker = d.pop("readMarker", UNSET)
        read_marker: ReadMarker | Unset
        if isinstance(_read_marker, Unset):
            read_marker = UNSET
        else:
            read_marker = ReadMarker.from_dict(_read_marker)

        _block = d.pop("block", UNSET)
        block: Block | Unset
        if isinstance(_block, Unset):
            block = UNSET
        else:
            block = Block.from_dict(_block)

        _group = d.pop("group", UNSET)
        group: Group | Unset
        if isinstance(_group, Unset):
            group = UNSET
        else:
            group = Group.from_dict(_group)

        _membership = d.pop("membership", UNSET)
        membership: Membership | Unset
        if isinstance(_membership, Unset):
            membership = UNSET
        else:
            membership = Membership.from_dict(_membership)

        _conversation = d.pop("conversation", UNSET)
        conversation: ExportRecordConversation | Unset
        if isinstance(_conversation, Unset):
            conversation = UNSET
        else:
            conversation = ExportRecordConversation.from_dict(_conversation)

        _erasure = d.pop("erasure", UNSET)
        erasure: ExportRecordErasure | Unset
        if isinstance(_erasure, Unset):
            erasure = UNSET
        else:
            erasure = ExportRecordErasure.from_dict(_erasure)

        _mailbox = d.pop("mailbox", UNSET)
        mailbox: ExportRecordMailbox | Unset
        if isinstance(_mailbox, Unset):
            mailbox = UNSET
        else:
            mailbox = ExportRecordMailbox.from_dict(_mailbox)

        _created = d.pop("created", UNSET)
        created: UUID | Unset
        if isinstance(_created, Unset):
            created = UNSET
        else:
            created = UUID(_created)

        _since = d.pop("since", UNSET)
        since: UUID | Unset
        if isinstance(_since, Unset):
            since = UNSET
        else:
            since = UUID(_since)

        _visible_from = d.pop("visibleFrom", UNSET)
        visible_from: UUID | Unset
        if isinstance(_visible_from, Unset):
            visible_from = UNSET
        else:
            visible_from = UUID(_visible_from)

        _muted_until = d.pop("mutedUntil", UNSET)
        muted_until: datetime.datetime | Unset
        if isinstance(_muted_until, Unset):
            muted_until = UNSET
        else:
            muted_until = datetime.datetime.fromisoformat(_muted_until)

        _hidden = d.pop("hidden", UNSET)
        hidden: UUID | Unset
        if isinstance(_hidden, Unset):
            hidden = UNSET
        else:
            hidden = UUID(_hidden)

        _changed = d.pop("changed", UNSET)
        changed: UUID | Unset
        if isinstance(_changed, Unset):
            changed = UNSET
        else:
            changed = UUID(_changed)

        key_hash = d.pop("keyHash", UNSET)

        idempotency_key = d.pop("idempotencyKey", UNSET)

        fingerprint = d.pop("fingerprint", UNSET)

        records = d.pop("records", UNSET)

        sha256 = d.pop("sha256", UNSET)

        export_record = cls(
            type_=type_,
            message=message,
            read_marker=read_marker,
            block=block,
            group=group,
            membership=membership,
            conversation=conversation,
            erasure=erasure,
            mailbox=mailbox,
            created=created,
            since=since,
            visible_from=visible_from,
            muted_until=muted_until,
            hidden=hidden,
            changed=changed,
            key_hash=key_hash,
            idempotency_key=idempotency_key,
            fingerprint=fingerprint,
            records=records,
            sha256=sha256,
        )

        export_record.additional_properties = d
        return export_record

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
