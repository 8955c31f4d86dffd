"""Contains all the data models used in inputs/outputs"""

from .block import Block
from .block_page import BlockPage
from .change import Change
from .change_page import ChangePage
from .conversation import Conversation
from .conversation_page import ConversationPage
from .edit_message_request import EditMessageRequest
from .export_record import ExportRecord
from .field_error import FieldError
from .highlight import Highlight
from .limits import Limits
from .message import Message
from .message_page import MessagePage
from .metadata import Metadata
from .new_metadata import NewMetadata
from .problem import Problem
from .read_marker import ReadMarker
from .send_message_request import SendMessageRequest
from .set_read_marker_request import SetReadMarkerRequest
from .status import Status

__all__ = (
    "Block",
    "BlockPage",
    "Change",
    "ChangePage",
    "Conversation",
    "ConversationPage",
    "EditMessageRequest",
    "ExportRecord",
    "FieldError",
    "Highlight",
    "Limits",
    "Message",
    "MessagePage",
    "Metadata",
    "NewMetadata",
    "Problem",
    "ReadMarker",
    "SendMessageRequest",
    "SetReadMarkerRequest",
    "Status",
)
