from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, Self, TypeVar
from uuid import UUID

from attrs import define as _attrs_define
from attrs import field as _attrs_field

from ..types import UNSET, Unset

if TYPE_CHECKING:
    from ..models.block import Block
    from ..models.message import Message
    from ..models.read_marker import ReadMarker


T = TypeVar("T", bound="ExportRecord")


@_attrs_define
class ExportRecord:
    """One line of an export: a message, a read marker or a block, named by `type`, or
    the end. The members `changed`, `keyHash` and `fingerprint` are for
    moving a whole store (`message-service export` and `import`) and are not part
    of a user's export.

        Attributes:
            type_ (str): Which of the members is there: `message`, `readMarker` or `block`; `end` on the
                last line. More will come: skip a record of a type that you do not know.
                 Example: message.
            message (Message | Unset): A message as it is now.
            read_marker (ReadMarker | Unset): How far a user has read the conversation with a peer.
            block (Block | Unset): A user receives nothing from a peer.
            changed (UUID | Unset): A UUID. Those the service makes are of version 7 and sort in the order of the
                messages.
            key_hash (str | Unset): SHA-256 of the idempotency key the message was sent with, in hexadecimal.
            idempotency_key (str | Unset): The idempotency key itself, as exports of earlier versions have it. An import
                takes it
                with the fingerprint of that time, and keeps `keyHash` instead.
            fingerprint (str | Unset): What tells two requests with that key apart: HMAC-SHA-256 of the request, by the key,
                in
                hexadecimal.
            records (int | Unset): At the end, how many lines came before. Example: 3.
            sha256 (str | Unset): At the end, the SHA-256 of the lines before, in hexadecimal. Example:
                e47baf59e8e0d500981f7d9445eb700601da3c25fe822f24623c59f1906f0f43.
    """

    type_: str
    message: Message | Unset = UNSET
    read_marker: ReadMarker | Unset = UNSET
    block: Block | Unset = UNSET
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
