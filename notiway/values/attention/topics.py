"""Topics: what users mute. A declared category, or, for what has none, a source and a type as `billing/success`."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from notiway.values.attention.attention import CHANNELS, Attention
from notiway.values.errors import Fault
from notiway.values.item import TYPES
from notiway.values.kinds.kind import Category
from notiway.values.kinds.registry import Kinds
from notiway.values.text.checks import text_faults

MOST_TOPICS = 100  # that one user may have chosen something for
NAME_LIMIT = 300  # characters: the longest source, and a type
EVERY_CHANNEL = dict.fromkeys(CHANNELS, True)


@dataclass(frozen=True, slots=True)
class Topic:
    """One topic as a user has it."""

    name: str
    label: str
    mutable: bool
    channels: Mapping[str, bool]

    @property
    def is_muted(self) -> bool:
        """Whether it uses no channel: it is in the bell, and nothing else happens."""
        return not any(self.channels.values())


def topic_of(kinds: Kinds, attention: Attention, name: str) -> Topic:
    """What holds for a topic.

    >>> topic_of(Kinds(), Attention(), "billing/success").label
    'billing, success'
    """
    declared = _declared(kinds, name)
    chosen = attention.categories.get(name, {}) if declared.mutable else {}
    return Topic(name, declared.label, declared.mutable, {**declared.channels, **chosen})


def topics(kinds: Kinds, attention: Attention, met: Iterable[str] = ()) -> list[Topic]:
    """The declared topics, those that the user has chosen something for, and those in `met`; by label."""
    names = dict.fromkeys([*(each.name for each in kinds.categories()), *attention.categories, *met])
    found = [topic_of(kinds, attention, name) for name in names]
    return sorted(found, key=lambda topic: (not _is_declared(topic.name), topic.label.casefold()))


def always(kinds: Kinds) -> dict[str, dict[str, bool]]:
    """The names of notifications that nobody mutes, with the channels that they use."""
    found = {}
    for kind in kinds.all():
        if not kinds.may_mute(kind.name):
            category = kinds.category(kind.category) if kind.category else None
            found[kind.name] = EVERY_CHANNEL if category is None else category.channels
    return found


def choice_faults(kinds: Kinds, attention: Attention, given: Mapping[str, object]) -> list[Fault]:
    """Everything that is wrong with what a user wants to choose, each under its path: `categories.orders.toast`."""
    found: list[Fault] = []
    for name, channels in given.items():
        path = f"categories.{name}"
        if wrong := text_faults(path, name, NAME_LIMIT, required=True):
            found += wrong
        elif not isinstance(channels, Mapping):
            found.append(Fault(path, f"must be an object with {', '.join(CHANNELS)}"))
        else:
            found += _channel_faults(path, channels)
            if not found and not (declared := _declared(kinds, name)).mutable:
                off = [channel for channel, flag in channels.items() if declared.channels[channel] and not flag]
                found += [Fault(f"{path}.{channel}", f"cannot be turned off for {declared.label}") for channel in off]
    if not found and len({*attention.categories, *given}) > MOST_TOPICS:
        found.append(Fault("categories", f"must be at most {MOST_TOPICS}"))
    return found


def chosen(
    kinds: Kinds, attention: Attention, given: Mapping[str, Mapping[str, bool]]
) -> dict[str, Mapping[str, bool]]:
    """What the user has chosen with this on top; what is as declared is not kept."""
    kept = dict(attention.categories)
    for name, channels in given.items():
        usual = _declared(kinds, name).channels
        merged = {**kept.pop(name, {}), **channels}
        if differing := {channel: flag for channel, flag in merged.items() if flag != usual[channel]}:
            kept[name] = differing
    return kept


def label_of(name: str) -> str:
    """The words for a topic that nobody declared.

    >>> label_of("/info")
    'Other, info'
    """
    source, _, type = name.rpartition("/")
    return f"{source or 'Other'}, {type}" if type in TYPES else name


def _declared(kinds: Kinds, name: str) -> Category:
    return kinds.category(name) or Category(name, label_of(name))


def _is_declared(name: str) -> bool:
    return "/" not in name  # the names of categories hold none


def _channel_faults(path: str, channels: Mapping[str, object]) -> list[Fault]:
    found = [
        Fault(f"{path}.{channel}", f"is no channel; there are {', '.join(CHANNELS)}")
        for channel in channels
        if channel not in CHANNELS
    ]
    wrong = [channel for channel, flag in channels.items() if not isinstance(flag, bool)]
    return found or [Fault(f"{path}.{channel}", "must be true or false") for channel in wrong]
