"""CT-GAN on 1,000 images of CIFAR-10 with the small networks and the settings of the paper's code.

Paper      Wei et al. 2018, https://openreview.net/forum?id=SJx9GQb0-
Published  Inception Score above 5.0 (abstract); as remembered, 5.13 +/- 0.12, and 2.98 +/- 0.11 for WGAN-GP
Ours       not scored yet
Command    zoo train ct_gan_cifar10_1000
Time       not measured yet; meant for a GPU

The images are the first 1,000 of `data_batch_1`, as in `tflib/cifar10.py` of the authors' code,
https://github.com/biuyq/CT-GAN. TensorFlow Datasets stores CIFAR-10 in a shuffled order, but numbers the images in the
order of the original files. From other datasets the recipe takes the first 1,000 rows in their stored order.
"""

import numpy as np

from zoo import CTGAN, recipe
from zoo.data import tfds_images
from zoo.data.dataset import Split

IMAGES = 1000


def main(
    run,
    *,
    data="cifar10",
    steps=50_000,
    batch_size=64,
    checkpoint_every=500,
):
    dataset = run.data()
    train = dataset.train_and_validation
    rows = tfds_images.by_id(data, run.flags.data_dir) if data == "cifar10" else np.arange(len(train))
    first = Split(train.images[rows[:IMAGES]], train.labels[rows[:IMAGES]])
    with run.strategy.scope():
        model = CTGAN(dataset.data_shape, seed=run.flags.seed)
        model.compile(**run.compile_settings)
    run.fit(model, first)
    run.export(model, dataset)


if __name__ == "__main__":
    recipe.run(main)
