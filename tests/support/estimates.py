"""How far an estimate may be from the truth."""

import math

ERRORS = 5  # standard errors: more once in two million cases


def error_at(truth: int, estimate: int, error: float) -> float:
    """Return the standard error of estimates of the true number, from that of one estimate.

    The error is estimated from the same sample: where the estimate is too low, it is too low by the root of the ratio.
    """
    return error * math.sqrt(max(1.0, truth / max(1, estimate)))
