from __future__ import annotations

import datetime
from collections.abc import Mapping
from typing import Any, Self, TypeVar, cast

from attrs import define as _attrs_define
from attrs import field as _attrs_field

from ..types import UNSET, Unset

T = TypeVar("T", bound="Key")


@_attrs_define
class Key:
    """A service key, without what is secret. Without `expiresAt` it does not expire.

    Attributes:
        id (str): The id of a service key, which is also the second part of its secret. Example: 4fQ0aB7xK2mZ.
        name (str): What the key is for. Example: the shop's backend.
        scopes (list[str]): What it may be used for; more scopes may come.
        created_at (datetime.datetime): An RFC 3339 time in UTC, with milliseconds. Example: 2026-11-23T12:00:00.366Z.
        expires_at (datetime.datetime | Unset): An RFC 3339 time in UTC, with milliseconds. Example:
            2026-11-23T12:00:00.366Z.
        last_used_on (datetime.date | Unset): The day of its last use, in UTC. Absent if it was not used yet. Example:
            2026-11-24.
    """

    id: str
    name: str
    scopes: list[str]
    created_at: datetime.datetime
    expires_at: datetime.datetime | Unset = UNSET
    last_used_on: datetime.date | Unset = UNSET
    additional_properties: dict[str, Any] = _attrs_field(init=False, factory=dict)

    def to_dict(self) -> dict[str, Any]:
        id = self.id

        name = self.name

        scopes = self.scopes

        if self.created_at.utcoffset() is None:
            raise ValueError("created_at needs a time zone, such as datetime.now(UTC)")
        created_at = self.created_at.isoformat()

        if (
            isinstance(self.expires_at, datetime.datetime)
            and self.expires_at.utcoffset() is None
        ):
            raise ValueError("expires_at needs a time zone, such as datetime.now(UTC)")
        expires_at: str | Unset = UNSET
        if not isinstance(self.expires_at, Unset):
            expires_at = self.expires_at.isoformat()

        last_used_on: str | Unset = UNSET
        if not isinstance(self.last_used_on, Unset):
            last_used_on = self.last_used_on.isoformat()

        field_dict: dict[str, Any] = {}
        field_dict.update(self.additional_properties)
        field_dict.update(
            {
                "id": id,
                "name": name,
                "scopes": scopes,
                "createdAt": created_at,
            }
        )
        if expires_at is not UNSET:
            field_dict["expiresAt"] = expires_at
        if last_used_on is not UNSET:
            field_dict["lastUsedOn"] = last_used_on

        return field_dict

    @classmethod
    def from_dict(cls, src_dict: Mapping[str, Any]) -> Self:
        d = dict(src_dict)
        id = d.pop("id")

        name = d.pop("name")

        scopes = cast(list[str], d.pop("scopes"))

        created_at = datetime.datetime.fromisoformat(d.pop("createdAt"))

        _expires_at = d.pop("expiresAt", UNSET)
        expires_at: datetime.datetime | Unset
        if isinstance(_expires_at, Unset):
            expires_at = UNSET
        else:
            expires_at = datetime.datetime.fromisoformat(_expires_at)

        _last_used_on = d.pop("lastUsedOn", UNSET)
        last_used_on: datetime.date | Unset
        if isinstance(_last_used_on, Unset):
            last_used_on = UNSET
        else:
            last_used_on = datetime.date.fromisoformat(_last_used_on)

        key = cls(
            id=id,
            name=name,
            scopes=scopes,
            created_at=created_at,
            expires_at=expires_at,
            last_used_on=last_used_on,
        )

        key.additional_properties = d
        return key

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
