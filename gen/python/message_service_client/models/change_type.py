from enum import StrEnum


class ChangeType(StrEnum):
    MESSAGE = "message"
    READ = "read"

    def __str__(self) -> str:
        return str(self.value)
