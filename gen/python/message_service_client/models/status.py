from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Self, TypeVar

from attrs import define as _attrs_define
from attrs import field as _attrs_field

from ..types import UNSET, Unset

T = TypeVar("T", bound="Status")


@_attrs_define
class Status:
    """The state of a server.

    Attributes:
        version (str): The version of the program.
        engine (str): What messages are stored in, `postgres` or `sqlite`; more may come.
        ready (bool): Whether the server can handle requests now, as `/ready` says.
        uptime_seconds (int): How many seconds the server has been running.
        sends (int): How many messages it has stored since it started.
        sends_per_second_10_s (float): How many of them a second, over the last ten whole seconds.
        sends_per_second_60_s (float): How many of them a second, over the last sixty whole seconds.
        sends_waiting (int): How many sends wait to be stored.
        changes_waiting (int): How many edits, deletions, read markers and blocks wait to be stored, or are being
            stored.
        queue_size (int): How many sends to users may wait, as many to groups, and as many changes; more are answered
            503.
        streams (int): How many streams of changes are open, and requests that wait for a change.
        max_streams (int): How many there may be; more are answered 429.
        connections (int): How many connections clients have.
        max_connections (int): How many there may be, as the limit of open files (`ulimit -n`) has room for; more wait
            until another one ends.
        not_ready_reason (str | Unset): Why it cannot. Absent while it can.
    """

    version: str
    engine: str
    ready: bool
    uptime_seconds: int
    sends: int
    sends_per_second_10_s: float
    sends_per_second_60_s: float
    sends_waiting: int
    changes_waiting: int
    queue_size: int
    streams: int
    max_streams: int
    connections: int
    max_connections: int
    not_ready_reason: str | Unset = UNSET
    additional_properties: dict[str, Any] = _attrs_field(init=False, factory=dict)

    def to_dict(self) -> dict[str, Any]:
        version = self.version

        engine = self.engine

        ready = self.ready

        uptime_seconds = self.uptime_seconds

        sends = self.sends

        sends_per_second_10_s = self.sends_per_second_10_s

        sends_per_second_60_s = self.sends_per_second_60_s

        sends_waiting = self.sends_waiting

        changes_waiting = self.changes_waiting

        queue_size = self.queue_size

        streams = self.streams

        max_streams = self.max_streams

        connections = self.connections

        max_connections = self.max_connections

        not_ready_reason = self.not_ready_reason

        field_dict: dict[str, Any] = {}
        field_dict.update(self.additional_properties)
        field_dict.update(
            {
                "version": version,
                "engine": engine,
                "ready": ready,
                "uptimeSeconds": uptime_seconds,
                "sends": sends,
                "sendsPerSecond10s": sends_per_second_10_s,
                "sendsPerSecond60s": sends_per_second_60_s,
                "sendsWaiting": sends_waiting,
                "changesWaiting": changes_waiting,
                "queueSize": queue_size,
                "streams": streams,
                "maxStreams": max_streams,
                "connections": connections,
                "maxConnections": max_connections,
            }
        )
        if not_ready_reason is not UNSET:
            field_dict["notReadyReason"] = not_ready_reason

        return field_dict

    @classmethod
    def from_dict(cls, src_dict: Mapping[str, Any]) -> Self:
        d = dict(src_dict)
        version = d.pop("version")

        engine = d.pop("engine")

        ready = d.pop("ready")

        uptime_seconds = d.pop("uptimeSeconds")

        sends = d.pop("sends")

        sends_per_second_10_s = d.pop("sendsPerSecond10s")

        sends_per_second_60_s = d.pop("sendsPerSecond60s")

        sends_waiting = d.pop("sendsWaiting")

        changes_waiting = d.pop("changesWaiting")

        queue_size = d.pop("queueSize")

        streams = d.pop("streams")

        max_streams = d.pop("maxStreams")

        connections = d.pop("connections")

        max_connections = d.pop("maxConnections")

        not_ready_reason = d.pop("notReadyReason", UNSET)

        status = cls(
            version=version,
            engine=engine,
            ready=ready,
            uptime_seconds=uptime_seconds,
            sends=sends,
            sends_per_second_10_s=sends_per_second_10_s,
            sends_per_second_60_s=sends_per_second_60_s,
            sends_waiting=sends_waiting,
            changes_waiting=changes_waiting,
            queue_size=queue_size,
            streams=streams,
            max_streams=max_streams,
            connections=connections,
            max_connections=max_connections,
            not_ready_reason=not_ready_reason,
        )

        status.additional_properties = d
        return status

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
