"""Players with an optimiser each, and the loop in which `fit` trains them; no paper's idea lives here."""

from zoo.training.batches import checked_images, unit_images
from zoo.training.trainable import TrainableModel

__all__ = ["TrainableModel", "checked_images", "unit_images"]
