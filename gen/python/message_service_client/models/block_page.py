from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, Self, TypeVar

from attrs import define as _attrs_define
from attrs import field as _attrs_field

from ..types import UNSET, Unset

if TYPE_CHECKING:
    from ..models.block import Block


T = TypeVar("T", bound="BlockPage")


@_attrs_define
class BlockPage:
    """One page of blocks, in the order of the blocked users' ids. If it is not the last, `next` is
    where the next one begins: pass it as `after`.

        Attributes:
            blocks (list[Block]): The blocks.
            has_more (bool): Whether there is at least one more block after these. Example: False.
            next_ (str | Unset): Your id for a user: 1 to 128 letters, digits and `._~@:|+='-`, the first neither
                `.` nor `~`. Compared byte for byte. In a query encode `+` as `%2B`.
    """

    blocks: list[Block]
    has_more: bool
    next_: str | Unset = UNSET
    additional_properties: dict[str, Any] = _attrs_field(init=False, factory=dict)

    def to_dict(self) -> dict[str, Any]:
        blocks = []
        for blocks_item_data in self.blocks:
            blocks_item = blocks_item_data.to_dict()
            blocks.append(blocks_item)

        has_more = self.has_more

        next_ = self.next_

        field_dict: dict[str, Any] = {}
        field_dict.update(self.additional_properties)
        field_dict.update(
            {
                "blocks": blocks,
                "hasMore": has_more,
            }
        )
        if next_ is not UNSET:
            field_dict["next"] = next_

        return field_dict

    @classmethod
    def from_dict(cls, src_dict: Mapping[str, Any]) -> Self:
        from ..models.block import Block

        d = dict(src_dict)
        blocks = []
        _blocks = d.pop("blocks")
        for blocks_item_data in _blocks:
            blocks_item = Block.from_dict(blocks_item_data)

            blocks.append(blocks_item)

        has_more = d.pop("hasMore")

        next_ = d.pop("next", UNSET)

        block_page = cls(
            blocks=blocks,
            has_more=has_more,
            next_=next_,
        )

        block_page.additional_properties = d
        return block_page

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
