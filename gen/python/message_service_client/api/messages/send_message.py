from http import HTTPStatus
from typing import Any

import httpx

from ...client import AuthenticatedClient, Client
from ...models.message import Message
from ...models.problem import Problem
from ...models.send_message_request import SendMessageRequest
from ...types import UNSET, Response, Unset


def _get_kwargs(
    *,
    body: SendMessageRequest,
    idempotency_key: str | Unset = UNSET,
) -> dict[str, Any]:
    headers: dict[str, Any] = {}
    if not isinstance(idempotency_key, Unset):
        headers["Idempotency-Key"] = idempotency_key

    _kwargs: dict[str, Any] = {
        "method": "post",
        "url": "/v1/messages",
    }

    _kwargs["json"] = body.to_dict()

    headers["Content-Type"] = "application/json"

    _kwargs["headers"] = headers
    return _kwargs


def _parse_response(
    *, client: AuthenticatedClient | Client, response: httpx.Response
) -> Message | Problem:
    if response.status_code == 201:
        response_201 = Message.from_dict(response.json())

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

    if response.status_code == 404:
        response_404 = Problem.from_dict(response.json())

        return response_404

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
) -> Response[Message | Problem]:
    return Response(
        status_code=HTTPStatus(response.status_code),
        content=response.content,
        headers=response.headers,
        parsed=_parse_response(client=client, response=response),
    )


def sync_detailed(
    *,
    client: AuthenticatedClient | Client,
    body: SendMessageRequest,
    idempotency_key: str | Unset = UNSET,
) -> Response[Message | Problem]:
    """Send a message

     Sends `text` from one user to another (or to themselves), or to a group of which
    the sender is a member, and answers with the
    stored message. A 201 means that the message is on disk and that everyone who
    reads the recipient's messages from now on sees it.

    `replyTo` makes it a reply to an earlier message of the two, in either
    direction, or of the group.

    With an `Idempotency-Key` a request may be repeated safely: a repetition
    answers with the message the first request made, as it is now, and with
    `Idempotent-Replayed: true`. Keys are scoped to one sender and one recipient and
    are remembered for good. The same key with a different body is refused with
    422, also once the message is deleted; the order of properties and white space
    make no difference. A repetition after the deletion is answered with what is
    left, an empty `text` and `deletedAt`. Only `eraseUser` forgets keys.

    A message to a user who has blocked the sender is refused
    with 403, and one to or by a user who is being erased with 409. In groups blocks
    do not count.

    A 503 means that the message may not have been stored: try again, with the
    same key, after the seconds in `Retry-After`.

    Args:
        idempotency_key (str | Unset):
        body (SendMessageRequest): A message to be sent.

    Raises:
        errors.UnexpectedStatus: If the server returns an undocumented status code and Client.raise_on_unexpected_status is True.
        httpx.TimeoutException: If the request takes longer than Client.timeout.

    Returns:
        Response[Message | Problem]
    """

    kwargs = _get_kwargs(
        body=body,
        idempotency_key=idempotency_key,
    )

    response = client.get_httpx_client().request(
        **kwargs,
    )

    return _build_response(client=client, response=response)


def sync(
    *,
    client: AuthenticatedClient | Client,
    body: SendMessageRequest,
    idempotency_key: str | Unset = UNSET,
) -> Message | Problem | None:
    """Send a message

     Sends `text` from one user to another (or to themselves), or to a group of which
    the sender is a member, and answers with the
    stored message. A 201 means that the message is on disk and that everyone who
    reads the recipient's messages from now on sees it.

    `replyTo` makes it a reply to an earlier message of the two, in either
    direction, or of the group.

    With an `Idempotency-Key` a request may be repeated safely: a repetition
    answers with the message the first request made, as it is now, and with
    `Idempotent-Replayed: true`. Keys are scoped to one sender and one recipient and
    are remembered for good. The same key with a different body is refused with
    422, also once the message is deleted; the order of properties and white space
    make no difference. A repetition after the deletion is answered with what is
    left, an empty `text` and `deletedAt`. Only `eraseUser` forgets keys.

    A message to a user who has blocked the sender is refused
    with 403, and one to or by a user who is being erased with 409. In groups blocks
    do not count.

    A 503 means that the message may not have been stored: try again, with the
    same key, after the seconds in `Retry-After`.

    Args:
        idempotency_key (str | Unset):
        body (SendMessageRequest): A message to be sent.

    Raises:
        errors.UnexpectedStatus: If the server returns an undocumented status code and Client.raise_on_unexpected_status is True.
        httpx.TimeoutException: If the request takes longer than Client.timeout.

    Returns:
        Message | Problem
    """

    return sync_detailed(
        client=client,
        body=body,
        idempotency_key=idempotency_key,
    ).parsed


async def asyncio_detailed(
    *,
    client: AuthenticatedClient | Client,
    body: SendMessageRequest,
    idempotency_key: str | Unset = UNSET,
) -> Response[Message | Problem]:
    """Send a message

     Sends `text` from one user to another (or to themselves), or to a group of which
    the sender is a member, and answers with the
    stored message. A 201 means that the message is on disk and that everyone who
    reads the recipient's messages from now on sees it.

    `replyTo` makes it a reply to an earlier message of the two, in either
    direction, or of the group.

    With an `Idempotency-Key` a request may be repeated safely: a repetition
    answers with the message the first request made, as it is now, and with
    `Idempotent-Replayed: true`. Keys are scoped to one sender and one recipient and
    are remembered for good. The same key with a different body is refused with
    422, also once the message is deleted; the order of properties and white space
    make no difference. A repetition after the deletion is answered with what is
    left, an empty `text` and `deletedAt`. Only `eraseUser` forgets keys.

    A message to a user who has blocked the sender is refused
    with 403, and one to or by a user who is being erased with 409. In groups blocks
    do not count.

    A 503 means that the message may not have been stored: try again, with the
    same key, after the seconds in `Retry-After`.

    Args:
        idempotency_key (str | Unset):
        body (SendMessageRequest): A message to be sent.

    Raises:
        errors.UnexpectedStatus: If the server returns an undocumented status code and Client.raise_on_unexpected_status is True.
        httpx.TimeoutException: If the request takes longer than Client.timeout.

    Returns:
        Response[Message | Problem]
    """

    kwargs = _get_kwargs(
        body=body,
        idempotency_key=idempotency_key,
    )

    response = await client.get_async_httpx_client().request(**kwargs)

    return _build_response(client=client, response=response)


async def asyncio(
    *,
    client: AuthenticatedClient | Client,
    body: SendMessageRequest,
    idempotency_key: str | Unset = UNSET,
) -> Message | Problem | None:
    """Send a message

     Sends `text` from one user to another (or to themselves), or to a group of which
    the sender is a member, and answers with the
    stored message. A 201 means that the message is on disk and that everyone who
    reads the recipient's messages from now on sees it.

    `replyTo` makes it a reply to an earlier message of the two, in either
    direction, or of the group.

    With an `Idempotency-Key` a request may be repeated safely: a repetition
    answers with the message the first request made, as it is now, and with
    `Idempotent-Replayed: true`. Keys are scoped to one sender and one recipient and
    are remembered for good. The same key with a different body is refused with
    422, also once the message is deleted; the order of properties and white space
    make no difference. A repetition after the deletion is answered with what is
    left, an empty `text` and `deletedAt`. Only `eraseUser` forgets keys.

    A message to a user who has blocked the sender is refused
    with 403, and one to or by a user who is being erased with 409. In groups blocks
    do not count.

    A 503 means that the message may not have been stored: try again, with the
    same key, after the seconds in `Retry-After`.

    Args:
        idempotency_key (str | Unset):
        body (SendMessageRequest): A message to be sent.

    Raises:
        errors.UnexpectedStatus: If the server returns an undocumented status code and Client.raise_on_unexpected_status is True.
        httpx.TimeoutException: If the request takes longer than Client.timeout.

    Returns:
        Message | Problem
    """

    return (
        await asyncio_detailed(
            client=client,
            body=body,
            idempotency_key=idempotency_key,
        )
    ).parsed
