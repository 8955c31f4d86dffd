import asyncio
import os
from collections.abc import Callable
from contextlib import aclosing, closing
from typing import Any

import pytest
from message_service_client import Client
from message_service_client.changes import follow_changes, follow_changes_async
from message_service_client.models import Change, Message

BASE_URL = os.environ.get("BASE_URL", "http://localhost:8080")
# With all scopes, if the service requires authentication.
SERVICE_KEY = os.environ.get("SERVICE_KEY")
Until = Callable[[Change], object]


def service(url: str = BASE_URL) -> Client:
    """Returns a client of the service, or of what stands before it."""
    return Client(base_url=url, token=SERVICE_KEY)


def follow_sync(user: str, client: Client, until: Until, into: list[Change], **options: Any) -> None:
    """Appends the changes to a list, up to the first for which `until` is true."""
    with client, closing(follow_changes(user, client=client, **options)) as changes:
        for change in changes:
            into.append(change)
            if until(change):
                break


def follow_async(user: str, client: Client, until: Until, into: list[Change], **options: Any) -> None:
    async def run() -> None:
        async with client, aclosing(follow_changes_async(user, client=client, **options)) as changes:
            async for change in changes:
                into.append(change)
                if until(change):
                    break

    asyncio.run(run())


Follow = Callable[..., None]
both = pytest.mark.parametrize("follow", [follow_sync, follow_async])


def text_of(change: Change) -> object:
    return isinstance(change.message, Message) and change.message.text


def is_end(change: Change) -> bool:
    return text_of(change) == "The end"
