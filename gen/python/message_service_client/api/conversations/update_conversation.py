from http import HTTPStatus
from typing import Any
from urllib.parse import quote

import httpx

from ...client import AuthenticatedClient, Client
from ...models.conversation import Conversation
from ...models.problem import Problem
from ...models.update_conversation_request import UpdateConversationRequest
from ...types import Response


def _get_kwargs(
    user_id: str,
    peer_id: str,
    *,
    body: UpdateConversationRequest,
) -> dict[str, Any]:
    headers: dict[str, Any] = {}

    _kwargs: dict[str, Any] = {
        "method": "patch",
        "url": "/v1/users/{user_id}/conversations/{peer_id}".format(
            user_id=quote(str(user_id), safe=""),
            peer_id=quote(str(peer_id), safe=""),
        ),
    }

    _kwargs["json"] = body.to_dict()

    headers["Content-Type"] = "application/json"

    _kwargs["headers"] = headers
    return _kwargs


def _parse_response(
    *, client: AuthenticatedClient | Client, response: httpx.Response
) -> Conversation | Problem:
    if response.status_code == 200:
        response_200 = Conversation.from_dict(response.json())

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
) -> Response[Conversation | Problem]:
    return Response(
        status_code=HTTPStatus(response.status_code),
        content=response.content,
        headers=response.headers,
        parsed=_parse_response(client=client, response=response),
    )


def sync_detailed(
    user_id: str,
    peer_id: str,
    *,
    client: AuthenticatedClient | Client,
    body: UpdateConversationRequest,
) -> Response[Conversation | Problem]:
    """Mute or hide a conversation

     Replaces what the request has of a user's own view of a conversation, and answers
    with the conversation as it is now. Nobody else learns of it.

    Until `mutedUntil` a conversation does not count in `getUnread`, and a client should
    not alert the user; everything else goes on. A hidden one is left out of
    `listConversations` and `getUnread` until there is a newer message: until then
    `listConversations` has it with `hidden`, and `hidden: false` brings it back.

    This is no change of the feed: other devices of the user see it when they next read the
    conversation. When the last message between two users is deleted, a mute stays for when they
    write again: until it is over or lifted the conversation can be read and updated, but it is in no
    list, and has no `lastMessage`; `hidden: false` does not bring it back. After that there is no
    conversation (404). Who leaves a group leaves both behind.

    Args:
        user_id (str): Your id for a user: 1 to 128 letters, digits and `._~@:|+='-`, the first
            neither
            `.` nor `~`. Compared byte for byte. In a query encode `+` as `%2B`.
        peer_id (str): To whom messages go: a user, by their id, or a group, by its address:
            `bob`, `~team-1`. No user id begins with
            `~`. In a shell quote the address of a group, `'~team-1'`; in a query encode `+` as `%2B`.
        body (UpdateConversationRequest): What to replace in a user's view of a conversation.

    Raises:
        errors.UnexpectedStatus: If the server returns an undocumented status code and Client.raise_on_unexpected_status is True.
        httpx.TimeoutException: If the request takes longer than Client.timeout.

    Returns:
        Response[Conversation | Problem]
    """

    kwargs = _get_kwargs(
        user_id=user_id,
        peer_id=peer_id,
        body=body,
    )

    response = client.get_httpx_client().request(
        **kwargs,
    )

    return _build_response(client=client, response=response)


def sync(
    user_id: str,
    peer_id: str,
    *,
    client: AuthenticatedClient | Client,
    body: UpdateConversationRequest,
) -> Conversation | Problem | None:
    """Mute or hide a conversation

     Replaces what the request has of a user's own view of a conversation, and answers
    with the conversation as it is now. Nobody else learns of it.

    Until `mutedUntil` a conversation does not count in `getUnread`, and a client should
    not alert the user; everything else goes on. A hidden one is left out of
    `listConversations` and `getUnread` until there is a newer message: until then
    `listConversations` has it with `hidden`, and `hidden: false` brings it back.

    This is no change of the feed: other devices of the user see it when they next read the
    conversation. When the last message between two users is deleted, a mute stays for when they
    write again: until it is over or lifted the conversation can be read and updated, but it is in no
    list, and has no `lastMessage`; `hidden: false` does not bring it back. After that there is no
    conversation (404). Who leaves a group leaves both behind.

    Args:
        user_id (str): Your id for a user: 1 to 128 letters, digits and `._~@:|+='-`, the first
            neither
            `.` nor `~`. Compared byte for byte. In a query encode `+` as `%2B`.
        peer_id (str): To whom messages go: a user, by their id, or a group, by its address:
            `bob`, `~team-1`. No user id begins with
            `~`. In a shell quote the address of a group, `'~team-1'`; in a query encode `+` as `%2B`.
        body (UpdateConversationRequest): What to replace in a user's view of a conversation.

    Raises:
        errors.UnexpectedStatus: If the server returns an undocumented status code and Client.raise_on_unexpected_status is True.
        httpx.TimeoutException: If the request takes longer than Client.timeout.

    Returns:
        Conversation | Problem
    """

    return sync_detailed(
        user_id=user_id,
        peer_id=peer_id,
        client=client,
        body=body,
    ).parsed


async def asyncio_detailed(
    user_id: str,
    peer_id: str,
    *,
    client: AuthenticatedClient | Client,
    body: UpdateConversationRequest,
) -> Response[Conversation | Problem]:
    """Mute or hide a conversation

     Replaces what the request has of a user's own view of a conversation, and answers
    with the conversation as it is now. Nobody else learns of it.

    Until `mutedUntil` a conversation does not count in `getUnread`, and a client should
    not alert the user; everything else goes on. A hidden one is left out of
    `listConversations` and `getUnread` until there is a newer message: until then
    `listConversations` has it with `hidden`, and `hidden: false` brings it back.

    This is no change of the feed: other devices of the user see it when they next read the
    conversation. When the last message between two users is deleted, a mute stays for when they
    write again: until it is over or lifted the conversation can be read and updated, but it is in no
    list, and has no `lastMessage`; `hidden: false` does not bring it back. After that there is no
    conversation (404). Who leaves a group leaves both behind.

    Args:
        user_id (str): Your id for a user: 1 to 128 letters, digits and `._~@:|+='-`, the first
            neither
            `.` nor `~`. Compared byte for byte. In a query encode `+` as `%2B`.
        peer_id (str): To whom messages go: a user, by their id, or a group, by its address:
            `bob`, `~team-1`. No user id begins with
            `~`. In a shell quote the address of a group, `'~team-1'`; in a query encode `+` as `%2B`.
        body (UpdateConversationRequest): What to replace in a user's view of a conversation.

    Raises:
        errors.UnexpectedStatus: If the server returns an undocumented status code and Client.raise_on_unexpected_status is True.
        httpx.TimeoutException: If the request takes longer than Client.timeout.

    Returns:
        Response[Conversation | Problem]
    """

    kwargs = _get_kwargs(
        user_id=user_id,
        peer_id=peer_id,
        body=body,
    )

    response = await client.get_async_httpx_client().request(**kwargs)

    return _build_response(client=client, response=response)


async def asyncio(
    user_id: str,
    peer_id: str,
    *,
    client: AuthenticatedClient | Client,
    body: UpdateConversationRequest,
) -> Conversation | Problem | None:
    """Mute or hide a conversation

     Replaces what the request has of a user's own view of a conversation, and answers
    with the conversation as it is now. Nobody else learns of it.

    Until `mutedUntil` a conversation does not count in `getUnread`, and a client should
    not alert the user; everything else goes on. A hidden one is left out of
    `listConversations` and `getUnread` until there is a newer message: until then
    `listConversations` has it with `hidden`, and `hidden: false` brings it back.

    This is no change of the feed: other devices of the user see it when they next read the
    conversation. When the last message between two users is deleted, a mute stays for when they
    write again: until it is over or lifted the conversation can be read and updated, but it is in no
    list, and has no `lastMessage`; `hidden: false` does not bring it back. After that there is no
    conversation (404). Who leaves a group leaves both behind.

    Args:
        user_id (str): Your id for a user: 1 to 128 letters, digits and `._~@:|+='-`, the first
            neither
            `.` nor `~`. Compared byte for byte. In a query encode `+` as `%2B`.
        peer_id (str): To whom messages go: a user, by their id, or a group, by its address:
            `bob`, `~team-1`. No user id begins with
            `~`. In a shell quote the address of a group, `'~team-1'`; in a query encode `+` as `%2B`.
        body (UpdateConversationRequest): What to replace in a user's view of a conversation.

    Raises:
        errors.UnexpectedStatus: If the server returns an undocumented status code and Client.raise_on_unexpected_status is True.
        httpx.TimeoutException: If the request takes longer than Client.timeout.

    Returns:
        Conversation | Problem
    """

    return (
        await asyncio_detailed(
            user_id=user_id,
            peer_id=peer_id,
            client=client,
            body=body,
        )
    ).parsed
