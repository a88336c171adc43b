"""What every model that tells classes apart offers: a signature, and the share of a split's rows that it gets right."""

from __future__ import annotations

import numpy as np
import tensorflow as tf

from zoo.artefacts.signatures import IMAGE, PROBABILITIES, ROWS_AT_ONCE, rows


class Classifying:
    """A part of a `TrainableModel`, which gives `classify_signature`: `image` to at least `probabilities`."""

    def accuracy(self, split, batch_size=ROWS_AT_ONCE):
        """The share of a split's rows that are classified as labelled, as a float in [0, 1]."""
        correct = 0
        for batch in split.batches(batch_size):
            probabilities = self._classify_graph(batch["image"])[PROBABILITIES]
            correct += np.sum(np.argmax(probabilities, axis=-1) == batch["label"])
        return float(correct / len(split))

    def test_score(self, data):
        """The accuracy on the test split, as a card records it."""
        return {
            "score": "test accuracy",
            "value": self.accuracy(data.test),
            "reference": f"{data.name} test",
            "n_real": len(data.test),
        }

    def classifying_signature(self):
        """`classify_signature` and its input specs, as `signatures` holds them."""
        return self.classify_signature, [rows(IMAGE, *self.data_shape)]

    @tf.function(autograph=False, reduce_retracing=True)
    def _classify_graph(self, image):
        return self.classify_signature(image)
