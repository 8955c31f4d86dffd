from http import HTTPStatus
from typing import Any
from urllib.parse import quote

import httpx

from ...client import AuthenticatedClient, Client
from ...models.add_group_members_request import AddGroupMembersRequest
from ...models.added_members import AddedMembers
from ...models.problem import Problem
from ...types import Response


def _get_kwargs(
    group_id: str,
    *,
    body: AddGroupMembersRequest,
) -> dict[str, Any]:
    headers: dict[str, Any] = {}

    _kwargs: dict[str, Any] = {
        "method": "post",
        "url": "/v1/groups/{group_id}/members".format(
            group_id=quote(str(group_id), safe=""),
        ),
    }

    _kwargs["json"] = body.to_dict()

    headers["Content-Type"] = "application/json"

    _kwargs["headers"] = headers
    return _kwargs


def _parse_response(
    *, client: AuthenticatedClient | Client, response: httpx.Response
) -> AddedMembers | Problem:
    if response.status_code == 200:
        response_200 = AddedMembers.from_dict(response.json())

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
) -> Response[AddedMembers | Problem]:
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
    body: AddGroupMembersRequest,
) -> Response[AddedMembers | Problem]:
    """Add members to a group

     Adds up to 100 users, as members, and answers with what became of each, in their order: one who
    cannot be
    added keeps nobody else out. Adding a user who is a member already changes nothing, so the request
    may be repeated.

    They are members at once, without being asked. Only who has blocked the user who adds is left out,
    and
    everyone may leave. Each user counts as a request for the rate limit: when too few are left, the
    answer is 429,
    nobody is added, nothing is counted, and `Retry-After` says when all of them can be. More users than
    the whole
    limit has requests (`rateLimits` of `getLimits`) are answered 422, since no wait would help. That
    counts as one
    request, as whatever is invalid does.

    Args:
        group_id (str): The address of a group, which you choose: `~`, and then what a user id can
            be. It is never given to another
            group, even once the group is deleted. In a shell quote it, `'~team-1'`: some take a word
            that begins with `~`
            for a directory. In a query encode `+` as `%2B`.
             Example: ~team-1.
        body (AddGroupMembersRequest): Users to be added to a group.

    Raises:
        errors.UnexpectedStatus: If the server returns an undocumented status code and Client.raise_on_unexpected_status is True.
        httpx.TimeoutException: If the request takes longer than Client.timeout.

    Returns:
        Response[AddedMembers | Problem]
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
    body: AddGroupMembersRequest,
) -> AddedMembers | Problem | None:
    """Add members to a group

     Adds up to 100 users, as members, and answers with what became of each, in their order: one who
    cannot be
    added keeps nobody else out. Adding a user who is a member already changes nothing, so the request
    may be repeated.

    They are members at once, without being asked. Only who has blocked the user who adds is left out,
    and
    everyone may leave. Each user counts as a request for the rate limit: when too few are left, the
    answer is 429,
    nobody is added, nothing is counted, and `Retry-After` says when all of them can be. More users than
    the whole
    limit has requests (`rateLimits` of `getLimits`) are answered 422, since no wait would help. That
    counts as one
    request, as whatever is invalid does.

    Args:
        group_id (str): The address of a group, which you choose: `~`, and then what a user id can
            be. It is never given to another
            group, even once the group is deleted. In a shell quote it, `'~team-1'`: some take a word
            that begins with `~`
            for a directory. In a query encode `+` as `%2B`.
             Example: ~team-1.
        body (AddGroupMembersRequest): Users to be added to a group.

    Raises:
        errors.UnexpectedStatus: If the server returns an undocumented status code and Client.raise_on_unexpected_status is True.
        httpx.TimeoutException: If the request takes longer than Client.timeout.

    Returns:
        AddedMembers | Problem
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
    body: AddGroupMembersRequest,
) -> Response[AddedMembers | Problem]:
    """Add members to a group

     Adds up to 100 users, as members, and answers with what became of each, in their order: one who
    cannot be
    added keeps nobody else out. Adding a user who is a member already changes nothing, so the request
    may be repeated.

    They are members at once, without being asked. Only who has blocked the user who adds is left out,
    and
    everyone may leave. Each user counts as a request for the rate limit: when too few are left, the
    answer is 429,
    nobody is added, nothing is counted, and `Retry-After` says when all of them can be. More users than
    the whole
    limit has requests (`rateLimits` of `getLimits`) are answered 422, since no wait would help. That
    counts as one
    request, as whatever is invalid does.

    Args:
        group_id (str): The address of a group, which you choose: `~`, and then what a user id can
            be. It is never given to another
            group, even once the group is deleted. In a shell quote it, `'~team-1'`: some take a word
            that begins with `~`
            for a directory. In a query encode `+` as `%2B`.
             Example: ~team-1.
        body (AddGroupMembersRequest): Users to be added to a group.

    Raises:
        errors.UnexpectedStatus: If the server returns an undocumented status code and Client.raise_on_unexpected_status is True.
        httpx.TimeoutException: If the request takes longer than Client.timeout.

    Returns:
        Response[AddedMembers | Problem]
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
    body: AddGroupMembersRequest,
) -> AddedMembers | Problem | None:
    """Add members to a group

     Adds up to 100 users, as members, and answers with what became of each, in their order: one who
    cannot be
    added keeps nobody else out. Adding a user who is a member already changes nothing, so the request
    may be repeated.

    They are members at once, without being asked. Only who has blocked the user who adds is left out,
    and
    everyone may leave. Each user counts as a request for the rate limit: when too few are left, the
    answer is 429,
    nobody is added, nothing is counted, and `Retry-After` says when all of them can be. More users than
    the whole
    limit has requests (`rateLimits` of `getLimits`) are answered 422, since no wait would help. That
    counts as one
    request, as whatever is invalid does.

    Args:
        group_id (str): The address of a group, which you choose: `~`, and then what a user id can
            be. It is never given to another
            group, even once the group is deleted. In a shell quote it, `'~team-1'`: some take a word
            that begins with `~`
            for a directory. In a query encode `+` as `%2B`.
             Example: ~team-1.
        body (AddGroupMembersRequest): Users to be added to a group.

    Raises:
        errors.UnexpectedStatus: If the server returns an undocumented status code and Client.raise_on_unexpected_status is True.
        httpx.TimeoutException: If the request takes longer than Client.timeout.

    Returns:
        AddedMembers | Problem
    """

    return (
        await asyncio_detailed(
            group_id=group_id,
            client=client,
            body=body,
        )
    ).parsed
