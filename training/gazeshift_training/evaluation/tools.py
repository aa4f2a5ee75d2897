"""What methods and judges share while one evaluation runs: networks, opened once."""

from __future__ import annotations

import threading
from collections import OrderedDict
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, TypeVar

from gazeshift_training.metrics.fidelity import FidelityJudge

if TYPE_CHECKING:
    from gazeshift.attention import AttentionModel
    from gazeshift.predict import Prediction, Redirector
    from gazeshift_training.attention.network import AttentionNetwork
    from gazeshift_training.evaluation.pairs import Pair
    from gazeshift_training.lpips import Lpips

Kept = TypeVar("Kept")

_PAIRS_KEPT = 4
"""Pairs whose predictions and features stay in memory; more than threads work at once."""


@dataclass
class Tools:
    """The networks of one evaluation."""

    redirector: Redirector
    """The model under test."""
    attention_path: Path
    """The shipped attention network: what the per-image optimum is optimised against."""
    judges: Mapping[str, AttentionModel]
    """Attention networks that judge, by name; the first is the one that decides."""
    lpips: Lpips
    """The fidelity network."""
    _lock: threading.RLock = field(default_factory=threading.RLock, repr=False)
    _predictions: OrderedDict[str, Prediction] = field(default_factory=OrderedDict, repr=False)
    _fidelity: OrderedDict[str, FidelityJudge] = field(default_factory=OrderedDict, repr=False)

    @cached_property
    def attention_network(self) -> AttentionNetwork:
        """The shipped attention network as a frozen torch module, for gradients."""
        from gazeshift_training.attention.network import load_attention

        return load_attention(self.attention_path)

    def prediction(self, pair: Pair) -> Prediction:
        """Return the model's edits for a pair; the last few are kept."""
        return self._keep(
            self._predictions,
            pair.name,
            lambda: self.redirector.predict_proxy(pair.proxy, measure=False),
        )

    def fidelity(self, pair: Pair) -> FidelityJudge:
        """Return the fidelity judge of a pair; the last few are kept."""
        return self._keep(
            self._fidelity, pair.name, lambda: FidelityJudge(self.lpips, pair.rgb, pair.mask)
        )

    def forget(self, pair: Pair) -> None:
        """Drop what is kept of a pair, so that the next use does the work again."""
        with self._lock:
            self._predictions.pop(pair.name, None)
            self._fidelity.pop(pair.name, None)

    def _keep(self, kept: OrderedDict[str, Kept], name: str, make: Callable[[], Kept]) -> Kept:
        with self._lock:
            if name in kept:
                return kept[name]
        made = make()
        with self._lock:
            kept[name] = made
            while len(kept) > _PAIRS_KEPT:
                kept.popitem(last=False)
        return made
