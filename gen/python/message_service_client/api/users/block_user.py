from http import HTTPStatus
from typing import Any, cast
from urllib.parse import quote

import httpx

from ...client import AuthenticatedClient, Client
from ...models.problem import Problem
from ...types import Response


def _get_kwargs(
    user_id: str,
    peer_id: str,
) -> dict[str, Any]:

    _kwargs: dict[str, Any] = {
        "method": "put",
        "url": "/v1/users/{user_id}/blocks/{peer_id}".format(
            user_id=quote(str(user_id), safe=""),
            peer_id=quote(str(peer_id), safe=""),
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
    peer_id: str,
    *,
    client: AuthenticatedClient | Client,
) -> Response[Any | Problem]:
    """Block a user

     From the moment this is answered no message from the peer to the user is
    stored: sending one is answered 403. What was written before stays readable:
    the peer may delete their messages, but not edit them. The user may still write
    to the peer. Blocking again changes nothing. Nobody can block themselves (422).

    Args:
        user_id (str): Your id for a user: 1 to 128 letters, digits and `._~@:|+='-`, the first
            neither
            `.` nor `~`. Compared byte for byte. In a query encode `+` as `%2B`.
        peer_id (str): Your id for a user: 1 to 128 letters, digits and `._~@:|+='-`, the first
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
        peer_id=peer_id,
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
) -> Any | Problem | None:
    """Block a user

     From the moment this is answered no message from the peer to the user is
    stored: sending one is answered 403. What was written before stays readable:
    the peer may delete their messages, but not edit them. The user may still write
    to the peer. Blocking again changes nothing. Nobody can block themselves (422).

    Args:
        user_id (str): Your id for a user: 1 to 128 letters, digits and `._~@:|+='-`, the first
            neither
            `.` nor `~`. Compared byte for byte. In a query encode `+` as `%2B`.
        peer_id (str): Your id for a user: 1 to 128 letters, digits and `._~@:|+='-`, the first
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
        peer_id=peer_id,
        client=client,
    ).parsed


async def asyncio_detailed(
    user_id: str,
    peer_id: str,
    *,
    client: AuthenticatedClient | Client,
) -> Response[Any | Problem]:
    """Block a user

     From the moment this is answered no message from the peer to the user is
    stored: sending one is answered 403. What was written before stays readable:
    the peer may delete their messages, but not edit them. The user may still write
    to the peer. Blocking again changes nothing. Nobody can block themselves (422).

    Args:
        user_id (str): Your id for a user: 1 to 128 letters, digits and `._~@:|+='-`, the first
            neither
            `.` nor `~`. Compared byte for byte. In a query encode `+` as `%2B`.
        peer_id (str): Your id for a user: 1 to 128 letters, digits and `._~@:|+='-`, the first
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
        peer_id=peer_id,
    )

    response = await client.get_async_httpx_client().request(**kwargs)

    return _build_response(client=client, response=response)


async def asyncio(
    user_id: str,
    peer_id: str,
    *,
    client: AuthenticatedClient | Client,
) -> Any | Problem | None:
    """Block a user

     From the moment this is answered no message from the peer to the user is
    stored: sending one is answered 403. What was written before stays readable:
    the peer may delete their messages, but not edit them. The user may still write
    to the peer. Blocking again changes nothing. Nobody can block themselves (422).

    Args:
        user_id (str): Your id for a user: 1 to 128 letters, digits and `._~@:|+='-`, the first
            neither
            `.` nor `~`. Compared byte for byte. In a query encode `+` as `%2B`.
        peer_id (str): Your id for a user: 1 to 128 letters, digits and `._~@:|+='-`, the first
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
            peer_id=peer_id,
            client=client,
        )
    ).parsed
