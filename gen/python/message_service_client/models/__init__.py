"""Contains all the data models used in inputs/outputs"""

from .field_error import FieldError
from .limits import Limits
from .message import Message
from .message_page import MessagePage
from .metadata import Metadata
from .problem import Problem
from .send_message_request import SendMessageRequest

__all__ = (
    "FieldError",
    "Limits",
    "Message",
    "MessagePage",
    "Metadata",
    "Problem",
    "SendMessageRequest",
)
