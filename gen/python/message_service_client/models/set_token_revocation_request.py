from __future__ import annotations

import datetime
from collections.abc import Mapping
from typing import Any, Self, TypeVar

from attrs import define as _attrs_define

T = TypeVar("T", bound="SetTokenRevocationRequest")


@_attrs_define
class SetTokenRevocationRequest:
    """Which tokens to revoke, those issued before a time at most 30 seconds ahead.

    Attributes:
        issued_before (datetime.datetime): An RFC 3339 time in any zone; its `T` and `Z` may be in lower case.
    """

    issued_before: datetime.datetime

    def to_dict(self) -> dict[str, Any]:
        if self.issued_before.utcoffset() is None:
            raise ValueError(
                "issued_before needs a time zone, such as datetime.now(UTC)"
            )
        issued_before = self.issued_before.isoformat()

        field_dict: dict[str, Any] = {}

        field_dict.update(
            {
                "issuedBefore": issued_before,
            }
        )

        return field_dict

    @classmethod
    def from_dict(cls, src_dict: Mapping[str, Any]) -> Self:
        d = dict(src_dict)
        issued_before = datetime.datetime.fromisoformat(d.pop("issuedBefore"))

        set_token_revocation_request = cls(
            issued_before=issued_before,
        )

        return set_token_revocation_request
