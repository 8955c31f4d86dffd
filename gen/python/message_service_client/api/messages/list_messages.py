import datetime
from http import HTTPStatus
from typing import Any
from uuid import UUID

import httpx

from ...client import AuthenticatedClient, Client
from ...models.message_page import MessagePage
from ...models.problem import Problem
from ...types import UNSET, Response, Unset


def _get_kwargs(
    *,
    recipient: str | Unset = UNSET,
    sender: str | Unset = UNSET,
    q: str | Unset = UNSET,
    highlight: bool | Unset = False,
    since: datetime.datetime | Unset = UNSET,
    until: datetime.datetime | Unset = UNSET,
    before: UUID | Unset = UNSET,
    after: UUID | Unset = UNSET,
    limit: int | Unset = 100,
) -> dict[str, Any]:

    params: dict[str, Any] = {}

    params["recipient"] = recipient

    params["sender"] = sender

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
        "url": "/v1/messages",
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
    *,
    client: AuthenticatedClient | Client,
    recipient: str | Unset = UNSET,
    sender: str | Unset = UNSET,
    q: str | Unset = UNSET,
    highlight: bool | Unset = False,
    since: datetime.datetime | Unset = UNSET,
    until: datetime.datetime | Unset = UNSET,
    before: UUID | Unset = UNSET,
    after: UUID | Unset = UNSET,
    limit: int | Unset = 100,
) -> Response[MessagePage | Problem]:
    """List or search messages

     Messages to a recipient, from a sender, from one to the other, or of everyone,
    newest first: at most `limit` of them. A user token lists those to or from its user (403 otherwise),
    or to a group of
    which that user is a member (404 otherwise); those of a sender alone are the ones sent to users.
    Without `since`, `before`, `after` and `q`
    they are those of the last 30 days. Deleted messages are left out.

    To walk back in time, pass the `next` of a page as `before`, or follow the
    `Link` header. To catch up, pass the id of the newest message you have as
    `after`: you get the ones directly newer (still newest first), and while
    `hasMore` is true there are still newer ones: go on with `next` as `after`, or
    follow the `Link` header.

    To search, pass words as `q`, with a `recipient` or a `sender` (422 without). To search in all that
    a user can see, use `searchMessages`. A search finds messages of any age. Its page may be short,
    even empty,
    while `hasMore` is true, when many messages had to be looked at: go on.

    In a list with a `recipient` or a `sender`, a message never appears below one
    that could already be read, so whoever catches up misses nothing. The list of
    everyone has no such order between strangers: use it to look around, not to
    follow.

    Args:
        recipient (str | Unset): To whom messages go: a user, by their id, or a group, by its
            address: `bob`, `~team-1`. No user id begins with
            `~`. In a shell quote the address of a group, `'~team-1'`; in a query encode `+` as `%2B`.
        sender (str | Unset): Your id for a user: 1 to 128 letters, digits and `._~@:|+='-`, the
            first neither
            `.` nor `~`. Compared byte for byte. In a query encode `+` as `%2B`.
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
        recipient=recipient,
        sender=sender,
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
    *,
    client: AuthenticatedClient | Client,
    recipient: str | Unset = UNSET,
    sender: str | Unset = UNSET,
    q: str | Unset = UNSET,
    highlight: bool | Unset = False,
    since: datetime.datetime | Unset = UNSET,
    until: datetime.datetime | Unset = UNSET,
    before: UUID | Unset = UNSET,
    after: UUID | Unset = UNSET,
    limit: int | Unset = 100,
) -> MessagePage | Problem | None:
    """List or search messages

     Messages to a recipient, from a sender, from one to the other, or of everyone,
    newest first: at most `limit` of them. A user token lists those to or from its user (403 otherwise),
    or to a group of
    which that user is a member (404 otherwise); those of a sender alone are the ones sent to users.
    Without `since`, `before`, `after` and `q`
    they are those of the last 30 days. Deleted messages are left out.

    To walk back in time, pass the `next` of a page as `before`, or follow the
    `Link` header. To catch up, pass the id of the newest message you have as
    `after`: you get the ones directly newer (still newest first), and while
    `hasMore` is true there are still newer ones: go on with `next` as `after`, or
    follow the `Link` header.

    To search, pass words as `q`, with a `recipient` or a `sender` (422 without). To search in all that
    a user can see, use `searchMessages`. A search finds messages of any age. Its page may be short,
    even empty,
    while `hasMore` is true, when many messages had to be looked at: go on.

    In a list with a `recipient` or a `sender`, a message never appears below one
    that could already be read, so whoever catches up misses nothing. The list of
    everyone has no such order between strangers: use it to look around, not to
    follow.

    Args:
        recipient (str | Unset): To whom messages go: a user, by their id, or a group, by its
            address: `bob`, `~team-1`. No user id begins with
            `~`. In a shell quote the address of a group, `'~team-1'`; in a query encode `+` as `%2B`.
        sender (str | Unset): Your id for a user: 1 to 128 letters, digits and `._~@:|+='-`, the
            first neither
            `.` nor `~`. Compared byte for byte. In a query encode `+` as `%2B`.
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
        client=client,
        recipient=recipient,
        sender=sender,
        q=q,
        highlight=highlight,
        since=since,
        until=until,
        before=before,
        after=after,
        limit=limit,
    ).parsed


async def asyncio_detailed(
    *,
    client: AuthenticatedClient | Client,
    recipient: str | Unset = UNSET,
    sender: str | Unset = UNSET,
    q: str | Unset = UNSET,
    highlight: bool | Unset = False,
    since: datetime.datetime | Unset = UNSET,
    until: datetime.datetime | Unset = UNSET,
    before: UUID | Unset = UNSET,
    after: UUID | Unset = UNSET,
    limit: int | Unset = 100,
) -> Response[MessagePage | Problem]:
    """List or search messages

     Messages to a recipient, from a sender, from one to the other, or of everyone,
    newest first: at most `limit` of them. A user token lists those to or from its user (403 otherwise),
    or to a group of
    which that user is a member (404 otherwise); those of a sender alone are the ones sent to users.
    Without `since`, `before`, `after` and `q`
    they are those of the last 30 days. Deleted messages are left out.

    To walk back in time, pass the `next` of a page as `before`, or follow the
    `Link` header. To catch up, pass the id of the newest message you have as
    `after`: you get the ones directly newer (still newest first), and while
    `hasMore` is true there are still newer ones: go on with `next` as `after`, or
    follow the `Link` header.

    To search, pass words as `q`, with a `recipient` or a `sender` (422 without). To search in all that
    a user can see, use `searchMessages`. A search finds messages of any age. Its page may be short,
    even empty,
    while `hasMore` is true, when many messages had to be looked at: go on.

    In a list with a `recipient` or a `sender`, a message never appears below one
    that could already be read, so whoever catches up misses nothing. The list of
    everyone has no such order between strangers: use it to look around, not to
    follow.

    Args:
        recipient (str | Unset): To whom messages go: a user, by their id, or a group, by its
            address: `bob`, `~team-1`. No user id begins with
            `~`. In a shell quote the address of a group, `'~team-1'`; in a query encode `+` as `%2B`.
        sender (str | Unset): Your id for a user: 1 to 128 letters, digits and `._~@:|+='-`, the
            first neither
            `.` nor `~`. Compared byte for byte. In a query encode `+` as `%2B`.
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
        recipient=recipient,
        sender=sender,
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
    *,
    client: AuthenticatedClient | Client,
    recipient: str | Unset = UNSET,
    sender: str | Unset = UNSET,
    q: str | Unset = UNSET,
    highlight: bool | Unset = False,
    since: datetime.datetime | Unset = UNSET,
    until: datetime.datetime | Unset = UNSET,
    before: UUID | Unset = UNSET,
    after: UUID | Unset = UNSET,
    limit: int | Unset = 100,
) -> MessagePage | Problem | None:
    """List or search messages

     Messages to a recipient, from a sender, from one to the other, or of everyone,
    newest first: at most `limit` of them. A user token lists those to or from its user (403 otherwise),
    or to a group of
    which that user is a member (404 otherwise); those of a sender alone are the ones sent to users.
    Without `since`, `before`, `after` and `q`
    they are those of the last 30 days. Deleted messages are left out.

    To walk back in time, pass the `next` of a page as `before`, or follow the
    `Link` header. To catch up, pass the id of the newest message you have as
    `after`: you get the ones directly newer (still newest first), and while
    `hasMore` is true there are still newer ones: go on with `next` as `after`, or
    follow the `Link` header.

    To search, pass words as `q`, with a `recipient` or a `sender` (422 without). To search in all that
    a user can see, use `searchMessages`. A search finds messages of any age. Its page may be short,
    even empty,
    while `hasMore` is true, when many messages had to be looked at: go on.

    In a list with a `recipient` or a `sender`, a message never appears below one
    that could already be read, so whoever catches up misses nothing. The list of
    everyone has no such order between strangers: use it to look around, not to
    follow.

    Args:
        recipient (str | Unset): To whom messages go: a user, by their id, or a group, by its
            address: `bob`, `~team-1`. No user id begins with
            `~`. In a shell quote the address of a group, `'~team-1'`; in a query encode `+` as `%2B`.
        sender (str | Unset): Your id for a user: 1 to 128 letters, digits and `._~@:|+='-`, the
            first neither
            `.` nor `~`. Compared byte for byte. In a query encode `+` as `%2B`.
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
            client=client,
            recipient=recipient,
            sender=sender,
            q=q,
            highlight=highlight,
            since=since,
            until=until,
            before=before,
            after=after,
            limit=limit,
        )
    ).parsed
