"""Crops of images, cut when a batch is read, so that the images themselves need not be copied."""

from __future__ import annotations

from dataclasses import dataclass

from zoo.data.dataset import Split
from zoo.errors import InputError


@dataclass(frozen=True, eq=False)
class CornerCrops(Split):
    """A split with four rows for each image, the square crops of its corners: row 4 i + j is corner j of image i.

    `stream` and `batches` give crops; `images` and `labels` are those of the uncropped split.

    Args:
        images: uint8 `[n, height, width, channels]`, in memory or memory-mapped.
        labels: int32 `[n]`.
        size: the side of a crop in pixels.

    Raises:
        InputError: `size` is below 1 or larger than the images, or the rows are not images.
    """

    size: int

    def __post_init__(self):
        super().__post_init__()
        if self.images.ndim != 4 or not 0 < self.size <= min(self.images.shape[1:3]):
            raise InputError(
                f"Crops need a positive size and images at least as large. "
                f"Received: size={self.size} and rows of shape {self.images.shape[1:]}"
            )

    def __len__(self) -> int:
        return 4 * len(self.images)

    def _gather(self, rows):
        import tensorflow as tf

        batch = super()._gather(rows // 4)
        height, width = self.images.shape[1:3]
        corners = [
            batch["image"][:, top : top + self.size, left : left + self.size]
            for top in (0, height - self.size)
            for left in (0, width - self.size)
        ]
        return {**batch, "image": tf.gather(tf.stack(corners, axis=1), rows % 4, axis=1, batch_dims=1)}
