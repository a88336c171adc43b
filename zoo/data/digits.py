"""An embedded dataset: 1,797 scanned digits that come with scikit-learn, so that nothing is downloaded."""

from __future__ import annotations

import numpy as np

from zoo.data.dataset import Dataset, in_memory, shuffled_rows


def load() -> Dataset:
    """The test set of UCI's Optical Recognition of Handwritten Digits, resampled from 8x8 to 16x16.

    The levels 0..16 become 0..255. A fixed permutation divides the rows into splits.
    """
    from PIL import Image
    from sklearn.datasets import load_digits

    data = load_digits()
    small = np.round(data.images * (255 / 16)).astype(np.uint8)
    images = np.stack([Image.fromarray(image).resize((16, 16), Image.Resampling.BICUBIC) for image in small])
    order = shuffled_rows(len(images))
    return Dataset(
        name="digits",
        data_shape=(16, 16, 1),
        num_classes=10,
        class_names=tuple(str(digit) for digit in range(10)),
        licence="CC BY 4.0: E. Alpaydin and C. Kaynak, Optical Recognition of Handwritten Digits, UCI, 1998, "
        "https://doi.org/10.24432/C50P49",
        read=in_memory("digits", images[order, ..., None], data.target[order].astype(np.int32)),
    )
