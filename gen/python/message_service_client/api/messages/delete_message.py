from http import HTTPStatus
from typing import Any, cast
from urllib.parse import quote
from uuid import UUID

import httpx

from ...client import AuthenticatedClient, Client
from ...models.problem import Problem
from ...types import Response


def _get_kwargs(
    message_id: UUID,
) -> dict[str, Any]:

    _kwargs: dict[str, Any] = {
        "method": "delete",
        "url": "/v1/messages/{message_id}".format(
            message_id=quote(str(message_id), safe=""),
        ),
    }

    return _kwargs


def _parse_response(
    *, client: AuthenticatedClient | Client, response: httpx.Response
) -> Any | Problem:
    if response.status_code == 204:
        response_204 = cast(Any, None)
        return response_204

    if response.status_code == 400:
        response_400 = Problem.from_dict(response.json())

        return response_400

    if response.status_code == 401:
        response_401 = Problem.from_dict(response.json())

        return response_401

    if response.status_code == 403:
        response_403 = Problem.from_dict(response.json())

        return response_403

    if response.status_code == 404:
        response_404 = Problem.from_dict(response.json())

        return response_404

    if response.status_code == 429:
        response_429 = Problem.from_dict(response.json())

        return response_429

    if response.status_code == 500:
        response_500 = Problem.from_dict(response.json())

        return response_500

    if response.status_code == 503:
        response_503 = Problem.from_dict(response.json())

        return response_503

    response_default = Problem.from_dict(response.json())

    return response_default


def _build_response(
    *, client: AuthenticatedClient | Client, response: httpx.Response
) -> Response[Any | Problem]:
    return Response(
        status_code=HTTPStatus(response.status_code),
        content=response.content,
        headers=response.headers,
        parsed=_parse_response(client=client, response=response),
    )


def sync_detailed(
    message_id: UUID,
    *,
    client: AuthenticatedClient | Client,
) -> Response[Any | Problem]:
    """Delete a message

     Erases what the sender wrote (text, metadata and what it replied to) for both
    users or for all members of the group, and takes the message out of every list
    and count. A user may delete what they have sent and, as the owner or an admin of
    a group, also what others have sent to it; whoever sees a message and may not
    delete it is answered 403. The last message of the conversation is then the one
    before; a conversation of two users without messages is gone. Deleting a message
    again changes nothing and is answered 204 as well; an id that never was a message
    is answered 404.

    Args:
        message_id (UUID): A UUID. Those the service makes are of version 7 and sort in the order
            of the
            messages.

    Raises:
        errors.UnexpectedStatus: If the server returns an undocumented status code and Client.raise_on_unexpected_status is True.
        httpx.TimeoutException: If the request takes longer than Client.timeout.

    Returns:
        Response[Any | Problem]
    """

    kwargs = _get_kwargs(
        message_id=message_id,
    )

    response = client.get_httpx_client().request(
        **kwargs,
    )

    return _build_response(client=client, response=response)


def sync(
    message_id: UUID,
    *,
    client: AuthenticatedClient | Client,
) -> Any | Problem | None:
    """Delete a message

     Erases what the sender wrote (text, metadata and what it replied to) for both
    users or for all members of the group, and takes the message out of every list
    and count. A user may delete what they have sent and, as the owner or an admin of
    a group, also what others have sent to it; whoever sees a message and may not
    delete it is answered 403. The last message of the conversation is then the one
    before; a conversation of two users without messages is gone. Deleting a message
    again changes nothing and is answered 204 as well; an id that never was a message
    is answered 404.

    Args:
        message_id (UUID): A UUID. Those the service makes are of version 7 and sort in the order
            of the
            messages.

    Raises:
        errors.UnexpectedStatus: If the server returns an undocumented status code and Client.raise_on_unexpected_status is True.
        httpx.TimeoutException: If the request takes longer than Client.timeout.

    Returns:
        Any | Problem
    """

    return sync_detailed(
        message_id=message_id,
        client=client,
    ).parsed


async def asyncio_detailed(
    message_id: UUID,
    *,
    client: AuthenticatedClient | Client,
) -> Response[Any | Problem]:
    """Delete a message

     Erases what the sender wrote (text, metadata and what it replied to) for both
    users or for all members of the group, and takes the message out of every list
    and count. A user may delete what they have sent and, as the owner or an admin of
    a group, also what others have sent to it; whoever sees a message and may not
    delete it is answered 403. The last message of the conversation is then the one
    before; a conversation of two users without messages is gone. Deleting a message
    again changes nothing and is answered 204 as well; an id that never was a message
    is answered 404.

    Args:
        message_id (UUID): A UUID. Those the service makes are of version 7 and sort in the order
            of the
            messages.

    Raises:
        errors.UnexpectedStatus: If the server returns an undocumented status code and Client.raise_on_unexpected_status is True.
        httpx.TimeoutException: If the request takes longer than Client.timeout.

    Returns:
        Response[Any | Problem]
    """

    kwargs = _get_kwargs(
        message_id=message_id,
    )

    response = await client.get_async_httpx_client().request(**kwargs)

    return _build_response(client=client, response=response)


async def asyncio(
    message_id: UUID,
    *,
    client: AuthenticatedClient | Client,
) -> Any | Problem | None:
    """Delete a message

     Erases what the sender wrote (text, metadata and what it replied to) for both
    users or for all members of the group, and takes the message out of every list
    and count. A user may delete what they have sent and, as the owner or an admin of
    a group, also what others have sent to it; whoever sees a message and may not
    delete it is answered 403. The last message of the conversation is then the one
    before; a conversation of two users without messages is gone. Deleting a message
    again changes nothing and is answered 204 as well; an id that never was a message
    is answered 404.

    Args:
        message_id (UUID): A UUID. Those the service makes are of version 7 and sort in the order
            of the
            messages.

    Raises:
        errors.UnexpectedStatus: If the server returns an undocumented status code and Client.raise_on_unexpected_status is True.
        httpx.TimeoutException: If the request takes longer than Client.timeout.

    Returns:
        Any | Problem
    """

    return (
        await asyncio_detailed(
            message_id=message_id,
            client=client,
        )
    ).parsed
