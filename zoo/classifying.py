"""What every model that classifies offers: a signature, and its accuracy on the rows of a split."""

from __future__ import annotations

import numpy as np
import tensorflow as tf

from zoo.artefacts.signatures import IMAGE, PROBABILITIES, ROWS_AT_ONCE, rows


class Classifying:
    """A mixin for a `TrainableModel` that defines `classify_signature`, from `image` to at least `probabilities`."""

    def accuracy(self, split, batch_size=ROWS_AT_ONCE):
        """The share of a split's rows whose label is predicted correctly, a float in [0, 1]."""
        correct = 0
        for batch in split.batches(batch_size):
            probabilities = self._classify_graph(batch["image"])[PROBABILITIES]
            correct += np.sum(np.argmax(probabilities, axis=-1) == batch["label"])
        return float(correct / len(split))

    def test_score(self, data):
        """The accuracy on the test split of a `Dataset`, as a dict for a card."""
        return {
            "score": "test accuracy",
            "value": self.accuracy(data.test),
            "reference": f"{data.name} test",
            "n_real": len(data.test),
        }

    def classifying_signature(self):
        """`classify_signature` and its input specs, an entry for `signatures`."""
        return self.classify_signature, [rows(IMAGE, *self.data_shape)]

    @tf.function(autograph=False, reduce_retracing=True)
    def _classify_graph(self, image):
        return self.classify_signature(image)
