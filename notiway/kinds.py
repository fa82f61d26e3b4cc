"""Kinds: what else applications import to declare kinds and to send notifications with pictures and buttons.

They stand here, and not in `notiway`, which keeps to a dozen names that every application needs.

>>> Action("Track", "/orders/7").method
'get'
"""

from __future__ import annotations

from notiway.values.errors import ActionFailed as ActionFailed
from notiway.values.kinds.action import Action as Action
from notiway.values.kinds.action import Undo as Undo
from notiway.values.kinds.actor import Actor as Actor
from notiway.values.kinds.kind import Category as Category
from notiway.values.kinds.kind import Kind as Kind
