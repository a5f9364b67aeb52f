"""Text fit for a terminal: hostile names made harmless, numbers made to fit a width."""

from functools import lru_cache

_STEPS = "kMGTPE"
_IN_ASCII = str.maketrans({"…": "...", "“": '"', "”": '"'})  # of slabtui's own words


def visible(text: str) -> str:
    """Return a text with everything that does not print escaped, as `printable` does; backslashes stay."""
    return "".join(character if character == "\\" else _shown(character) for character in text)


def escaped(raw: bytes) -> str:
    r"""Decode a name that anyone may have chosen, with nothing left in it that a terminal acts upon.

    Bytes that are not UTF-8 and characters that do not print (control, format and private-use characters, line
    separators) come out as escapes: `\x1b`, `\u202e`. A backslash is doubled, and from 0x80 on `\x` is a byte,
    `\u` a character, so that two names never look the same.
    """
    decoded = raw.decode("utf-8", "surrogateescape")
    if decoded.isprintable() and "\\" not in decoded:
        return decoded
    return "".join(_shown(character) for character in decoded)


@lru_cache(maxsize=8192)  # the same few hundred names come by in every interval
def printable(raw: bytes) -> str:
    """Decode a name of the kernel's like `escaped`, which takes longer."""
    return escaped(raw)


def ascii_only(text: str) -> str:
    r"""Return a text in ASCII: slabtui's own signs by similar ones, all else by escapes (`\u540d`), as `printable` has.

    For terminals of other encodings than UTF-8: how many columns a character takes there depends on the encoding.
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
    if 0xDC80 <= code <= 0xDCFF:  # a byte that was not UTF-8, as surrogateescape carries it
        return f"\\x{code - 0xDC00:02x}"
    if code < 0x80:
        return f"\\x{code:02x}"
    return f"\\u{code:04x}" if code <= 0xFFFF else f"\\U{code:08x}"


def count(number: int | float, width: int) -> str:
    """Write a count in at most `width` columns: every digit where they fit, else thousands (`1.25M`)."""
    return _fit(number, width, 1000, "")


def size(number: int | float, width: int) -> str:
    """Write a number of bytes in at most `width` columns: every digit where they fit, else IEC units (`1.25Gi`)."""
    return _fit(number, width, 1024, "i")


def volume(number: float) -> str:
    """Write a number of bytes in IEC units: `512 B`, `1.25 MiB`."""
    if round(number) < 1024:
        return f"{round(number)} B"
    scaled, step = _scaled(number, 1024, 4)
    return f"{_digits(scaled, 4)} {step.upper()}iB"


def byte_rate(number: float) -> str:
    """Write a rate of bytes in IEC units: `512 B/s`, `1.25 MiB/s`."""
    return f"{volume(number)}/s"


def _fit(number: int | float, width: int, base: int, suffix: str) -> str:
    whole = str(round(number))
    if len(whole) <= width or abs(number) < base:
        return whole
    digits = width - 1 - len(suffix)
    scaled, step = _scaled(number, base, digits)
    return _digits(scaled, digits) + (step.upper() if suffix else step) + suffix


def _scaled(number: int | float, base: int, digits: int) -> tuple[float, str]:
    """Divide until less than the base is left, and no more than so many digits: 1023 Ki may have to be 1.0 Mi."""
    limit = min(base, 10**digits) - 0.5
    scaled = number / base
    for step in _STEPS:
        if abs(scaled) < limit or step == _STEPS[-1]:
            break
        scaled /= base
    return scaled, step


def _digits(scaled: float, width: int) -> str:
    """Write with as many decimals, two at most, as `width` columns hold."""
    for decimals in (2, 1):
        written = f"{scaled:.{decimals}f}"
        if len(written) <= width:
            return written
    return f"{scaled:.0f}"
