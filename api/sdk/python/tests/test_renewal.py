"""Follows a service that requires authentication with tokens that end meanwhile."""

import base64
import datetime
import hashlib
import hmac
import json
import os
import threading
import time
from uuid import UUID

import pytest
from following import BASE_URL, Follow, both, is_end, service, text_of
from message_service_client import Client
from message_service_client.api.credentials import set_token_revocation
from message_service_client.api.messages import send_message
from message_service_client.changes import ProblemError
from message_service_client.models import Change, SendMessageRequest, SetTokenRevocationRequest

KEY_ID, _, SECRET = os.environ["TOKEN_SECRETS"].partition("=")
LEEWAY = 30  # seconds for which a token is accepted after its end


def mint(user: str, seconds: int) -> str:
    """Returns a user token that expires in some seconds."""

    def encode(data: bytes) -> str:
        return base64.urlsafe_b64encode(data).rstrip(b"=").decode()

    now = int(time.time())
    claims = {"sub": user, "iat": now - 60, "exp": now + seconds, "aud": os.environ["TOKEN_AUDIENCE"]}
    parts = [json.dumps(part).encode() for part in ({"alg": "HS256", "kid": KEY_ID}, claims)]
    signed = ".".join(encode(part) for part in parts)
    return f"{signed}.{encode(hmac.digest(SECRET.encode(), signed.encode(), hashlib.sha256))}"


@both
def test_following_goes_on_with_a_new_token_when_the_old_one_ends(follow: Follow) -> None:
    user = f"u{time.time_ns()}"
    tokens = [mint(user, 3 - LEEWAY), mint(user, 3600), mint(user, 3600)]
    left, ready, sent = list(tokens), list[UUID](), list[str]()
    connected_again = threading.Event()

    def write() -> None:
        with service() as client:
            while not connected_again.is_set():
                sent.append(str(len(sent)))
                send_message.sync(client=client, body=SendMessageRequest(sender="zoe", recipient=user, text=sent[-1]))
            send_message.sync(client=client, body=SendMessageRequest(sender="zoe", recipient=user, text="The end"))

    writing = threading.Thread(target=write)

    def on_ready(cursor: UUID) -> None:
        ready.append(cursor)
        if len(ready) == 1:
            writing.start()
        else:
            connected_again.set()

    followed: list[Change] = []
    follow(user, Client(BASE_URL, token=lambda: left.pop(0)), is_end, followed, on_ready=on_ready)
    writing.join()
    assert [text_of(change) for change in followed] == [*sent, "The end"]
    assert (len(ready), left) == (2, tokens[2:])


@both
def test_following_ends_when_the_tokens_of_a_user_are_revoked_and_there_is_no_newer_one(follow: Follow) -> None:
    user = f"u{time.time_ns()}"
    token, asked = mint(user, 3600), list[str]()

    def source() -> str:
        asked.append(token)
        return token

    def revoke(_: UUID) -> None:
        now = datetime.datetime.now(datetime.UTC)
        with service() as client:
            set_token_revocation.sync(user, client=client, body=SetTokenRevocationRequest(issued_before=now))

    with pytest.raises(ProblemError) as raised:
        follow(user, Client(BASE_URL, token=source), is_end, [], on_ready=revoke)
    assert raised.value.problem.type_ == "urn:problem-type:message-service:credential-revoked"
    assert len(asked) == 2
