from __future__ import annotations

import datetime
from collections.abc import Mapping
from typing import Any, Self, TypeVar

from attrs import define as _attrs_define
from attrs import field as _attrs_field

T = TypeVar("T", bound="TokenRevocation")


@_attrs_define
class TokenRevocation:
    """Tokens that were issued before the second of `issuedBefore` are refused.

    Attributes:
        issued_before (datetime.datetime): An RFC 3339 time in UTC, with milliseconds. Example:
            2026-11-23T12:00:00.366Z.
    """

    issued_before: datetime.datetime
    additional_properties: dict[str, Any] = _attrs_field(init=False, factory=dict)

    def to_dict(self) -> dict[str, Any]:
        if self.issued_before.utcoffset() is None:
            raise ValueError(
                "issued_before needs a time zone, such as datetime.now(UTC)"
            )
        issued_before = self.issued_before.isoformat()

        field_dict: dict[str, Any] = {}
        field_dict.update(self.additional_properties)
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

        token_revocation = cls(
            issued_before=issued_before,
        )

        token_revocation.additional_properties = d
        return token_revocation

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
