from http import HTTPStatus
from typing import Any
from urllib.parse import quote

import httpx

from ...client import AuthenticatedClient, Client
from ...models.create_group_request import CreateGroupRequest
from ...models.group import Group
from ...models.problem import Problem
from ...types import Response


def _get_kwargs(
    group_id: str,
    *,
    body: CreateGroupRequest,
) -> dict[str, Any]:
    headers: dict[str, Any] = {}

    _kwargs: dict[str, Any] = {
        "method": "put",
        "url": "/v1/groups/{group_id}".format(
            group_id=quote(str(group_id), safe=""),
        ),
    }

    _kwargs["json"] = body.to_dict()

    headers["Content-Type"] = "application/json"

    _kwargs["headers"] = headers
    return _kwargs


def _parse_response(
    *, client: AuthenticatedClient | Client, response: httpx.Response
) -> Group | Problem:
    if response.status_code == 200:
        response_200 = Group.from_dict(response.json())

        return response_200

    if response.status_code == 201:
        response_201 = Group.from_dict(response.json())

        return response_201

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
) -> Response[Group | Problem]:
    return Response(
        status_code=HTTPStatus(response.status_code),
        content=response.content,
        headers=response.headers,
        parsed=_parse_response(client=client, response=response),
    )


def sync_detailed(
    group_id: str,
    *,
    client: AuthenticatedClient | Client,
    body: CreateGroupRequest,
) -> Response[Group | Problem]:
    """Create a group

     Makes a group of its owner alone, at an address of your choice; `addGroupMembers` brings in others.
    The
    address is never given to another group, even once this one is deleted.

    Repeat the request as you like: the same one is answered 200 with the group as it is now, also after
    it was updated. One that asks for another name, metadata, history or owner at that address is
    answered 409,
    and so is every request once the group is deleted, and that of a user who is no longer in it. The
    order
    of properties and white space make no difference.

    Users may create groups if the server lets them (`GROUP_CREATE=users`), and own what they create. By
    default only services may, which name the `owner`.

    Args:
        group_id (str): The address of a group, which you choose: `~`, and then what a user id can
            be. It is never given to another
            group, even once the group is deleted. In a shell quote it, `'~team-1'`: some take a word
            that begins with `~`
            for a directory. In a query encode `+` as `%2B`.
             Example: ~team-1.
        body (CreateGroupRequest): A group to be created. Without `history` it is `all`. A service
            has to name the `owner`; a user owns what they
            create.

    Raises:
        errors.UnexpectedStatus: If the server returns an undocumented status code and Client.raise_on_unexpected_status is True.
        httpx.TimeoutException: If the request takes longer than Client.timeout.

    Returns:
        Response[Group | Problem]
    """

    kwargs = _get_kwargs(
        group_id=group_id,
        body=body,
    )

    response = client.get_httpx_client().request(
        **kwargs,
    )

    return _build_response(client=client, response=response)


def sync(
    group_id: str,
    *,
    client: AuthenticatedClient | Client,
    body: CreateGroupRequest,
) -> Group | Problem | None:
    """Create a group

     Makes a group of its owner alone, at an address of your choice; `addGroupMembers` brings in others.
    The
    address is never given to another group, even once this one is deleted.

    Repeat the request as you like: the same one is answered 200 with the group as it is now, also after
    it was updated. One that asks for another name, metadata, history or owner at that address is
    answered 409,
    and so is every request once the group is deleted, and that of a user who is no longer in it. The
    order
    of properties and white space make no difference.

    Users may create groups if the server lets them (`GROUP_CREATE=users`), and own what they create. By
    default only services may, which name the `owner`.

    Args:
        group_id (str): The address of a group, which you choose: `~`, and then what a user id can
            be. It is never given to another
            group, even once the group is deleted. In a shell quote it, `'~team-1'`: some take a word
            that begins with `~`
            for a directory. In a query encode `+` as `%2B`.
             Example: ~team-1.
        body (CreateGroupRequest): A group to be created. Without `history` it is `all`. A service
            has to name the `owner`; a user owns what they
            create.

    Raises:
        errors.UnexpectedStatus: If the server returns an undocumented status code and Client.raise_on_unexpected_status is True.
        httpx.TimeoutException: If the request takes longer than Client.timeout.

    Returns:
        Group | Problem
    """

    return sync_detailed(
        group_id=group_id,
        client=client,
        body=body,
    ).parsed


async def asyncio_detailed(
    group_id: str,
    *,
    client: AuthenticatedClient | Client,
    body: CreateGroupRequest,
) -> Response[Group | Problem]:
    """Create a group

     Makes a group of its owner alone, at an address of your choice; `addGroupMembers` brings in others.
    The
    address is never given to another group, even once this one is deleted.

    Repeat the request as you like: the same one is answered 200 with the group as it is now, also after
    it was updated. One that asks for another name, metadata, history or owner at that address is
    answered 409,
    and so is every request once the group is deleted, and that of a user who is no longer in it. The
    order
    of properties and white space make no difference.

    Users may create groups if the server lets them (`GROUP_CREATE=users`), and own what they create. By
    default only services may, which name the `owner`.

    Args:
        group_id (str): The address of a group, which you choose: `~`, and then what a user id can
            be. It is never given to another
            group, even once the group is deleted. In a shell quote it, `'~team-1'`: some take a word
            that begins with `~`
            for a directory. In a query encode `+` as `%2B`.
             Example: ~team-1.
        body (CreateGroupRequest): A group to be created. Without `history` it is `all`. A service
            has to name the `owner`; a user owns what they
            create.

    Raises:
        errors.UnexpectedStatus: If the server returns an undocumented status code and Client.raise_on_unexpected_status is True.
        httpx.TimeoutException: If the request takes longer than Client.timeout.

    Returns:
        Response[Group | Problem]
    """

    kwargs = _get_kwargs(
        group_id=group_id,
        body=body,
    )

    response = await client.get_async_httpx_client().request(**kwargs)

    return _build_response(client=client, response=response)


async def asyncio(
    group_id: str,
    *,
    client: AuthenticatedClient | Client,
    body: CreateGroupRequest,
) -> Group | Problem | None:
    """Create a group

     Makes a group of its owner alone, at an address of your choice; `addGroupMembers` brings in others.
    The
    address is never given to another group, even once this one is deleted.

    Repeat the request as you like: the same one is answered 200 with the group as it is now, also after
    it was updated. One that asks for another name, metadata, history or owner at that address is
    answered 409,
    and so is every request once the group is deleted, and that of a user who is no longer in it. The
    order
    of properties and white space make no difference.

    Users may create groups if the server lets them (`GROUP_CREATE=users`), and own what they create. By
    default only services may, which name the `owner`.

    Args:
        group_id (str): The address of a group, which you choose: `~`, and then what a user id can
            be. It is never given to another
            group, even once the group is deleted. In a shell quote it, `'~team-1'`: some take a word
            that begins with `~`
            for a directory. In a query encode `+` as `%2B`.
             Example: ~team-1.
        body (CreateGroupRequest): A group to be created. Without `history` it is `all`. A service
            has to name the `owner`; a user owns what they
            create.

    Raises:
        errors.UnexpectedStatus: If the server returns an undocumented status code and Client.raise_on_unexpected_status is True.
        httpx.TimeoutException: If the request takes longer than Client.timeout.

    Returns:
        Group | Problem
    """

    return (
        await asyncio_detailed(
            group_id=group_id,
            client=client,
            body=body,
        )
    ).parsed
