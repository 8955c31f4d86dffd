from http import HTTPStatus
from typing import Any, cast
from urllib.parse import quote

import httpx

from ...client import AuthenticatedClient, Client
from ...models.problem import Problem
from ...types import Response


def _get_kwargs(
    user_id: str,
) -> dict[str, Any]:

    _kwargs: dict[str, Any] = {
        "method": "delete",
        "url": "/v1/users/{user_id}".format(
            user_id=quote(str(user_id), safe=""),
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
) -> Response[Any | Problem]:
    return Response(
        status_code=HTTPStatus(response.status_code),
        content=response.content,
        headers=response.headers,
        parsed=_parse_response(client=client, response=response),
    )


def sync_detailed(
    user_id: str,
    *,
    client: AuthenticatedClient,
) -> Response[Any | Problem]:
    """Erase a user

     Erases every message the user sent **or received**, the markers of how far they
    have read and how far their peers have read what is between them, and the
    user's blocks.

    Afterwards it is, for every list and every count of everyone, as if the user
    had never written nor been written to: the conversations are gone for their
    peers too, and with them what the peers wrote in them. Each message is deleted
    as by `deleteMessage`: text, metadata and what it replied to are erased, and a
    tombstone remains so that the peer's devices can be told, with the message's
    id, the ids of the two users and the times, but nothing of what was said. The
    idempotency keys of all those messages, deleted ones too, are free again. Whom the
    user has muted is forgotten. Other users' blocks and mutes of this user remain.

    In groups only what the user wrote is erased, in the same way, also in those that
    they are no longer in; then they leave the groups they are in, as by
    `removeGroupMember`: the oldest admin, or else the oldest member, succeeds an
    owner, and a group that has nobody else is deleted.

    From the beginning to the end, messages to and by the user are refused with 409
    (`user-being-erased`), and nobody can add them to a group. So every message that was acknowledged
    before the request
    arrived is erased, and at some moment between the request and the answer there
    was none of this user at all. What somebody sends after the answer starts anew.

    It works in small steps, so that it holds up nobody else, and is answered when
    all is done: a second or so for some thousands of messages, so give your client
    time. If the connection ends before, or the answer is 503, repeat it, since until
    then the user stays closed to messages: what is erased stays erased, and repeating
    it when nothing is left does nothing. The id is free afterwards: there are no
    accounts here.

    Args:
        user_id (str): Your id for a user: 1 to 128 letters, digits and `._~@:|+='-`, the first
            neither
            `.` nor `~`. Compared byte for byte. In a query encode `+` as `%2B`.

    Raises:
        errors.UnexpectedStatus: If the server returns an undocumented status code and Client.raise_on_unexpected_status is True.
        httpx.TimeoutException: If the request takes longer than Client.timeout.

    Returns:
        Response[Any | Problem]
    """

    kwargs = _get_kwargs(
        user_id=user_id,
    )

    response = client.get_httpx_client().request(
        **kwargs,
    )

    return _build_response(client=client, response=response)


def sync(
    user_id: str,
    *,
    client: AuthenticatedClient,
) -> Any | Problem | None:
    """Erase a user

     Erases every message the user sent **or received**, the markers of how far they
    have read and how far their peers have read what is between them, and the
    user's blocks.

    Afterwards it is, for every list and every count of everyone, as if the user
    had never written nor been written to: the conversations are gone for their
    peers too, and with them what the peers wrote in them. Each message is deleted
    as by `deleteMessage`: text, metadata and what it replied to are erased, and a
    tombstone remains so that the peer's devices can be told, with the message's
    id, the ids of the two users and the times, but nothing of what was said. The
    idempotency keys of all those messages, deleted ones too, are free again. Whom the
    user has muted is forgotten. Other users' blocks and mutes of this user remain.

    In groups only what the user wrote is erased, in the same way, also in those that
    they are no longer in; then they leave the groups they are in, as by
    `removeGroupMember`: the oldest admin, or else the oldest member, succeeds an
    owner, and a group that has nobody else is deleted.

    From the beginning to the end, messages to and by the user are refused with 409
    (`user-being-erased`), and nobody can add them to a group. So every message that was acknowledged
    before the request
    arrived is erased, and at some moment between the request and the answer there
    was none of this user at all. What somebody sends after the answer starts anew.

    It works in small steps, so that it holds up nobody else, and is answered when
    all is done: a second or so for some thousands of messages, so give your client
    time. If the connection ends before, or the answer is 503, repeat it, since until
    then the user stays closed to messages: what is erased stays erased, and repeating
    it when nothing is left does nothing. The id is free afterwards: there are no
    accounts here.

    Args:
        user_id (str): Your id for a user: 1 to 128 letters, digits and `._~@:|+='-`, the first
            neither
            `.` nor `~`. Compared byte for byte. In a query encode `+` as `%2B`.

    Raises:
        errors.UnexpectedStatus: If the server returns an undocumented status code and Client.raise_on_unexpected_status is True.
        httpx.TimeoutException: If the request takes longer than Client.timeout.

    Returns:
        Any | Problem
    """

    return sync_detailed(
        user_id=user_id,
        client=client,
    ).parsed


async def asyncio_detailed(
    user_id: str,
    *,
    client: AuthenticatedClient,
) -> Response[Any | Problem]:
    """Erase a user

     Erases every message the user sent **or received**, the markers of how far they
    have read and how far their peers have read what is between them, and the
    user's blocks.

    Afterwards it is, for every list and every count of everyone, as if the user
    had never written nor been written to: the conversations are gone for their
    peers too, and with them what the peers wrote in them. Each message is deleted
    as by `deleteMessage`: text, metadata and what it replied to are erased, and a
    tombstone remains so that the peer's devices can be told, with the message's
    id, the ids of the two users and the times, but nothing of what was said. The
    idempotency keys of all those messages, deleted ones too, are free again. Whom the
    user has muted is forgotten. Other users' blocks and mutes of this user remain.

    In groups only what the user wrote is erased, in the same way, also in those that
    they are no longer in; then they leave the groups they are in, as by
    `removeGroupMember`: the oldest admin, or else the oldest member, succeeds an
    owner, and a group that has nobody else is deleted.

    From the beginning to the end, messages to and by the user are refused with 409
    (`user-being-erased`), and nobody can add them to a group. So every message that was acknowledged
    before the request
    arrived is erased, and at some moment between the request and the answer there
    was none of this user at all. What somebody sends after the answer starts anew.

    It works in small steps, so that it holds up nobody else, and is answered when
    all is done: a second or so for some thousands of messages, so give your client
    time. If the connection ends before, or the answer is 503, repeat it, since until
    then the user stays closed to messages: what is erased stays erased, and repeating
    it when nothing is left does nothing. The id is free afterwards: there are no
    accounts here.

    Args:
        user_id (str): Your id for a user: 1 to 128 letters, digits and `._~@:|+='-`, the first
            neither
            `.` nor `~`. Compared byte for byte. In a query encode `+` as `%2B`.

    Raises:
        errors.UnexpectedStatus: If the server returns an undocumented status code and Client.raise_on_unexpected_status is True.
        httpx.TimeoutException: If the request takes longer than Client.timeout.

    Returns:
        Response[Any | Problem]
    """

    kwargs = _get_kwargs(
        user_id=user_id,
    )

    response = await client.get_async_httpx_client().request(**kwargs)

    return _build_response(client=client, response=response)


async def asyncio(
    user_id: str,
    *,
    client: AuthenticatedClient,
) -> Any | Problem | None:
    """Erase a user

     Erases every message the user sent **or received**, the markers of how far they
    have read and how far their peers have read what is between them, and the
    user's blocks.

    Afterwards it is, for every list and every count of everyone, as if the user
    had never written nor been written to: the conversations are gone for their
    peers too, and with them what the peers wrote in them. Each message is deleted
    as by `deleteMessage`: text, metadata and what it replied to are erased, and a
    tombstone remains so that the peer's devices can be told, with the message's
    id, the ids of the two users and the times, but nothing of what was said. The
    idempotency keys of all those messages, deleted ones too, are free again. Whom the
    user has muted is forgotten. Other users' blocks and mutes of this user remain.

    In groups only what the user wrote is erased, in the same way, also in those that
    they are no longer in; then they leave the groups they are in, as by
    `removeGroupMember`: the oldest admin, or else the oldest member, succeeds an
    owner, and a group that has nobody else is deleted.

    From the beginning to the end, messages to and by the user are refused with 409
    (`user-being-erased`), and nobody can add them to a group. So every message that was acknowledged
    before the request
    arrived is erased, and at some moment between the request and the answer there
    was none of this user at all. What somebody sends after the answer starts anew.

    It works in small steps, so that it holds up nobody else, and is answered when
    all is done: a second or so for some thousands of messages, so give your client
    time. If the connection ends before, or the answer is 503, repeat it, since until
    then the user stays closed to messages: what is erased stays erased, and repeating
    it when nothing is left does nothing. The id is free afterwards: there are no
    accounts here.

    Args:
        user_id (str): Your id for a user: 1 to 128 letters, digits and `._~@:|+='-`, the first
            neither
            `.` nor `~`. Compared byte for byte. In a query encode `+` as `%2B`.

    Raises:
        errors.UnexpectedStatus: If the server returns an undocumented status code and Client.raise_on_unexpected_status is True.
        httpx.TimeoutException: If the request takes longer than Client.timeout.

    Returns:
        Any | Problem
    """

    return (
        await asyncio_detailed(
            user_id=user_id,
            client=client,
        )
    ).parsed
