"""Text fit for a terminal: hostile names made harmless, numbers made to fit a width."""

from functools import lru_cache

_STEPS = "kMGTPE"


@lru_cache(maxsize=8192)  # the same few hundred names come by in every interval
def printable(raw: bytes) -> str:
    r"""Decode a name that anyone may have chosen, with nothing left in it that a terminal acts upon.

    Bytes that are not UTF-8 and characters that do not print (control, format and private-use characters, line
    separators) come out as escapes: `\x1b`, `\u202e`. A backslash is doubled, so that two names never look the same.
    """
    decoded = raw.decode("utf-8", "surrogateescape")
    if decoded.isprintable() and "\\" not in decoded:
        return decoded
    return "".join(_shown(character) for character in decoded)


def _shown(character: str) -> str:
    if character == "\\":
        return r"\\"
    if character.isprintable():
        return character
    code = ord(character)
    if 0xDC80 <= code <= 0xDCFF:  # a byte that was not UTF-8, as surrogateescape carries it
        code -= 0xDC00
    if code <= 0xFF:
        return f"\\x{code:02x}"
    return f"\\u{code:04x}" if code <= 0xFFFF else f"\\U{code:08x}"


def count(number: int | float, width: int) -> str:
    """Write a count in at most `width` columns: every digit where they fit, else thousands (`1.25M`)."""
    return _fit(number, width, 1000, "")


def size(number: int | float, width: int) -> str:
    """Write a number of bytes in at most `width` columns: every digit where they fit, else IEC units (`1.25Gi`)."""
    return _fit(number, width, 1024, "i")


def rate(number: float, suffix: str) -> str:
    """Write a rate of events in three or four significant digits: `999/s` is `rate(999, "/s")`, `12.5k/s`."""
    return count(number, 5) + suffix


def byte_rate(number: float) -> str:
    """Write a rate of bytes in IEC units: `512 B/s`, `1.25 MiB/s`."""
    if round(number) < 1024:
        return f"{round(number)} B/s"
    scaled, step = _scaled(number, 1024)
    return f"{_digits(scaled, 4)} {step.upper()}iB/s"


def _fit(number: int | float, width: int, base: int, suffix: str) -> str:
    whole = str(round(number))
    if len(whole) <= width or abs(number) < base:
        return whole
    scaled, step = _scaled(number, base)
    unit = step.upper() + suffix if suffix else step
    return _digits(scaled, width - len(unit)) + unit


def _scaled(number: int | float, base: int) -> tuple[float, str]:
    scaled = number / base
    for step in _STEPS:
        if abs(scaled) < base - 0.5 or step == _STEPS[-1]:
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
