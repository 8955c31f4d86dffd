"""Contains all the data models used in inputs/outputs"""

from .block import Block
from .block_page import BlockPage
from .change import Change
from .change_page import ChangePage
from .change_type import ChangeType
from .conversation import Conversation
from .conversation_page import ConversationPage
from .edit_message_request import EditMessageRequest
from .export_record import ExportRecord
from .export_record_type import ExportRecordType
from .field_error import FieldError
from .limits import Limits
from .message import Message
from .message_page import MessagePage
from .metadata import Metadata
from .new_metadata import NewMetadata
from .problem import Problem
from .read_marker import ReadMarker
from .send_message_request import SendMessageRequest
from .set_read_marker_request import SetReadMarkerRequest

__all__ = (
    "Block",
    "BlockPage",
    "Change",
    "ChangePage",
    "ChangeType",
    "Conversation",
    "ConversationPage",
    "EditMessageRequest",
    "ExportRecord",
    "ExportRecordType",
    "FieldError",
    "Limits",
    "Message",
    "MessagePage",
    "Metadata",
    "NewMetadata",
    "Problem",
    "ReadMarker",
    "SendMessageRequest",
    "SetReadMarkerRequest",
)
