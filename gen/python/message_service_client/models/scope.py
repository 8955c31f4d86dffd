from enum import StrEnum


class Scope(StrEnum):
    ADMIN = "admin"
    GROUPSWRITE = "groups:write"
    MESSAGESREAD = "messages:read"
    MESSAGESWRITE = "messages:write"
    TOKENSCREATE = "tokens:create"
    USERSERASE = "users:erase"
    USERSEXPORT = "users:export"

    def __str__(self) -> str:
        return str(self.value)
