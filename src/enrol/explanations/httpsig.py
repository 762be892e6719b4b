"""Explanations of the codes raised by `enrol.httpsig`."""

from enrol.explanations.explanation import Explanation

HTTPSIG: dict[str, Explanation] = {}
