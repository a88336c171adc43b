"""Players, each with its own optimiser, and the loop in which `fit` trains them; nothing here belongs to one paper."""

from zoo.training.batches import checked_images, unit_images
from zoo.training.trainable import TrainableModel

__all__ = ["TrainableModel", "checked_images", "unit_images"]
