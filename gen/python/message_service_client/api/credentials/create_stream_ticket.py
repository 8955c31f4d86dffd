from http import HTTPStatus
from typing import Any
from urllib.parse import quote

import httpx

from ...client import AuthenticatedClient, Client
from ...models.problem import Problem
from ...models.stream_ticket import StreamTicket
from ...types import Response


def _get_kwargs(
    user_id: str,
) -> dict[str, Any]:

    _kwargs: dict[str, Any] = {
        "method": "post",
        "url": "/v1/users/{user_id}/stream-tickets".format(
            user_id=quote(str(user_id), safe=""),
        ),
    }

    return _kwargs


def _parse_response(
    *, client: AuthenticatedClient | Client, response: httpx.Response
) -> Problem | StreamTicket:
    if response.status_code == 201:
        response_201 = StreamTicket.from_dict(response.json())

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
) -> Response[Problem | StreamTicket]:
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
) -> Response[Problem | StreamTicket]:
    """Make a ticket for a stream

     A ticket opens the stream of a user's changes for a browser's own `EventSource`, which cannot send
    `Authorization`: pass it as `ticket` to `listChanges`. It is good for nothing else, and for 60
    seconds,
    as often as the `EventSource` reconnects; make another one when it has given up. A stream that a
    ticket has opened goes on, and ends when the credential does that made the ticket.

    Args:
        user_id (str): Your id for a user: 1 to 128 letters, digits and `._~@:|+='-`, the first
            neither
            `.` nor `~`. Compared byte for byte. In a query encode `+` as `%2B`.

    Raises:
        errors.UnexpectedStatus: If the server returns an undocumented status code and Client.raise_on_unexpected_status is True.
        httpx.TimeoutException: If the request takes longer than Client.timeout.

    Returns:
        Response[Problem | StreamTicket]
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
) -> Problem | StreamTicket | None:
    """Make a ticket for a stream

     A ticket opens the stream of a user's changes for a browser's own `EventSource`, which cannot send
    `Authorization`: pass it as `ticket` to `listChanges`. It is good for nothing else, and for 60
    seconds,
    as often as the `EventSource` reconnects; make another one when it has given up. A stream that a
    ticket has opened goes on, and ends when the credential does that made the ticket.

    Args:
        user_id (str): Your id for a user: 1 to 128 letters, digits and `._~@:|+='-`, the first
            neither
            `.` nor `~`. Compared byte for byte. In a query encode `+` as `%2B`.

    Raises:
        errors.UnexpectedStatus: If the server returns an undocumented status code and Client.raise_on_unexpected_status is True.
        httpx.TimeoutException: If the request takes longer than Client.timeout.

    Returns:
        Problem | StreamTicket
    """

    return sync_detailed(
        user_id=user_id,
        client=client,
    ).parsed


async def asyncio_detailed(
    user_id: str,
    *,
    client: AuthenticatedClient | Client,
) -> Response[Problem | StreamTicket]:
    """Make a ticket for a stream

     A ticket opens the stream of a user's changes for a browser's own `EventSource`, which cannot send
    `Authorization`: pass it as `ticket` to `listChanges`. It is good for nothing else, and for 60
    seconds,
    as often as the `EventSource` reconnects; make another one when it has given up. A stream that a
    ticket has opened goes on, and ends when the credential does that made the ticket.

    Args:
        user_id (str): Your id for a user: 1 to 128 letters, digits and `._~@:|+='-`, the first
            neither
            `.` nor `~`. Compared byte for byte. In a query encode `+` as `%2B`.

    Raises:
        errors.UnexpectedStatus: If the server returns an undocumented status code and Client.raise_on_unexpected_status is True.
        httpx.TimeoutException: If the request takes longer than Client.timeout.

    Returns:
        Response[Problem | StreamTicket]
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
) -> Problem | StreamTicket | None:
    """Make a ticket for a stream

     A ticket opens the stream of a user's changes for a browser's own `EventSource`, which cannot send
    `Authorization`: pass it as `ticket` to `listChanges`. It is good for nothing else, and for 60
    seconds,
    as often as the `EventSource` reconnects; make another one when it has given up. A stream that a
    ticket has opened goes on, and ends when the credential does that made the ticket.

    Args:
        user_id (str): Your id for a user: 1 to 128 letters, digits and `._~@:|+='-`, the first
            neither
            `.` nor `~`. Compared byte for byte. In a query encode `+` as `%2B`.

    Raises:
        errors.UnexpectedStatus: If the server returns an undocumented status code and Client.raise_on_unexpected_status is True.
        httpx.TimeoutException: If the request takes longer than Client.timeout.

    Returns:
        Problem | StreamTicket
    """

    return (
        await asyncio_detailed(
            user_id=user_id,
            client=client,
        )
    ).parsed
