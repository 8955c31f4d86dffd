import pytest


@pytest.fixture
def waits(monkeypatch: pytest.MonkeyPatch) -> list[float]:
    """Makes waits for the next attempt end at once, and records their seconds."""
    waits: list[float] = []

    async def sleep(seconds: float) -> None:
        waits.append(seconds)

    monkeypatch.setattr("message_service_client.changes.time.sleep", waits.append)
    monkeypatch.setattr("message_service_client.changes.anyio.sleep", sleep)
    return waits
