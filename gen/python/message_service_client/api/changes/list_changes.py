from http import HTTPStatus
from typing import Any
from urllib.parse import quote
from uuid import UUID

import httpx

from ...client import AuthenticatedClient, Client
from ...models.change_page import ChangePage
from ...models.problem import Problem
from ...types import UNSET, Response, Unset


def _get_kwargs(
    user_id: str,
    *,
    after: UUID | Unset = UNSET,
    last_event_id_query: UUID | Unset = UNSET,
    limit: int | Unset = 100,
    wait: int | Unset = 0,
    ticket: str | Unset = UNSET,
    last_event_id_header: UUID | Unset = UNSET,
) -> dict[str, Any]:
    headers: dict[str, Any] = {}
    if not isinstance(last_event_id_header, Unset):
        headers["Last-Event-ID"] = str(last_event_id_header)

    params: dict[str, Any] = {}

    json_after: str | Unset = UNSET
    if not isinstance(after, Unset):
        json_after = str(after)
    params["after"] = json_after

    json_last_event_id_query: str | Unset = UNSET
    if not isinstance(last_event_id_query, Unset):
        json_last_event_id_query = str(last_event_id_query)
    params["lastEventId"] = json_last_event_id_query

    params["limit"] = limit

    params["wait"] = wait

    params["ticket"] = ticket

    params = {k: v for k, v in params.items() if v is not UNSET and v is not None}

    _kwargs: dict[str, Any] = {
        "method": "get",
        "url": "/v1/users/{user_id}/changes".format(
            user_id=quote(str(user_id), safe=""),
        ),
        "params": params,
    }

    _kwargs["headers"] = headers
    return _kwargs


def _parse_response(
    *, client: AuthenticatedClient | Client, response: httpx.Response
) -> ChangePage | Problem:
    if response.status_code == 200:
        response_200 = ChangePage.from_dict(response.json())

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
) -> Response[ChangePage | Problem]:
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
    after: UUID | Unset = UNSET,
    last_event_id_query: UUID | Unset = UNSET,
    limit: int | Unset = 100,
    wait: int | Unset = 0,
    ticket: str | Unset = UNSET,
    last_event_id_header: UUID | Unset = UNSET,
) -> Response[ChangePage | Problem]:
    """Follow a user's changes

     What has changed for a user, in one order: messages they received or sent, on
    whichever device, and those of their groups, edits, deletions, read markers, their own
    and those of their peers, and changes of their groups and of who is in them. It is
    state, not history: each of these appears once, as it is now, at the place of its
    latest change. An edit that follows while you read brings it again, further on. When a
    user is erased their messages appear as deleted; the markers are gone without a word.
    In a group it begins with the membership; `getConversation` has the group's name.

    Keep the `cursor` of the last change you have dealt with and pass it as `after`:
    you miss nothing and get nothing twice, however long you were away and whichever
    server answers. Without `after` you get no changes but, as `next`, the cursor of
    now; list what there is, and then follow from there. The zero UUID is the beginning.
    A cursor belongs to the feed of one user. One that is ahead of the feed is refused with
    422 and the type `cursor-ahead`: it is another user's, or the store was
    restored from a backup. Begin anew, then.

    **As pages.** Up to `limit` changes, the oldest first. A page may be short, and even
    empty, although there are more: `hasMore` tells, and `next` is where to go on,
    which is further each time. With `wait` an empty page with nothing more after it is
    held until there is a change, or for so many seconds.

    **As a stream**, for `Accept: text/event-stream`
    ([server-sent events](https://html.spec.whatwg.org/multipage/server-sent-events.html)):
    the changes after the cursor, and then each one as it is stored. The
    browser's own `EventSource` reads it and resumes by itself:

    ```js
    const changes = new EventSource('/v1/users/bob/changes');
    changes.addEventListener('ready', (event) => console.log('live from', event.lastEventId));
    changes.addEventListener('message', (event) => console.log(JSON.parse(event.data).message));
    changes.addEventListener('read', (event) => console.log(JSON.parse(event.data).readMarker));
    ```

    The first event is `ready`, with the cursor you start from. Every other has the
    cursor as its `id`, the change's type as its `event`, and the `Change` as its
    `data`; but `typing`, of `setTyping`, is no change, has no `id`, and its `data` is a `Typing`.
    A comment follows every 15 seconds, so a stream that is silent for longer is dead. Whoever does not
    read is cut off, and when the server stops, streams end;
    come back after the milliseconds of the last `retry`, with the last `id` as
    `Last-Event-ID`. (A browser does so after a connection that broke, and not after an
    answer other than 200, such as 429 or 503: open another `EventSource` then.)
    A user may have 10 streams and held requests at a time on each server, and a server has a limit
    for all of them (429).

    Args:
        user_id (str): Your id for a user: 1 to 128 letters, digits and `._~@:|+='-`, the first
            neither
            `.` nor `~`. Compared byte for byte. In a query encode `+` as `%2B`.
        after (UUID | Unset): A place in a feed of changes. Cursors sort in the order of the feed;
            that of a
            new message is its id.
        last_event_id_query (UUID | Unset): A place in a feed of changes. Cursors sort in the
            order of the feed; that of a
            new message is its id.
        limit (int | Unset):  Default: 100.
        wait (int | Unset):  Default: 0.
        ticket (str | Unset): A ticket for the stream of a user. Example:
            mst_uJ4pcK0vH2bqVn7sYt1ZxW9dRfE3aGmL.
        last_event_id_header (UUID | Unset): A place in a feed of changes. Cursors sort in the
            order of the feed; that of a
            new message is its id.

    Raises:
        errors.UnexpectedStatus: If the server returns an undocumented status code and Client.raise_on_unexpected_status is True.
        httpx.TimeoutException: If the request takes longer than Client.timeout.

    Returns:
        Response[ChangePage | Problem]
    """

    kwargs = _get_kwargs(
        user_id=user_id,
        after=after,
        last_event_id_query=last_event_id_query,
        limit=limit,
        wait=wait,
        ticket=ticket,
        last_event_id_header=last_event_id_header,
    )

    response = client.get_httpx_client().request(
        **kwargs,
    )

    return _build_response(client=client, response=response)


def sync(
    user_id: str,
    *,
    client: AuthenticatedClient | Client,
    after: UUID | Unset = UNSET,
    last_event_id_query: UUID | Unset = UNSET,
    limit: int | Unset = 100,
    wait: int | Unset = 0,
    ticket: str | Unset = UNSET,
    last_event_id_header: UUID | Unset = UNSET,
) -> ChangePage | Problem | None:
    """Follow a user's changes

     What has changed for a user, in one order: messages they received or sent, on
    whichever device, and those of their groups, edits, deletions, read markers, their own
    and those of their peers, and changes of their groups and of who is in them. It is
    state, not history: each of these appears once, as it is now, at the place of its
    latest change. An edit that follows while you read brings it again, further on. When a
    user is erased their messages appear as deleted; the markers are gone without a word.
    In a group it begins with the membership; `getConversation` has the group's name.

    Keep the `cursor` of the last change you have dealt with and pass it as `after`:
    you miss nothing and get nothing twice, however long you were away and whichever
    server answers. Without `after` you get no changes but, as `next`, the cursor of
    now; list what there is, and then follow from there. The zero UUID is the beginning.
    A cursor belongs to the feed of one user. One that is ahead of the feed is refused with
    422 and the type `cursor-ahead`: it is another user's, or the store was
    restored from a backup. Begin anew, then.

    **As pages.** Up to `limit` changes, the oldest first. A page may be short, and even
    empty, although there are more: `hasMore` tells, and `next` is where to go on,
    which is further each time. With `wait` an empty page with nothing more after it is
    held until there is a change, or for so many seconds.

    **As a stream**, for `Accept: text/event-stream`
    ([server-sent events](https://html.spec.whatwg.org/multipage/server-sent-events.html)):
    the changes after the cursor, and then each one as it is stored. The
    browser's own `EventSource` reads it and resumes by itself:

    ```js
    const changes = new EventSource('/v1/users/bob/changes');
    changes.addEventListener('ready', (event) => console.log('live from', event.lastEventId));
    changes.addEventListener('message', (event) => console.log(JSON.parse(event.data).message));
    changes.addEventListener('read', (event) => console.log(JSON.parse(event.data).readMarker));
    ```

    The first event is `ready`, with the cursor you start from. Every other has the
    cursor as its `id`, the change's type as its `event`, and the `Change` as its
    `data`; but `typing`, of `setTyping`, is no change, has no `id`, and its `data` is a `Typing`.
    A comment follows every 15 seconds, so a stream that is silent for longer is dead. Whoever does not
    read is cut off, and when the server stops, streams end;
    come back after the milliseconds of the last `retry`, with the last `id` as
    `Last-Event-ID`. (A browser does so after a connection that broke, and not after an
    answer other than 200, such as 429 or 503: open another `EventSource` then.)
    A user may have 10 streams and held requests at a time on each server, and a server has a limit
    for all of them (429).

    Args:
        user_id (str): Your id for a user: 1 to 128 letters, digits and `._~@:|+='-`, the first
            neither
            `.` nor `~`. Compared byte for byte. In a query encode `+` as `%2B`.
        after (UUID | Unset): A place in a feed of changes. Cursors sort in the order of the feed;
            that of a
            new message is its id.
        last_event_id_query (UUID | Unset): A place in a feed of changes. Cursors sort in the
            order of the feed; that of a
            new message is its id.
        limit (int | Unset):  Default: 100.
        wait (int | Unset):  Default: 0.
        ticket (str | Unset): A ticket for the stream of a user. Example:
            mst_uJ4pcK0vH2bqVn7sYt1ZxW9dRfE3aGmL.
        last_event_id_header (UUID | Unset): A place in a feed of changes. Cursors sort in the
            order of the feed; that of a
            new message is its id.

    Raises:
        errors.UnexpectedStatus: If the server returns an undocumented status code and Client.raise_on_unexpected_status is True.
        httpx.TimeoutException: If the request takes longer than Client.timeout.

    Returns:
        ChangePage | Problem
    """

    return sync_detailed(
        user_id=user_id,
        client=client,
        after=after,
        last_event_id_query=last_event_id_query,
        limit=limit,
        wait=wait,
        ticket=ticket,
        last_event_id_header=last_event_id_header,
    ).parsed


async def asyncio_detailed(
    user_id: str,
    *,
    client: AuthenticatedClient | Client,
    after: UUID | Unset = UNSET,
    last_event_id_query: UUID | Unset = UNSET,
    limit: int | Unset = 100,
    wait: int | Unset = 0,
    ticket: str | Unset = UNSET,
    last_event_id_header: UUID | Unset = UNSET,
) -> Response[ChangePage | Problem]:
    """Follow a user's changes

     What has changed for a user, in one order: messages they received or sent, on
    whichever device, and those of their groups, edits, deletions, read markers, their own
    and those of their peers, and changes of their groups and of who is in them. It is
    state, not history: each of these appears once, as it is now, at the place of its
    latest change. An edit that follows while you read brings it again, further on. When a
    user is erased their messages appear as deleted; the markers are gone without a word.
    In a group it begins with the membership; `getConversation` has the group's name.

    Keep the `cursor` of the last change you have dealt with and pass it as `after`:
    you miss nothing and get nothing twice, however long you were away and whichever
    server answers. Without `after` you get no changes but, as `next`, the cursor of
    now; list what there is, and then follow from there. The zero UUID is the beginning.
    A cursor belongs to the feed of one user. One that is ahead of the feed is refused with
    422 and the type `cursor-ahead`: it is another user's, or the store was
    restored from a backup. Begin anew, then.

    **As pages.** Up to `limit` changes, the oldest first. A page may be short, and even
    empty, although there are more: `hasMore` tells, and `next` is where to go on,
    which is further each time. With `wait` an empty page with nothing more after it is
    held until there is a change, or for so many seconds.

    **As a stream**, for `Accept: text/event-stream`
    ([server-sent events](https://html.spec.whatwg.org/multipage/server-sent-events.html)):
    the changes after the cursor, and then each one as it is stored. The
    browser's own `EventSource` reads it and resumes by itself:

    ```js
    const changes = new EventSource('/v1/users/bob/changes');
    changes.addEventListener('ready', (event) => console.log('live from', event.lastEventId));
    changes.addEventListener('message', (event) => console.log(JSON.parse(event.data).message));
    changes.addEventListener('read', (event) => console.log(JSON.parse(event.data).readMarker));
    ```

    The first event is `ready`, with the cursor you start from. Every other has the
    cursor as its `id`, the change's type as its `event`, and the `Change` as its
    `data`; but `typing`, of `setTyping`, is no change, has no `id`, and its `data` is a `Typing`.
    A comment follows every 15 seconds, so a stream that is silent for longer is dead. Whoever does not
    read is cut off, and when the server stops, streams end;
    come back after the milliseconds of the last `retry`, with the last `id` as
    `Last-Event-ID`. (A browser does so after a connection that broke, and not after an
    answer other than 200, such as 429 or 503: open another `EventSource` then.)
    A user may have 10 streams and held requests at a time on each server, and a server has a limit
    for all of them (429).

    Args:
        user_id (str): Your id for a user: 1 to 128 letters, digits and `._~@:|+='-`, the first
            neither
            `.` nor `~`. Compared byte for byte. In a query encode `+` as `%2B`.
        after (UUID | Unset): A place in a feed of changes. Cursors sort in the order of the feed;
            that of a
            new message is its id.
        last_event_id_query (UUID | Unset): A place in a feed of changes. Cursors sort in the
            order of the feed; that of a
            new message is its id.
        limit (int | Unset):  Default: 100.
        wait (int | Unset):  Default: 0.
        ticket (str | Unset): A ticket for the stream of a user. Example:
            mst_uJ4pcK0vH2bqVn7sYt1ZxW9dRfE3aGmL.
        last_event_id_header (UUID | Unset): A place in a feed of changes. Cursors sort in the
            order of the feed; that of a
            new message is its id.

    Raises:
        errors.UnexpectedStatus: If the server returns an undocumented status code and Client.raise_on_unexpected_status is True.
        httpx.TimeoutException: If the request takes longer than Client.timeout.

    Returns:
        Response[ChangePage | Problem]
    """

    kwargs = _get_kwargs(
        user_id=user_id,
        after=after,
        last_event_id_query=last_event_id_query,
        limit=limit,
        wait=wait,
        ticket=ticket,
        last_event_id_header=last_event_id_header,
    )

    response = await client.get_async_httpx_client().request(**kwargs)

    return _build_response(client=client, response=response)


async def asyncio(
    user_id: str,
    *,
    client: AuthenticatedClient | Client,
    after: UUID | Unset = UNSET,
    last_event_id_query: UUID | Unset = UNSET,
    limit: int | Unset = 100,
    wait: int | Unset = 0,
    ticket: str | Unset = UNSET,
    last_event_id_header: UUID | Unset = UNSET,
) -> ChangePage | Problem | None:
    """Follow a user's changes

     What has changed for a user, in one order: messages they received or sent, on
    whichever device, and those of their groups, edits, deletions, read markers, their own
    and those of their peers, and changes of their groups and of who is in them. It is
    state, not history: each of these appears once, as it is now, at the place of its
    latest change. An edit that follows while you read brings it again, further on. When a
    user is erased their messages appear as deleted; the markers are gone without a word.
    In a group it begins with the membership; `getConversation` has the group's name.

    Keep the `cursor` of the last change you have dealt with and pass it as `after`:
    you miss nothing and get nothing twice, however long you were away and whichever
    server answers. Without `after` you get no changes but, as `next`, the cursor of
    now; list what there is, and then follow from there. The zero UUID is the beginning.
    A cursor belongs to the feed of one user. One that is ahead of the feed is refused with
    422 and the type `cursor-ahead`: it is another user's, or the store was
    restored from a backup. Begin anew, then.

    **As pages.** Up to `limit` changes, the oldest first. A page may be short, and even
    empty, although there are more: `hasMore` tells, and `next` is where to go on,
    which is further each time. With `wait` an empty page with nothing more after it is
    held until there is a change, or for so many seconds.

    **As a stream**, for `Accept: text/event-stream`
    ([server-sent events](https://html.spec.whatwg.org/multipage/server-sent-events.html)):
    the changes after the cursor, and then each one as it is stored. The
    browser's own `EventSource` reads it and resumes by itself:

    ```js
    const changes = new EventSource('/v1/users/bob/changes');
    changes.addEventListener('ready', (event) => console.log('live from', event.lastEventId));
    changes.addEventListener('message', (event) => console.log(JSON.parse(event.data).message));
    changes.addEventListener('read', (event) => console.log(JSON.parse(event.data).readMarker));
    ```

    The first event is `ready`, with the cursor you start from. Every other has the
    cursor as its `id`, the change's type as its `event`, and the `Change` as its
    `data`; but `typing`, of `setTyping`, is no change, has no `id`, and its `data` is a `Typing`.
    A comment follows every 15 seconds, so a stream that is silent for longer is dead. Whoever does not
    read is cut off, and when the server stops, streams end;
    come back after the milliseconds of the last `retry`, with the last `id` as
    `Last-Event-ID`. (A browser does so after a connection that broke, and not after an
    answer other than 200, such as 429 or 503: open another `EventSource` then.)
    A user may have 10 streams and held requests at a time on each server, and a server has a limit
    for all of them (429).

    Args:
        user_id (str): Your id for a user: 1 to 128 letters, digits and `._~@:|+='-`, the first
            neither
            `.` nor `~`. Compared byte for byte. In a query encode `+` as `%2B`.
        after (UUID | Unset): A place in a feed of changes. Cursors sort in the order of the feed;
            that of a
            new message is its id.
        last_event_id_query (UUID | Unset): A place in a feed of changes. Cursors sort in the
            order of the feed; that of a
            new message is its id.
        limit (int | Unset):  Default: 100.
        wait (int | Unset):  Default: 0.
        ticket (str | Unset): A ticket for the stream of a user. Example:
            mst_uJ4pcK0vH2bqVn7sYt1ZxW9dRfE3aGmL.
        last_event_id_header (UUID | Unset): A place in a feed of changes. Cursors sort in the
            order of the feed; that of a
            new message is its id.

    Raises:
        errors.UnexpectedStatus: If the server returns an undocumented status code and Client.raise_on_unexpected_status is True.
        httpx.TimeoutException: If the request takes longer than Client.timeout.

    Returns:
        ChangePage | Problem
    """

    return (
        await asyncio_detailed(
            user_id=user_id,
            client=client,
            after=after,
            last_event_id_query=last_event_id_query,
            limit=limit,
            wait=wait,
            ticket=ticket,
            last_event_id_header=last_event_id_header,
        )
    ).parsed
