from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Self, TypeVar

from attrs import define as _attrs_define

from ..types import UNSET, Unset

T = TypeVar("T", bound="CreateTokenRequest")


@_attrs_define
class CreateTokenRequest:
    """A user token to be made.

    Attributes:
        user_id (str): Your id for a user: 1 to 128 letters, digits and `._~@:|+='-`, the first neither
            `.` nor `~`. Compared byte for byte. In a query encode `+` as `%2B`.
        ttl_seconds (int | Unset): In how many seconds it expires. Default: 3600.
    """

    user_id: str
    ttl_seconds: int | Unset = 3600

    def to_dict(self) -> dict[str, Any]:
        user_id = self.user_id

        ttl_seconds = self.ttl_seconds

        field_dict: dict[str, Any] = {}

        field_dict.update(
            {
                "userId": user_id,
            }
        )
        if ttl_seconds is not UNSET:
            field_dict["ttlSeconds"] = ttl_seconds

        return field_dict

    @classmethod
    def from_dict(cls, src_dict: Mapping[str, Any]) -> Self:
        d = dict(src_dict)
        user_id = d.pop("userId")

        ttl_seconds = d.pop("ttlSeconds", UNSET)

        create_token_request = cls(
            user_id=user_id,
            ttl_seconds=ttl_seconds,
        )

        return create_token_request
