from enum import StrEnum


class ExportRecordType(StrEnum):
    BLOCK = "block"
    END = "end"
    MESSAGE = "message"
    READMARKER = "readMarker"

    def __str__(self) -> str:
        return str(self.value)
