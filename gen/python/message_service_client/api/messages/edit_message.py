from http import HTTPStatus
from typing import Any
from urllib.parse import quote
from uuid import UUID

import httpx

from ...client import AuthenticatedClient, Client
from ...models.edit_message_request import EditMessageRequest
from ...models.message import Message
from ...models.problem import Problem
from ...types import Response


def _get_kwargs(
    message_id: UUID,
    *,
    body: EditMessageRequest,
) -> dict[str, Any]:
    headers: dict[str, Any] = {}

    _kwargs: dict[str, Any] = {
        "method": "patch",
        "url": "/v1/messages/{message_id}".format(
            message_id=quote(str(message_id), safe=""),
        ),
    }

    _kwargs["json"] = body.to_dict()

    headers["Content-Type"] = "application/json"

    _kwargs["headers"] = headers
    return _kwargs


def _parse_response(
    *, client: AuthenticatedClient | Client, response: httpx.Response
) -> Message | Problem:
    if response.status_code == 200:
        response_200 = Message.from_dict(response.json())

        return response_200

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

    if response.status_code == 406:
        response_406 = Problem.from_dict(response.json())

        return response_406

    if response.status_code == 409:
        response_409 = Problem.from_dict(response.json())

        return response_409

    if response.status_code == 413:
        response_413 = Problem.from_dict(response.json())

        return response_413

    if response.status_code == 415:
        response_415 = Problem.from_dict(response.json())

        return response_415

    if response.status_code == 422:
        response_422 = Problem.from_dict(response.json())

        return response_422

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
) -> Response[Message | Problem]:
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
    body: EditMessageRequest,
) -> Response[Message | Problem]:
    """Edit a message

     Replaces the text, the metadata or both, for both users or for all members of
    the group, and answers with the message as it is now, with `editedAt`. What is
    absent stays as it is; `metadata: null` removes the metadata. The message keeps
    its place in every list. Of two edits the later one counts. A user may edit only
    what they have sent (403), also the owner of a group. A deleted message cannot be
    edited (409), nor can one whose recipient has blocked its sender (403): deleting
    stays allowed.

    Args:
        message_id (UUID): A UUID. Those the service makes are of version 7 and sort in the order
            of the
            messages.
        body (EditMessageRequest): What to replace in a message.

    Raises:
        errors.UnexpectedStatus: If the server returns an undocumented status code and Client.raise_on_unexpected_status is True.
        httpx.TimeoutException: If the request takes longer than Client.timeout.

    Returns:
        Response[Message | Problem]
    """

    kwargs = _get_kwargs(
        message_id=message_id,
        body=body,
    )

    response = client.get_httpx_client().request(
        **kwargs,
    )

    return _build_response(client=client, response=response)


def sync(
    message_id: UUID,
    *,
    client: AuthenticatedClient | Client,
    body: EditMessageRequest,
) -> Message | Problem | None:
    """Edit a message

     Replaces the text, the metadata or both, for both users or for all members of
    the group, and answers with the message as it is now, with `editedAt`. What is
    absent stays as it is; `metadata: null` removes the metadata. The message keeps
    its place in every list. Of two edits the later one counts. A user may edit only
    what they have sent (403), also the owner of a group. A deleted message cannot be
    edited (409), nor can one whose recipient has blocked its sender (403): deleting
    stays allowed.

    Args:
        message_id (UUID): A UUID. Those the service makes are of version 7 and sort in the order
            of the
            messages.
        body (EditMessageRequest): What to replace in a message.

    Raises:
        errors.UnexpectedStatus: If the server returns an undocumented status code and Client.raise_on_unexpected_status is True.
        httpx.TimeoutException: If the request takes longer than Client.timeout.

    Returns:
        Message | Problem
    """

    return sync_detailed(
        message_id=message_id,
        client=client,
        body=body,
    ).parsed


async def asyncio_detailed(
    message_id: UUID,
    *,
    client: AuthenticatedClient | Client,
    body: EditMessageRequest,
) -> Response[Message | Problem]:
    """Edit a message

     Replaces the text, the metadata or both, for both users or for all members of
    the group, and answers with the message as it is now, with `editedAt`. What is
    absent stays as it is; `metadata: null` removes the metadata. The message keeps
    its place in every list. Of two edits the later one counts. A user may edit only
    what they have sent (403), also the owner of a group. A deleted message cannot be
    edited (409), nor can one whose recipient has blocked its sender (403): deleting
    stays allowed.

    Args:
        message_id (UUID): A UUID. Those the service makes are of version 7 and sort in the order
            of the
            messages.
        body (EditMessageRequest): What to replace in a message.

    Raises:
        errors.UnexpectedStatus: If the server returns an undocumented status code and Client.raise_on_unexpected_status is True.
        httpx.TimeoutException: If the request takes longer than Client.timeout.

    Returns:
        Response[Message | Problem]
    """

    kwargs = _get_kwargs(
        message_id=message_id,
        body=body,
    )

    response = await client.get_async_httpx_client().request(**kwargs)

    return _build_response(client=client, response=response)


async def asyncio(
    message_id: UUID,
    *,
    client: AuthenticatedClient | Client,
    body: EditMessageRequest,
) -> Message | Problem | None:
    """Edit a message

     Replaces the text, the metadata or both, for both users or for all members of
    the group, and answers with the message as it is now, with `editedAt`. What is
    absent stays as it is; `metadata: null` removes the metadata. The message keeps
    its place in every list. Of two edits the later one counts. A user may edit only
    what they have sent (403), also the owner of a group. A deleted message cannot be
    edited (409), nor can one whose recipient has blocked its sender (403): deleting
    stays allowed.

    Args:
        message_id (UUID): A UUID. Those the service makes are of version 7 and sort in the order
            of the
            messages.
        body (EditMessageRequest): What to replace in a message.

    Raises:
        errors.UnexpectedStatus: If the server returns an undocumented status code and Client.raise_on_unexpected_status is True.
        httpx.TimeoutException: If the request takes longer than Client.timeout.

    Returns:
        Message | Problem
    """

    return (
        await asyncio_detailed(
            message_id=message_id,
            client=client,
            body=body,
        )
    ).parsed
