from http import HTTPStatus
from typing import Any
from urllib.parse import quote

import httpx

from ...client import AuthenticatedClient, Client
from ...models.membership import Membership
from ...models.problem import Problem
from ...models.set_group_member_request import SetGroupMemberRequest
from ...types import Response


def _get_kwargs(
    group_id: str,
    user_id: str,
    *,
    body: SetGroupMemberRequest,
) -> dict[str, Any]:
    headers: dict[str, Any] = {}

    _kwargs: dict[str, Any] = {
        "method": "put",
        "url": "/v1/groups/{group_id}/members/{user_id}".format(
            group_id=quote(str(group_id), safe=""),
            user_id=quote(str(user_id), safe=""),
        ),
    }

    _kwargs["json"] = body.to_dict()

    headers["Content-Type"] = "application/json"

    _kwargs["headers"] = headers
    return _kwargs


def _parse_response(
    *, client: AuthenticatedClient | Client, response: httpx.Response
) -> Membership | Problem:
    if response.status_code == 200:
        response_200 = Membership.from_dict(response.json())

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
) -> Response[Membership | Problem]:
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
    body: SetGroupMemberRequest,
) -> Response[Membership | Problem]:
    """Set the role of a member

     Gives a member another role, and answers with the membership as it is now. Who makes another member
    the
    `owner` hands the group over, and becomes an admin. The owner's own role cannot be set otherwise
    (422), since a
    group always has one. A user who is not a member is answered 404: add them first.

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
        body (SetGroupMemberRequest): The role of a member.

    Raises:
        errors.UnexpectedStatus: If the server returns an undocumented status code and Client.raise_on_unexpected_status is True.
        httpx.TimeoutException: If the request takes longer than Client.timeout.

    Returns:
        Response[Membership | Problem]
    """

    kwargs = _get_kwargs(
        group_id=group_id,
        user_id=user_id,
        body=body,
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
    body: SetGroupMemberRequest,
) -> Membership | Problem | None:
    """Set the role of a member

     Gives a member another role, and answers with the membership as it is now. Who makes another member
    the
    `owner` hands the group over, and becomes an admin. The owner's own role cannot be set otherwise
    (422), since a
    group always has one. A user who is not a member is answered 404: add them first.

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
        body (SetGroupMemberRequest): The role of a member.

    Raises:
        errors.UnexpectedStatus: If the server returns an undocumented status code and Client.raise_on_unexpected_status is True.
        httpx.TimeoutException: If the request takes longer than Client.timeout.

    Returns:
        Membership | Problem
    """

    return sync_detailed(
        group_id=group_id,
        user_id=user_id,
        client=client,
        body=body,
    ).parsed


async def asyncio_detailed(
    group_id: str,
    user_id: str,
    *,
    client: AuthenticatedClient | Client,
    body: SetGroupMemberRequest,
) -> Response[Membership | Problem]:
    """Set the role of a member

     Gives a member another role, and answers with the membership as it is now. Who makes another member
    the
    `owner` hands the group over, and becomes an admin. The owner's own role cannot be set otherwise
    (422), since a
    group always has one. A user who is not a member is answered 404: add them first.

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
        body (SetGroupMemberRequest): The role of a member.

    Raises:
        errors.UnexpectedStatus: If the server returns an undocumented status code and Client.raise_on_unexpected_status is True.
        httpx.TimeoutException: If the request takes longer than Client.timeout.

    Returns:
        Response[Membership | Problem]
    """

    kwargs = _get_kwargs(
        group_id=group_id,
        user_id=user_id,
        body=body,
    )

    response = await client.get_async_httpx_client().request(**kwargs)

    return _build_response(client=client, response=response)


async def asyncio(
    group_id: str,
    user_id: str,
    *,
    client: AuthenticatedClient | Client,
    body: SetGroupMemberRequest,
) -> Membership | Problem | None:
    """Set the role of a member

     Gives a member another role, and answers with the membership as it is now. Who makes another member
    the
    `owner` hands the group over, and becomes an admin. The owner's own role cannot be set otherwise
    (422), since a
    group always has one. A user who is not a member is answered 404: add them first.

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
        body (SetGroupMemberRequest): The role of a member.

    Raises:
        errors.UnexpectedStatus: If the server returns an undocumented status code and Client.raise_on_unexpected_status is True.
        httpx.TimeoutException: If the request takes longer than Client.timeout.

    Returns:
        Membership | Problem
    """

    return (
        await asyncio_detailed(
            group_id=group_id,
            user_id=user_id,
            client=client,
            body=body,
        )
    ).parsed
