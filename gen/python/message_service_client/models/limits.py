from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, Self, TypeVar

from attrs import define as _attrs_define
from attrs import field as _attrs_field

if TYPE_CHECKING:
    from ..models.rate_limit import RateLimit


T = TypeVar("T", bound="Limits")


@_attrs_define
class Limits:
    """The sizes this server accepts.

    Attributes:
        user_id_max_length (int): The longest user id, in characters.
        text_max_length (int): The longest text, in Unicode code points.
        metadata_max_bytes (int): The largest metadata, in bytes of compact UTF-8 JSON.
        metadata_max_depth (int): The most levels of objects and arrays in metadata, itself counted.
        idempotency_key_max_length (int): The longest idempotency key, in characters.
        page_max_messages (int): The most messages on a page, and the default.
        page_max_bytes (int): How many bytes of JSON a page may have: it ends with the entry that passes this,
            and has at least one.
        default_window_days (int): How many days back a list goes when `since` is absent.
        request_max_bytes (int): The largest request body, in bytes.
        user_max_streams (int): The most streams of changes, and requests that wait for one, that a user may have on a
            server.
        group_max_members (int): The most members that a group may have.
        user_max_groups (int): The most groups that a user may be a member of.
        rate_limits (list[RateLimit]): How often somebody may do something; what is not here has no limit.
    """

    user_id_max_length: int
    text_max_length: int
    metadata_max_bytes: int
    metadata_max_depth: int
    idempotency_key_max_length: int
    page_max_messages: int
    page_max_bytes: int
    default_window_days: int
    request_max_bytes: int
    user_max_streams: int
    group_max_members: int
    user_max_groups: int
    rate_limits: list[RateLimit]
    additional_properties: dict[str, Any] = _attrs_field(init=False, factory=dict)

    def to_dict(self) -> dict[str, Any]:
        user_id_max_length = self.user_id_max_length

        text_max_length = self.text_max_length

        metadata_max_bytes = self.metadata_max_bytes

        metadata_max_depth = self.metadata_max_depth

        idempotency_key_max_length = self.idempotency_key_max_length

        page_max_messages = self.page_max_messages

        page_max_bytes = self.page_max_bytes

        default_window_days = self.default_window_days

        request_max_bytes = self.request_max_bytes

        user_max_streams = self.user_max_streams

        group_max_members = self.group_max_members

        user_max_groups = self.user_max_groups

        rate_limits = []
        for rate_limits_item_data in self.rate_limits:
            rate_limits_item = rate_limits_item_data.to_dict()
            rate_limits.append(rate_limits_item)

        field_dict: dict[str, Any] = {}
        field_dict.update(self.additional_properties)
        field_dict.update(
            {
                "userIdMaxLength": user_id_max_length,
                "textMaxLength": text_max_length,
                "metadataMaxBytes": metadata_max_bytes,
                "metadataMaxDepth": metadata_max_depth,
                "idempotencyKeyMaxLength": idempotency_key_max_length,
                "pageMaxMessages": page_max_messages,
                "pageMaxBytes": page_max_bytes,
                "defaultWindowDays": default_window_days,
                "requestMaxBytes": request_max_bytes,
                "userMaxStreams": user_max_streams,
                "groupMaxMembers": group_max_members,
                "userMaxGroups": user_max_groups,
                "rateLimits": rate_limits,
            }
        )

        return field_dict

    @classmethod
    def from_dict(cls, src_dict: Mapping[str, Any]) -> Self:
        from ..models.rate_limit import RateLimit

        d = dict(src_dict)
        user_id_max_length = d.pop("userIdMaxLength")

        text_max_length = d.pop("textMaxLength")

        metadata_max_bytes = d.pop("metadataMaxBytes")

        metadata_max_depth = d.pop("metadataMaxDepth")

        idempotency_key_max_length = d.pop("idempotencyKeyMaxLength")

        page_max_messages = d.pop("pageMaxMessages")

        page_max_bytes = d.pop("pageMaxBytes")

        default_window_days = d.pop("defaultWindowDays")

        request_max_bytes = d.pop("requestMaxBytes")

        user_max_streams = d.pop("userMaxStreams")

        group_max_members = d.pop("groupMaxMembers")

        user_max_groups = d.pop("userMaxGroups")

        rate_limits = []
        _rate_limits = d.pop("rateLimits")
        for rate_limits_item_data in _rate_limits:
            rate_limits_item = RateLimit.from_dict(rate_limits_item_data)

            rate_limits.append(rate_limits_item)

        limits = cls(
            user_id_max_length=user_id_max_length,
            text_max_length=text_max_length,
            metadata_max_bytes=metadata_max_bytes,
            metadata_max_depth=metadata_max_depth,
            idempotency_key_max_length=idempotency_key_max_length,
            page_max_messages=page_max_messages,
            page_max_bytes=page_max_bytes,
            default_window_days=default_window_days,
            request_max_bytes=request_max_bytes,
            user_max_streams=user_max_streams,
            group_max_members=group_max_members,
            user_max_groups=user_max_groups,
            rate_limits=rate_limits,
        )

        limits.additional_properties = d
        return limits

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
