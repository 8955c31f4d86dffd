"""Contains all the data models used in inputs/outputs"""

from .add_group_members_request import AddGroupMembersRequest
from .added_member import AddedMember
from .added_members import AddedMembers
from .block import Block
from .block_page import BlockPage
from .change import Change
from .change_page import ChangePage
from .conversation import Conversation
from .conversation_group import ConversationGroup
from .conversation_page import ConversationPage
from .create_group_request import CreateGroupRequest
from .create_key_request import CreateKeyRequest
from .create_token_request import CreateTokenRequest
from .created_key import CreatedKey
from .created_token import CreatedToken
from .edit_message_request import EditMessageRequest
from .export_record import ExportRecord
from .export_record_conversation import ExportRecordConversation
from .export_record_erasure import ExportRecordErasure
from .export_record_mailbox import ExportRecordMailbox
from .field_error import FieldError
from .group import Group
from .highlight import Highlight
from .key import Key
from .key_list import KeyList
from .limits import Limits
from .membership import Membership
from .membership_page import MembershipPage
from .message import Message
from .message_page import MessagePage
from .metadata import Metadata
from .new_metadata import NewMetadata
from .problem import Problem
from .rate_limit import RateLimit
from .read_marker import ReadMarker
from .readers import Readers
from .scope import Scope
from .send_message_request import SendMessageRequest
from .set_group_member_request import SetGroupMemberRequest
from .set_read_marker_request import SetReadMarkerRequest
from .set_token_revocation_request import SetTokenRevocationRequest
from .status import Status
from .stream_ticket import StreamTicket
from .token_revocation import TokenRevocation
from .typing import Typing
from .unread import Unread
from .update_conversation_request import UpdateConversationRequest
from .update_group_request import UpdateGroupRequest
from .update_group_request_metadata_type_0 import UpdateGroupRequestMetadataType0

__all__ = (
    "AddGroupMembersRequest",
    "AddedMember",
    "AddedMembers",
    "Block",
    "BlockPage",
    "Change",
    "ChangePage",
    "Conversation",
    "ConversationGroup",
    "ConversationPage",
    "CreateGroupRequest",
    "CreateKeyRequest",
    "CreateTokenRequest",
    "CreatedKey",
    "CreatedToken",
    "EditMessageRequest",
    "ExportRecord",
    "ExportRecordConversation",
    "ExportRecordErasure",
    "ExportRecordMailbox",
    "FieldError",
    "Group",
    "Highlight",
    "Key",
    "KeyList",
    "Limits",
    "Membership",
    "MembershipPage",
    "Message",
    "MessagePage",
    "Metadata",
    "NewMetadata",
    "Problem",
    "RateLimit",
    "ReadMarker",
    "Readers",
    "Scope",
    "SendMessageRequest",
    "SetGroupMemberRequest",
    "SetReadMarkerRequest",
    "SetTokenRevocationRequest",
    "Status",
    "StreamTicket",
    "TokenRevocation",
    "Typing",
    "Unread",
    "UpdateConversationRequest",
    "UpdateGroupRequest",
    "UpdateGroupRequestMetadataType0",
)
