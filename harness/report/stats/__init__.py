"""Statistics of scores: arrays in, arrays or small dataclasses out; every draw is from a generator that is passed in.

Scores are better the higher they are. What is not finite is refused with a ValueError that says what to do.
"""
