from http import HTTPStatus
from typing import Any
from urllib.parse import quote
from uuid import UUID

import httpx

from ...client import AuthenticatedClient, Client
from ...models.conversation_page import ConversationPage
from ...models.problem import Problem
from ...types import UNSET, Response, Unset


def _get_kwargs(
    user_id: str,
    *,
    before: UUID | Unset = UNSET,
    hidden: bool | Unset = False,
    limit: int | Unset = 100,
) -> dict[str, Any]:

    params: dict[str, Any] = {}

    json_before: str | Unset = UNSET
    if not isinstance(before, Unset):
        json_before = str(before)
    params["before"] = json_before

    params["hidden"] = hidden

    params["limit"] = limit

    params = {k: v for k, v in params.items() if v is not UNSET and v is not None}

    _kwargs: dict[str, Any] = {
        "method": "get",
        "url": "/v1/users/{user_id}/conversations".format(
            user_id=quote(str(user_id), safe=""),
        ),
        "params": params,
    }

    return _kwargs


def _parse_response(
    *, client: AuthenticatedClient | Client, response: httpx.Response
) -> ConversationPage | Problem:
    if response.status_code == 200:
        response_200 = ConversationPage.from_dict(response.json())

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

    if response.status_code == 406:
        response_406 = Problem.from_dict(response.json())

        return response_406

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
) -> Response[ConversationPage | Problem]:
    return Response(
        status_code=HTTPStatus(response.status_code),
        content=response.content,
        headers=response.headers,
        parsed=_parse_response(client=client, response=response),
    )


def sync_detailed(
    user_id: str,
    *,
    client: AuthenticatedClient | Client,
    before: UUID | Unset = UNSET,
    hidden: bool | Unset = False,
    limit: int | Unset = 100,
) -> Response[ConversationPage | Problem]:
    """List a user's conversations

     The conversations of a user with others and in groups, the one with the newest
    message first: with whom, the last message, how many messages are unread, and how
    far both have read. Walk on with the `next` of a page as `before`, or follow the
    `Link` header. Those that `updateConversation` has hidden are left out until there is a
    newer message: `hidden` lists them instead, in the same order and pages.

    Two users have a conversation here as long as there is a message between them that
    is not deleted. There is one of each user with each other, and one with
    themselves if they write to themselves. In a group it exists as long as the user
    is a member; before its first message it stands where the user has joined.

    Args:
        user_id (str): Your id for a user: 1 to 128 letters, digits and `._~@:|+='-`, the first
            neither
            `.` nor `~`. Compared byte for byte. In a query encode `+` as `%2B`.
        before (UUID | Unset): The place of a conversation among those of a user, which sort by
            it, the greatest first. It is the id of the
            last message, or, if that is greater, the change by which the user has joined the group.
            It is all zeros for a
            conversation between users that is there only because it is muted, since its last message
            was deleted.
        hidden (bool | Unset):  Default: False.
        limit (int | Unset):  Default: 100.

    Raises:
        errors.UnexpectedStatus: If the server returns an undocumented status code and Client.raise_on_unexpected_status is True.
        httpx.TimeoutException: If the request takes longer than Client.timeout.

    Returns:
        Response[ConversationPage | Problem]
    """

    kwargs = _get_kwargs(
        user_id=user_id,
        before=before,
        hidden=hidden,
        limit=limit,
    )

    response = client.get_httpx_client().request(
        **kwargs,
    )

    return _build_response(client=client, response=response)


def sync(
    user_id: str,
    *,
    client: AuthenticatedClient | Client,
    before: UUID | Unset = UNSET,
    hidden: bool | Unset = False,
    limit: int | Unset = 100,
) -> ConversationPage | Problem | None:
    """List a user's conversations

     The conversations of a user with others and in groups, the one with the newest
    message first: with whom, the last message, how many messages are unread, and how
    far both have read. Walk on with the `next` of a page as `before`, or follow the
    `Link` header. Those that `updateConversation` has hidden are left out until there is a
    newer message: `hidden` lists them instead, in the same order and pages.

    Two users have a conversation here as long as there is a message between them that
    is not deleted. There is one of each user with each other, and one with
    themselves if they write to themselves. In a group it exists as long as the user
    is a member; before its first message it stands where the user has joined.

    Args:
        user_id (str): Your id for a user: 1 to 128 letters, digits and `._~@:|+='-`, the first
            neither
            `.` nor `~`. Compared byte for byte. In a query encode `+` as `%2B`.
        before (UUID | Unset): The place of a conversation among those of a user, which sort by
            it, the greatest first. It is the id of the
            last message, or, if that is greater, the change by which the user has joined the group.
            It is all zeros for a
            conversation between users that is there only because it is muted, since its last message
            was deleted.
        hidden (bool | Unset):  Default: False.
        limit (int | Unset):  Default: 100.

    Raises:
        errors.UnexpectedStatus: If the server returns an undocumented status code and Client.raise_on_unexpected_status is True.
        httpx.TimeoutException: If the request takes longer than Client.timeout.

    Returns:
        ConversationPage | Problem
    """

    return sync_detailed(
        user_id=user_id,
        client=client,
        before=before,
        hidden=hidden,
        limit=limit,
    ).parsed


async def asyncio_detailed(
    user_id: str,
    *,
    client: AuthenticatedClient | Client,
    before: UUID | Unset = UNSET,
    hidden: bool | Unset = False,
    limit: int | Unset = 100,
) -> Response[ConversationPage | Problem]:
    """List a user's conversations

     The conversations of a user with others and in groups, the one with the newest
    message first: with whom, the last message, how many messages are unread, and how
    far both have read. Walk on with the `next` of a page as `before`, or follow the
    `Link` header. Those that `updateConversation` has hidden are left out until there is a
    newer message: `hidden` lists them instead, in the same order and pages.

    Two users have a conversation here as long as there is a message between them that
    is not deleted. There is one of each user with each other, and one with
    themselves if they write to themselves. In a group it exists as long as the user
    is a member; before its first message it stands where the user has joined.

    Args:
        user_id (str): Your id for a user: 1 to 128 letters, digits and `._~@:|+='-`, the first
            neither
            `.` nor `~`. Compared byte for byte. In a query encode `+` as `%2B`.
        before (UUID | Unset): The place of a conversation among those of a user, which sort by
            it, the greatest first. It is the id of the
            last message, or, if that is greater, the change by which the user has joined the group.
            It is all zeros for a
            conversation between users that is there only because it is muted, since its last message
            was deleted.
        hidden (bool | Unset):  Default: False.
        limit (int | Unset):  Default: 100.

    Raises:
        errors.UnexpectedStatus: If the server returns an undocumented status code and Client.raise_on_unexpected_status is True.
        httpx.TimeoutException: If the request takes longer than Client.timeout.

    Returns:
        Response[ConversationPage | Problem]
    """

    kwargs = _get_kwargs(
        user_id=user_id,
        before=before,
        hidden=hidden,
        limit=limit,
    )

    response = await client.get_async_httpx_client().request(**kwargs)

    return _build_response(client=client, response=response)


async def asyncio(
    user_id: str,
    *,
    client: AuthenticatedClient | Client,
    before: UUID | Unset = UNSET,
    hidden: bool | Unset = False,
    limit: int | Unset = 100,
) -> ConversationPage | Problem | None:
    """List a user's conversations

     The conversations of a user with others and in groups, the one with the newest
    message first: with whom, the last message, how many messages are unread, and how
    far both have read. Walk on with the `next` of a page as `before`, or follow the
    `Link` header. Those that `updateConversation` has hidden are left out until there is a
    newer message: `hidden` lists them instead, in the same order and pages.

    Two users have a conversation here as long as there is a message between them that
    is not deleted. There is one of each user with each other, and one with
    themselves if they write to themselves. In a group it exists as long as the user
    is a member; before its first message it stands where the user has joined.

    Args:
        user_id (str): Your id for a user: 1 to 128 letters, digits and `._~@:|+='-`, the first
            neither
            `.` nor `~`. Compared byte for byte. In a query encode `+` as `%2B`.
        before (UUID | Unset): The place of a conversation among those of a user, which sort by
            it, the greatest first. It is the id of the
            last message, or, if that is greater, the change by which the user has joined the group.
            It is all zeros for a
            conversation between users that is there only because it is muted, since its last message
            was deleted.
        hidden (bool | Unset):  Default: False.
        limit (int | Unset):  Default: 100.

    Raises:
        errors.UnexpectedStatus: If the server returns an undocumented status code and Client.raise_on_unexpected_status is True.
        httpx.TimeoutException: If the request takes longer than Client.timeout.

    Returns:
        ConversationPage | Problem
    """

    return (
        await asyncio_detailed(
            user_id=user_id,
            client=client,
            before=before,
            hidden=hidden,
            limit=limit,
        )
    ).parsed
