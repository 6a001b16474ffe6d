"""What a call costs, by the prices that are set."""

from __future__ import annotations

from collections.abc import Mapping

Price = tuple[float, float, float, float]
"""US dollars per million tokens: input, output, cache read, cache write."""

_KINDS = ("input_tokens", "output_tokens", "cache_read_tokens", "cache_write_tokens")


def micro_usd(prices: Mapping[str, Price], model: str, usage: Mapping[str, int]) -> int:
    """Millionths of a US dollar; 0 for a model without a price.

    The longest name that the model's begins with counts, so that dated names have their price.
    """
    known = [name for name in prices if model.startswith(name)]
    if not known:
        return 0
    price = prices[max(known, key=len)]
    # Dollars per million tokens are millionths of a dollar per token.
    return round(sum(usage[kind] * each for kind, each in zip(_KINDS, price, strict=True)))
