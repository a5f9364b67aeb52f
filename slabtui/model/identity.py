"""The identity of what a row is about: one key from its first sight to its end."""

import enum
from typing import NamedTuple

_MARK = "#"


class KeyKind(enum.StrEnum):
    """What a key stands for."""

    CACHE = "cache"
    SIZE_CLASS = "size-class"
    LARGE = "large"


class CacheKey(NamedTuple):  # hashed for every row of every interval: a tuple is hashed fastest
    """The key of one row: of a cache, or of what stands beside the caches.

    It holds no address, so that it can be printed, recorded and compared between hosts.

    Attributes:
        kind: a slab cache (CACHE); the kmalloc calls of one size, where their caches cannot be distinguished
            (SIZE_CLASS); kmalloc beyond the largest cache (LARGE).
        name: the name at first sight, harmless to print.
        generation: 1 for the first one of that kind and name, 2 for the next: another cache of the same name, at the
            same time or later.
    """

    kind: KeyKind
    name: str
    generation: int = 1

    def __str__(self) -> str:
        """Return the key as text, which `parse` reads: `filp`, `fuse_inode#2`, `size-class:kmalloc-64`."""
        text = self.name
        if self.kind is not KeyKind.CACHE or ":" in text:
            text = f"{self.kind}:{text}"
        if self.generation != 1 or _MARK in text:
            text = f"{text}{_MARK}{self.generation}"
        return text

    @classmethod
    def parse(cls, text: str) -> "CacheKey":
        """Return the key that is this text.

        Raises:
            ValueError: `str` makes this text of no key.
        """
        before, mark, last = text.rpartition(_MARK)
        rest, generation = (before, int(last)) if mark else (text, 1)
        kind, colon, name = rest.partition(":")
        key = cls(KeyKind(kind), name, generation) if colon else cls(KeyKind.CACHE, rest, generation)
        if generation < 1 or str(key) != text:
            raise ValueError(f"{text!r} is not the key of a cache")
        return key


class Identities:
    """Gives each cache its key, though it may first be known by its name alone and by its address later.

    An address does not identify a cache: another one can be created there after the first is destroyed. A name does
    not either: two caches may have one name. So a cache is known again by the two together, and by its object size.
    """

    def __init__(self) -> None:
        self._at: dict[int, tuple[CacheKey, int | None]] = {}  # by address, with the object size
        self._newest: dict[str, CacheKey] = {}
        self._idle: dict[str, CacheKey] = {}  # keys of caches whose address is not known yet

    def seen(self, address: int, name: str, size: int | None = None) -> CacheKey:
        """Return the key of the cache that is now at an address.

        Args:
            address: of its struct kmem_cache, or any number that stands for it.
            name: its name.
            size: bytes that one of its objects takes; None where unknown: any size matches it.
        """
        key, known_size = self._at.get(address, (None, None))
        is_known = key is not None and key.name == name and (known_size == size or None in (known_size, size))
        if key is None or not is_known:
            key = self._idle.pop(name, None) or self._next(name)
            known_size = None
        self._at[address] = key, known_size if size is None else size
        return key

    def listed(self, name: str) -> CacheKey:
        """Return the key of a cache of which only the name is known; the first one seen at an address takes it over."""
        if name not in self._idle:
            self._idle[name] = self._next(name)
        return self._idle[name]

    def _next(self, name: str) -> CacheKey:
        before = self._newest.get(name)
        key = CacheKey(KeyKind.CACHE, name, before.generation + 1 if before else 1)
        self._newest[name] = key
        return key
