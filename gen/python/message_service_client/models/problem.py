from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, Self, TypeVar

from attrs import define as _attrs_define
from attrs import field as _attrs_field

from ..types import UNSET, Unset

if TYPE_CHECKING:
    from ..models.field_error import FieldError


T = TypeVar("T", bound="Problem")


@_attrs_define
class Problem:
    """What went wrong, as in RFC 9457.

    Attributes:
        type_ (str): Which kind of problem this is. Stable; switch on this. One of
            `urn:problem-type:message-service:` followed by `bad-request`,
            `credential-required`, `credential-invalid`, `credential-expired`, `credential-revoked`,
            `forbidden`, `insufficient-scope`, `sender-blocked`, `not-found`, `method-not-allowed`, `not-acceptable`,
            `message-deleted`, `user-being-erased`, `group-exists`, `limit-reached`, `group-too-large`, `token-secrets-
            missing`, `too-many-keys`, `content-too-large`, `unsupported-media-type`,
            `misdirected-request`, `unprocessable-content`, `idempotency-key-reused`,
            `cursor-ahead`, `too-many-requests`, `service-unavailable` or `internal-server-error`; more may come.
             Example: urn:problem-type:message-service:not-found.
        title (str): The kind in words; the same for every problem of a type. Example: Not Found.
        status (int): The HTTP status of the answer. Example: 404.
        detail (str): What happened this time, in words for a developer. Example: There is no such message..
        instance (str): This one occurrence, `urn:request:` and the request id. Example:
            urn:request:0a1b2c3d4e5f60718293a4b5.
        errors (list[FieldError] | Unset): The properties and parameters at fault, where there are any.
    """

    type_: str
    title: str
    status: int
    detail: str
    instance: str
    errors: list[FieldError] | Unset = UNSET
    additional_properties: dict[str, Any] = _attrs_field(init=False, factory=dict)

    def to_dict(self) -> dict[str, Any]:
        type_ = self.type_

        title = self.title

        status = self.status

        detail = self.detail

        instance = self.instance

        errors: list[dict[str, Any]] | Unset = UNSET
        if not isinstance(self.errors, Unset):
            errors = []
            for errors_item_data in self.errors:
                errors_item = errors_item_data.to_dict()
                errors.append(errors_item)

        field_dict: dict[str, Any] = {}
        field_dict.update(self.additional_properties)
        field_dict.update(
            {
                "type": type_,
                "title": title,
                "status": status,
                "detail": detail,
                "instance": instance,
            }
        )
        if errors is not UNSET:
            field_dict["errors"] = errors

        return field_dict

    @classmethod
    def from_dict(cls, src_dict: Mapping[str, Any]) -> Self:
        from ..models.field_error import FieldError

        d = dict(src_dict)
        type_ = d.pop("type")

        title = d.pop("title")

        status = d.pop("status")

        detail = d.pop("detail")

        instance = d.pop("instance")

        _errors = d.pop("errors", UNSET)
        errors: list[FieldError] | Unset = UNSET
        if _errors is not UNSET:
            errors = []
            for errors_item_data in _errors:
                errors_item = FieldError.from_dict(errors_item_data)

                errors.append(errors_item)

        problem = cls(
            type_=type_,
            title=title,
            status=status,
            detail=detail,
            instance=instance,
            errors=errors,
        )

        problem.additional_properties = d
        return problem

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
