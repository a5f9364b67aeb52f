"""Amounts in the header, each in a few columns: sizes, counts, changes and durations."""

WIDTH = 6  # columns that a size or a count takes at most

_STEPS = ("", "K", "M", "G", "T", "P", "E")


def size(number: float) -> str:
    """Write a number of bytes in IEC units with three significant digits: `512`, `1.23Gi`."""
    return _scale(number, 1024, "i")


def count(number: float) -> str:
    """Write a count with three significant digits: `512`, `1.23M`."""
    return _scale(number, 1000, "").replace("K", "k")


def change(number: float) -> str:
    """Write a change of a number of bytes, with its sign: `+1.23Gi`."""
    written = size(abs(number))
    return written if written == "0" else f"{'-' if number < 0 else '+'}{written}"


def duration(seconds: float) -> str:
    """Write a time in its two largest units: `3 h 40 min`."""
    minutes = round(seconds / 60)
    if minutes < 1:
        return f"{seconds:.0f} s"
    if minutes < 60:
        return f"{minutes} min"
    if minutes < 24 * 60:
        return f"{minutes // 60} h {minutes % 60} min"
    days, hours = divmod(minutes // 60, 24)
    return f"{days} d {hours} h" if days < 100 else f"{min(days, 9999)} d"


def _scale(number: float, base: int, suffix: str) -> str:
    step = 0
    while abs(number) >= 999.5 and step < len(_STEPS) - 1:
        number /= base
        step += 1
    if not step:
        return f"{number:.0f}"
    decimals = 2 if abs(number) < 9.995 else 1 if abs(number) < 99.95 else 0
    return f"{number:.{decimals}f}{_STEPS[step]}{suffix}"
