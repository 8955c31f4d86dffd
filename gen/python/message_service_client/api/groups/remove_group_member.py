from http import HTTPStatus
from typing import Any, cast
from urllib.parse import quote

import httpx

from ...client import AuthenticatedClient, Client
from ...models.problem import Problem
from ...types import Response


def _get_kwargs(
    group_id: str,
    user_id: str,
) -> dict[str, Any]:

    _kwargs: dict[str, Any] = {
        "method": "delete",
        "url": "/v1/groups/{group_id}/members/{user_id}".format(
            group_id=quote(str(group_id), safe=""),
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

    if response.status_code == 404:
        response_404 = Problem.from_dict(response.json())

        return response_404

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
    group_id: str,
    user_id: str,
    *,
    client: AuthenticatedClient | Client,
) -> Response[Any | Problem]:
    """Remove a member, or leave

     Ends a membership. Everyone may leave; admins remove those who are only members, and the owner
    removes
    admins too. The user gets the change of their membership, and nothing of the group from then on: it
    is not
    in their lists, searches and counts any more, nor is what they have written in it.

    When the owner goes, the admin who has been a member for longest becomes the owner, or else the
    member
    who has. Who goes last deletes the group. A user who is not a member is answered 404.

    Args:
        group_id (str): The address of a group, which you choose: `~`, and then what a user id can
            be. It is never given to another
            group, even once the group is deleted. In a shell quote it, `'~team-1'`: some take a word
            that begins with `~`
            for a directory. In a query encode `+` as `%2B`.
             Example: ~team-1.
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
        group_id=group_id,
        user_id=user_id,
    )

    response = client.get_httpx_client().request(
        **kwargs,
    )

    return _build_response(client=client, response=response)


def sync(
    group_id: str,
    user_id: str,
    *,
    client: AuthenticatedClient | Client,
) -> Any | Problem | None:
    """Remove a member, or leave

     Ends a membership. Everyone may leave; admins remove those who are only members, and the owner
    removes
    admins too. The user gets the change of their membership, and nothing of the group from then on: it
    is not
    in their lists, searches and counts any more, nor is what they have written in it.

    When the owner goes, the admin who has been a member for longest becomes the owner, or else the
    member
    who has. Who goes last deletes the group. A user who is not a member is answered 404.

    Args:
        group_id (str): The address of a group, which you choose: `~`, and then what a user id can
            be. It is never given to another
            group, even once the group is deleted. In a shell quote it, `'~team-1'`: some take a word
            that begins with `~`
            for a directory. In a query encode `+` as `%2B`.
             Example: ~team-1.
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
        group_id=group_id,
        user_id=user_id,
        client=client,
    ).parsed


async def asyncio_detailed(
    group_id: str,
    user_id: str,
    *,
    client: AuthenticatedClient | Client,
) -> Response[Any | Problem]:
    """Remove a member, or leave

     Ends a membership. Everyone may leave; admins remove those who are only members, and the owner
    removes
    admins too. The user gets the change of their membership, and nothing of the group from then on: it
    is not
    in their lists, searches and counts any more, nor is what they have written in it.

    When the owner goes, the admin who has been a member for longest becomes the owner, or else the
    member
    who has. Who goes last deletes the group. A user who is not a member is answered 404.

    Args:
        group_id (str): The address of a group, which you choose: `~`, and then what a user id can
            be. It is never given to another
            group, even once the group is deleted. In a shell quote it, `'~team-1'`: some take a word
            that begins with `~`
            for a directory. In a query encode `+` as `%2B`.
             Example: ~team-1.
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
        group_id=group_id,
        user_id=user_id,
    )

    response = await client.get_async_httpx_client().request(**kwargs)

    return _build_response(client=client, response=response)


async def asyncio(
    group_id: str,
    user_id: str,
    *,
    client: AuthenticatedClient | Client,
) -> Any | Problem | None:
    """Remove a member, or leave

     Ends a membership. Everyone may leave; admins remove those who are only members, and the owner
    removes
    admins too. The user gets the change of their membership, and nothing of the group from then on: it
    is not
    in their lists, searches and counts any more, nor is what they have written in it.

    When the owner goes, the admin who has been a member for longest becomes the owner, or else the
    member
    who has. Who goes last deletes the group. A user who is not a member is answered 404.

    Args:
        group_id (str): The address of a group, which you choose: `~`, and then what a user id can
            be. It is never given to another
            group, even once the group is deleted. In a shell quote it, `'~team-1'`: some take a word
            that begins with `~`
            for a directory. In a query encode `+` as `%2B`.
             Example: ~team-1.
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
            group_id=group_id,
            user_id=user_id,
            client=client,
        )
    ).parsed
