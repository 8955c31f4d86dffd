import datetime
from http import HTTPStatus
from typing import Any
from urllib.parse import quote
from uuid import UUID

import httpx

from ...client import AuthenticatedClient, Client
from ...models.message_page import MessagePage
from ...models.problem import Problem
from ...types import UNSET, Response, Unset


def _get_kwargs(
    user_id: str,
    peer_id: str,
    *,
    q: str | Unset = UNSET,
    highlight: bool | Unset = False,
    since: datetime.datetime | Unset = UNSET,
    until: datetime.datetime | Unset = UNSET,
    before: UUID | Unset = UNSET,
    after: UUID | Unset = UNSET,
    limit: int | Unset = 100,
) -> dict[str, Any]:

    params: dict[str, Any] = {}

    params["q"] = q

    params["highlight"] = highlight

    if isinstance(since, datetime.datetime) and since.utcoffset() is None:
        raise ValueError("since needs a time zone, such as datetime.now(UTC)")
    json_since: str | Unset = UNSET
    if not isinstance(since, Unset):
        json_since = since.isoformat()
    params["since"] = json_since

    if isinstance(until, datetime.datetime) and until.utcoffset() is None:
        raise ValueError("until needs a time zone, such as datetime.now(UTC)")
    json_until: str | Unset = UNSET
    if not isinstance(until, Unset):
        json_until = until.isoformat()
    params["until"] = json_until

    json_before: str | Unset = UNSET
    if not isinstance(before, Unset):
        json_before = str(before)
    params["before"] = json_before

    json_after: str | Unset = UNSET
    if not isinstance(after, Unset):
        json_after = str(after)
    params["after"] = json_after

    params["limit"] = limit

    params = {k: v for k, v in params.items() if v is not UNSET and v is not None}

    _kwargs: dict[str, Any] = {
        "method": "get",
        "url": "/v1/users/{user_id}/conversations/{peer_id}/messages".format(
            user_id=quote(str(user_id), safe=""),
            peer_id=quote(str(peer_id), safe=""),
        ),
        "params": params,
    }

    return _kwargs


def _parse_response(
    *, client: AuthenticatedClient | Client, response: httpx.Response
) -> MessagePage | Problem:
    if response.status_code == 200:
        response_200 = MessagePage.from_dict(response.json())

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
) -> Response[MessagePage | Problem]:
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
    q: str | Unset = UNSET,
    highlight: bool | Unset = False,
    since: datetime.datetime | Unset = UNSET,
    until: datetime.datetime | Unset = UNSET,
    before: UUID | Unset = UNSET,
    after: UUID | Unset = UNSET,
    limit: int | Unset = 100,
) -> Response[MessagePage | Problem]:
    """List or search a conversation

     What two users have written to each other, in both directions and one order,
    the same for both, or what members have written to a group; newest first. Other than the list of
    recent messages it goes
    back to the first message, unless `since` says otherwise. Pages work the same:
    `before` walks back, `after` catches up, and so does the `Link` header. So does
    a search, by `q`.

    Args:
        user_id (str): Your id for a user: 1 to 128 letters, digits and `._~@:|+='-`, the first
            neither
            `.` nor `~`. Compared byte for byte. In a query encode `+` as `%2B`.
        peer_id (str): To whom messages go: a user, by their id, or a group, by its address:
            `bob`, `~team-1`. No user id begins with
            `~`. In a shell quote the address of a group, `'~team-1'`; in a query encode `+` as `%2B`.
        q (str | Unset): Words, as typed.
        highlight (bool | Unset):  Default: False.
        since (datetime.datetime | Unset): An RFC 3339 time in any zone; its `T` and `Z` may be in
            lower case.
        until (datetime.datetime | Unset): An RFC 3339 time in any zone; its `T` and `Z` may be in
            lower case.
        before (UUID | Unset): A UUID. Those the service makes are of version 7 and sort in the
            order of the
            messages.
        after (UUID | Unset): A UUID. Those the service makes are of version 7 and sort in the
            order of the
            messages.
        limit (int | Unset):  Default: 100.

    Raises:
        errors.UnexpectedStatus: If the server returns an undocumented status code and Client.raise_on_unexpected_status is True.
        httpx.TimeoutException: If the request takes longer than Client.timeout.

    Returns:
        Response[MessagePage | Problem]
    """

    kwargs = _get_kwargs(
        user_id=user_id,
        peer_id=peer_id,
        q=q,
        highlight=highlight,
        since=since,
        until=until,
        before=before,
        after=after,
        limit=limit,
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
    q: str | Unset = UNSET,
    highlight: bool | Unset = False,
    since: datetime.datetime | Unset = UNSET,
    until: datetime.datetime | Unset = UNSET,
    before: UUID | Unset = UNSET,
    after: UUID | Unset = UNSET,
    limit: int | Unset = 100,
) -> MessagePage | Problem | None:
    """List or search a conversation

     What two users have written to each other, in both directions and one order,
    the same for both, or what members have written to a group; newest first. Other than the list of
    recent messages it goes
    back to the first message, unless `since` says otherwise. Pages work the same:
    `before` walks back, `after` catches up, and so does the `Link` header. So does
    a search, by `q`.

    Args:
        user_id (str): Your id for a user: 1 to 128 letters, digits and `._~@:|+='-`, the first
            neither
            `.` nor `~`. Compared byte for byte. In a query encode `+` as `%2B`.
        peer_id (str): To whom messages go: a user, by their id, or a group, by its address:
            `bob`, `~team-1`. No user id begins with
            `~`. In a shell quote the address of a group, `'~team-1'`; in a query encode `+` as `%2B`.
        q (str | Unset): Words, as typed.
        highlight (bool | Unset):  Default: False.
        since (datetime.datetime | Unset): An RFC 3339 time in any zone; its `T` and `Z` may be in
            lower case.
        until (datetime.datetime | Unset): An RFC 3339 time in any zone; its `T` and `Z` may be in
            lower case.
        before (UUID | Unset): A UUID. Those the service makes are of version 7 and sort in the
            order of the
            messages.
        after (UUID | Unset): A UUID. Those the service makes are of version 7 and sort in the
            order of the
            messages.
        limit (int | Unset):  Default: 100.

    Raises:
        errors.UnexpectedStatus: If the server returns an undocumented status code and Client.raise_on_unexpected_status is True.
        httpx.TimeoutException: If the request takes longer than Client.timeout.

    Returns:
        MessagePage | Problem
    """

    return sync_detailed(
        user_id=user_id,
        peer_id=peer_id,
        client=client,
        q=q,
        highlight=highlight,
        since=since,
        until=until,
        before=before,
        after=after,
        limit=limit,
    ).parsed


async def asyncio_detailed(
    user_id: str,
    peer_id: str,
    *,
    client: AuthenticatedClient | Client,
    q: str | Unset = UNSET,
    highlight: bool | Unset = False,
    since: datetime.datetime | Unset = UNSET,
    until: datetime.datetime | Unset = UNSET,
    before: UUID | Unset = UNSET,
    after: UUID | Unset = UNSET,
    limit: int | Unset = 100,
) -> Response[MessagePage | Problem]:
    """List or search a conversation

     What two users have written to each other, in both directions and one order,
    the same for both, or what members have written to a group; newest first. Other than the list of
    recent messages it goes
    back to the first message, unless `since` says otherwise. Pages work the same:
    `before` walks back, `after` catches up, and so does the `Link` header. So does
    a search, by `q`.

    Args:
        user_id (str): Your id for a user: 1 to 128 letters, digits and `._~@:|+='-`, the first
            neither
            `.` nor `~`. Compared byte for byte. In a query encode `+` as `%2B`.
        peer_id (str): To whom messages go: a user, by their id, or a group, by its address:
            `bob`, `~team-1`. No user id begins with
            `~`. In a shell quote the address of a group, `'~team-1'`; in a query encode `+` as `%2B`.
        q (str | Unset): Words, as typed.
        highlight (bool | Unset):  Default: False.
        since (datetime.datetime | Unset): An RFC 3339 time in any zone; its `T` and `Z` may be in
            lower case.
        until (datetime.datetime | Unset): An RFC 3339 time in any zone; its `T` and `Z` may be in
            lower case.
        before (UUID | Unset): A UUID. Those the service makes are of version 7 and sort in the
            order of the
            messages.
        after (UUID | Unset): A UUID. Those the service makes are of version 7 and sort in the
            order of the
            messages.
        limit (int | Unset):  Default: 100.

    Raises:
        errors.UnexpectedStatus: If the server returns an undocumented status code and Client.raise_on_unexpected_status is True.
        httpx.TimeoutException: If the request takes longer than Client.timeout.

    Returns:
        Response[MessagePage | Problem]
    """

    kwargs = _get_kwargs(
        user_id=user_id,
        peer_id=peer_id,
        q=q,
        highlight=highlight,
        since=since,
        until=until,
        before=before,
        after=after,
        limit=limit,
    )

    response = await client.get_async_httpx_client().request(**kwargs)

    return _build_response(client=client, response=response)


async def asyncio(
    user_id: str,
    peer_id: str,
    *,
    client: AuthenticatedClient | Client,
    q: str | Unset = UNSET,
    highlight: bool | Unset = False,
    since: datetime.datetime | Unset = UNSET,
    until: datetime.datetime | Unset = UNSET,
    before: UUID | Unset = UNSET,
    after: UUID | Unset = UNSET,
    limit: int | Unset = 100,
) -> MessagePage | Problem | None:
    """List or search a conversation

     What two users have written to each other, in both directions and one order,
    the same for both, or what members have written to a group; newest first. Other than the list of
    recent messages it goes
    back to the first message, unless `since` says otherwise. Pages work the same:
    `before` walks back, `after` catches up, and so does the `Link` header. So does
    a search, by `q`.

    Args:
        user_id (str): Your id for a user: 1 to 128 letters, digits and `._~@:|+='-`, the first
            neither
            `.` nor `~`. Compared byte for byte. In a query encode `+` as `%2B`.
        peer_id (str): To whom messages go: a user, by their id, or a group, by its address:
            `bob`, `~team-1`. No user id begins with
            `~`. In a shell quote the address of a group, `'~team-1'`; in a query encode `+` as `%2B`.
        q (str | Unset): Words, as typed.
        highlight (bool | Unset):  Default: False.
        since (datetime.datetime | Unset): An RFC 3339 time in any zone; its `T` and `Z` may be in
            lower case.
        until (datetime.datetime | Unset): An RFC 3339 time in any zone; its `T` and `Z` may be in
            lower case.
        before (UUID | Unset): A UUID. Those the service makes are of version 7 and sort in the
            order of the
            messages.
        after (UUID | Unset): A UUID. Those the service makes are of version 7 and sort in the
            order of the
            messages.
        limit (int | Unset):  Default: 100.

    Raises:
        errors.UnexpectedStatus: If the server returns an undocumented status code and Client.raise_on_unexpected_status is True.
        httpx.TimeoutException: If the request takes longer than Client.timeout.

    Returns:
        MessagePage | Problem
    """

    return (
        await asyncio_detailed(
            user_id=user_id,
            peer_id=peer_id,
            client=client,
            q=q,
            highlight=highlight,
            since=since,
            until=until,
            before=before,
            after=after,
            limit=limit,
        )
    ).parsed
