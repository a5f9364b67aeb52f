"""Makes text safe to print: escapes every character that a terminal would interpret."""

from functools import lru_cache

_IN_ASCII = str.maketrans({"…": "...", "“": '"', "”": '"'})  # in slabtui's own texts


def visible(text: str) -> str:
    """Escape every character of a text that does not print, as `printable` does, but not backslashes."""
    return "".join(character if character == "\\" else _shown(character) for character in text)


def escaped(raw: bytes) -> str:
    r"""Decode a name, which any user may have chosen, and escape every character that a terminal would interpret.

    Bytes that are not UTF-8 and characters that do not print (control, format and private-use characters, line
    separators) become escapes: `\x1b`, `\u202e`. Different names stay different: a backslash is doubled, and from 0x80
    on `\x` stands for a byte and `\u` for a character.
    """
    decoded = raw.decode("utf-8", "surrogateescape")
    if decoded.isprintable() and "\\" not in decoded:
        return decoded
    return "".join(_shown(character) for character in decoded)


@lru_cache(maxsize=8192)  # every interval has the same few hundred names
def printable(raw: bytes) -> str:
    """Return `escaped(raw)` from a cache."""
    return escaped(raw)


def ascii_only(text: str) -> str:
    r"""Return a text in ASCII: slabtui's own signs become similar ones, other characters become escapes (`\u540d`).

    Terminals with an encoding other than UTF-8 need this: there the width of a character depends on the encoding.
    """
    if text.isascii():
        return text
    return "".join(character if character < "\x80" else _escaped(character) for character in text.translate(_IN_ASCII))


def _shown(character: str) -> str:
    if character == "\\":
        return r"\\"
    if character.isprintable():
        return character
    return _escaped(character)


def _escaped(character: str) -> str:
    code = ord(character)
    if 0xDC80 <= code <= 0xDCFF:  # a byte that is not UTF-8, decoded by surrogateescape
        return f"\\x{code - 0xDC00:02x}"
    if code < 0x80:
        return f"\\x{code:02x}"
    return f"\\u{code:04x}" if code <= 0xFFFF else f"\\U{code:08x}"
