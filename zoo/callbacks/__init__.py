"""What `fit` does besides training: checkpoints to resume from, sample grids, curves, scores, an end on a signal."""

from zoo.callbacks.checkpoint import Checkpoint
from zoo.callbacks.logs import MetricsLog, StepLog
from zoo.callbacks.metrics import SampleMetrics
from zoo.callbacks.samples import SampleGrid, SampleHistory
from zoo.callbacks.scores import Scores
from zoo.callbacks.signals import StopOnSignal

__all__ = [
    "Checkpoint",
    "MetricsLog",
    "SampleGrid",
    "SampleHistory",
    "SampleMetrics",
    "Scores",
    "StepLog",
    "StopOnSignal",
]
