from http import HTTPStatus
from typing import Any
from urllib.parse import quote

import httpx

from ...client import AuthenticatedClient, Client
from ...models.membership_page import MembershipPage
from ...models.problem import Problem
from ...types import UNSET, Response, Unset


def _get_kwargs(
    group_id: str,
    *,
    after: str | Unset = UNSET,
    limit: int | Unset = 100,
) -> dict[str, Any]:

    params: dict[str, Any] = {}

    params["after"] = after

    params["limit"] = limit

    params = {k: v for k, v in params.items() if v is not UNSET and v is not None}

    _kwargs: dict[str, Any] = {
        "method": "get",
        "url": "/v1/groups/{group_id}/members".format(
            group_id=quote(str(group_id), safe=""),
        ),
        "params": params,
    }

    return _kwargs


def _parse_response(
    *, client: AuthenticatedClient | Client, response: httpx.Response
) -> MembershipPage | Problem:
    if response.status_code == 200:
        response_200 = MembershipPage.from_dict(response.json())

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
) -> Response[MembershipPage | Problem]:
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
    after: str | Unset = UNSET,
    limit: int | Unset = 100,
) -> Response[MembershipPage | Problem]:
    """List the members of a group

     The members of a group, in the order of their ids. Walk on with the `next` of a page as
    `after`, or follow the `Link` header.

    Args:
        group_id (str): The address of a group, which you choose: `~`, and then what a user id can
            be. It is never given to another
            group, even once the group is deleted. In a shell quote it, `'~team-1'`: some take a word
            that begins with `~`
            for a directory. In a query encode `+` as `%2B`.
             Example: ~team-1.
        after (str | Unset): Your id for a user: 1 to 128 letters, digits and `._~@:|+='-`, the
            first neither
            `.` nor `~`. Compared byte for byte. In a query encode `+` as `%2B`.
        limit (int | Unset):  Default: 100.

    Raises:
        errors.UnexpectedStatus: If the server returns an undocumented status code and Client.raise_on_unexpected_status is True.
        httpx.TimeoutException: If the request takes longer than Client.timeout.

    Returns:
        Response[MembershipPage | Problem]
    """

    kwargs = _get_kwargs(
        group_id=group_id,
        after=after,
        limit=limit,
    )

    response = client.get_httpx_client().request(
        **kwargs,
    )

    return _build_response(client=client, response=response)


def sync(
    group_id: str,
    *,
    client: AuthenticatedClient | Client,
    after: str | Unset = UNSET,
    limit: int | Unset = 100,
) -> MembershipPage | Problem | None:
    """List the members of a group

     The members of a group, in the order of their ids. Walk on with the `next` of a page as
    `after`, or follow the `Link` header.

    Args:
        group_id (str): The address of a group, which you choose: `~`, and then what a user id can
            be. It is never given to another
            group, even once the group is deleted. In a shell quote it, `'~team-1'`: some take a word
            that begins with `~`
            for a directory. In a query encode `+` as `%2B`.
             Example: ~team-1.
        after (str | Unset): Your id for a user: 1 to 128 letters, digits and `._~@:|+='-`, the
            first neither
            `.` nor `~`. Compared byte for byte. In a query encode `+` as `%2B`.
        limit (int | Unset):  Default: 100.

    Raises:
        errors.UnexpectedStatus: If the server returns an undocumented status code and Client.raise_on_unexpected_status is True.
        httpx.TimeoutException: If the request takes longer than Client.timeout.

    Returns:
        MembershipPage | Problem
    """

    return sync_detailed(
        group_id=group_id,
        client=client,
        after=after,
        limit=limit,
    ).parsed


async def asyncio_detailed(
    group_id: str,
    *,
    client: AuthenticatedClient | Client,
    after: str | Unset = UNSET,
    limit: int | Unset = 100,
) -> Response[MembershipPage | Problem]:
    """List the members of a group

     The members of a group, in the order of their ids. Walk on with the `next` of a page as
    `after`, or follow the `Link` header.

    Args:
        group_id (str): The address of a group, which you choose: `~`, and then what a user id can
            be. It is never given to another
            group, even once the group is deleted. In a shell quote it, `'~team-1'`: some take a word
            that begins with `~`
            for a directory. In a query encode `+` as `%2B`.
             Example: ~team-1.
        after (str | Unset): Your id for a user: 1 to 128 letters, digits and `._~@:|+='-`, the
            first neither
            `.` nor `~`. Compared byte for byte. In a query encode `+` as `%2B`.
        limit (int | Unset):  Default: 100.

    Raises:
        errors.UnexpectedStatus: If the server returns an undocumented status code and Client.raise_on_unexpected_status is True.
        httpx.TimeoutException: If the request takes longer than Client.timeout.

    Returns:
        Response[MembershipPage | Problem]
    """

    kwargs = _get_kwargs(
        group_id=group_id,
        after=after,
        limit=limit,
    )

    response = await client.get_async_httpx_client().request(**kwargs)

    return _build_response(client=client, response=response)


async def asyncio(
    group_id: str,
    *,
    client: AuthenticatedClient | Client,
    after: str | Unset = UNSET,
    limit: int | Unset = 100,
) -> MembershipPage | Problem | None:
    """List the members of a group

     The members of a group, in the order of their ids. Walk on with the `next` of a page as
    `after`, or follow the `Link` header.

    Args:
        group_id (str): The address of a group, which you choose: `~`, and then what a user id can
            be. It is never given to another
            group, even once the group is deleted. In a shell quote it, `'~team-1'`: some take a word
            that begins with `~`
            for a directory. In a query encode `+` as `%2B`.
             Example: ~team-1.
        after (str | Unset): Your id for a user: 1 to 128 letters, digits and `._~@:|+='-`, the
            first neither
            `.` nor `~`. Compared byte for byte. In a query encode `+` as `%2B`.
        limit (int | Unset):  Default: 100.

    Raises:
        errors.UnexpectedStatus: If the server returns an undocumented status code and Client.raise_on_unexpected_status is True.
        httpx.TimeoutException: If the request takes longer than Client.timeout.

    Returns:
        MembershipPage | Problem
    """

    return (
        await asyncio_detailed(
            group_id=group_id,
            client=client,
            after=after,
            limit=limit,
        )
    ).parsed
