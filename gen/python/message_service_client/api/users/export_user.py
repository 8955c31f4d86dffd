from http import HTTPStatus
from io import BytesIO
from typing import Any
from urllib.parse import quote

import httpx

from ...client import AuthenticatedClient, Client
from ...models.problem import Problem
from ...types import File, Response


def _get_kwargs(
    user_id: str,
) -> dict[str, Any]:

    _kwargs: dict[str, Any] = {
        "method": "get",
        "url": "/v1/users/{user_id}/export".format(
            user_id=quote(str(user_id), safe=""),
        ),
    }

    return _kwargs


def _parse_response(
    *, client: AuthenticatedClient | Client, response: httpx.Response
) -> File | Problem:
    if response.status_code == 200:
        response_200 = File(payload=BytesIO(response.content))

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
) -> Response[File | Problem]:
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
) -> Response[File | Problem]:
    """Export what concerns a user

     Every message the user sent or received that is not deleted, the oldest first, then
    those they sent to groups, then the user's read markers, blocks, memberships of groups
    and conversations with users that are muted or hidden: all of them, without a limit, as
    lines of JSON ([NDJSON](https://github.com/ndjson/ndjson-spec)), each an `ExportRecord`. Read it as
    a
    stream; it is never held in memory here.

    The last line has the type `end`. An answer without it was cut short, as
    happens when the database fails on the way or the client does not read for 30
    seconds. Messages that arrive meanwhile may or may not be part of it.

    Args:
        user_id (str): Your id for a user: 1 to 128 letters, digits and `._~@:|+='-`, the first
            neither
            `.` nor `~`. Compared byte for byte. In a query encode `+` as `%2B`.

    Raises:
        errors.UnexpectedStatus: If the server returns an undocumented status code and Client.raise_on_unexpected_status is True.
        httpx.TimeoutException: If the request takes longer than Client.timeout.

    Returns:
        Response[File | Problem]
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
    client: AuthenticatedClient | Client,
) -> File | Problem | None:
    """Export what concerns a user

     Every message the user sent or received that is not deleted, the oldest first, then
    those they sent to groups, then the user's read markers, blocks, memberships of groups
    and conversations with users that are muted or hidden: all of them, without a limit, as
    lines of JSON ([NDJSON](https://github.com/ndjson/ndjson-spec)), each an `ExportRecord`. Read it as
    a
    stream; it is never held in memory here.

    The last line has the type `end`. An answer without it was cut short, as
    happens when the database fails on the way or the client does not read for 30
    seconds. Messages that arrive meanwhile may or may not be part of it.

    Args:
        user_id (str): Your id for a user: 1 to 128 letters, digits and `._~@:|+='-`, the first
            neither
            `.` nor `~`. Compared byte for byte. In a query encode `+` as `%2B`.

    Raises:
        errors.UnexpectedStatus: If the server returns an undocumented status code and Client.raise_on_unexpected_status is True.
        httpx.TimeoutException: If the request takes longer than Client.timeout.

    Returns:
        File | Problem
    """

    return sync_detailed(
        user_id=user_id,
        client=client,
    ).parsed


async def asyncio_detailed(
    user_id: str,
    *,
    client: AuthenticatedClient | Client,
) -> Response[File | Problem]:
    """Export what concerns a user

     Every message the user sent or received that is not deleted, the oldest first, then
    those they sent to groups, then the user's read markers, blocks, memberships of groups
    and conversations with users that are muted or hidden: all of them, without a limit, as
    lines of JSON ([NDJSON](https://github.com/ndjson/ndjson-spec)), each an `ExportRecord`. Read it as
    a
    stream; it is never held in memory here.

    The last line has the type `end`. An answer without it was cut short, as
    happens when the database fails on the way or the client does not read for 30
    seconds. Messages that arrive meanwhile may or may not be part of it.

    Args:
        user_id (str): Your id for a user: 1 to 128 letters, digits and `._~@:|+='-`, the first
            neither
            `.` nor `~`. Compared byte for byte. In a query encode `+` as `%2B`.

    Raises:
        errors.UnexpectedStatus: If the server returns an undocumented status code and Client.raise_on_unexpected_status is True.
        httpx.TimeoutException: If the request takes longer than Client.timeout.

    Returns:
        Response[File | Problem]
    """

    kwargs = _get_kwargs(
        user_id=user_id,
    )

    response = await client.get_async_httpx_client().request(**kwargs)

    return _build_response(client=client, response=response)


async def asyncio(
    user_id: str,
    *,
    client: AuthenticatedClient | Client,
) -> File | Problem | None:
    """Export what concerns a user

     Every message the user sent or received that is not deleted, the oldest first, then
    those they sent to groups, then the user's read markers, blocks, memberships of groups
    and conversations with users that are muted or hidden: all of them, without a limit, as
    lines of JSON ([NDJSON](https://github.com/ndjson/ndjson-spec)), each an `ExportRecord`. Read it as
    a
    stream; it is never held in memory here.

    The last line has the type `end`. An answer without it was cut short, as
    happens when the database fails on the way or the client does not read for 30
    seconds. Messages that arrive meanwhile may or may not be part of it.

    Args:
        user_id (str): Your id for a user: 1 to 128 letters, digits and `._~@:|+='-`, the first
            neither
            `.` nor `~`. Compared byte for byte. In a query encode `+` as `%2B`.

    Raises:
        errors.UnexpectedStatus: If the server returns an undocumented status code and Client.raise_on_unexpected_status is True.
        httpx.TimeoutException: If the request takes longer than Client.timeout.

    Returns:
        File | Problem
    """

    return (
        await asyncio_detailed(
            user_id=user_id,
            client=client,
        )
    ).parsed
