"""Conditional ALI on Fashion-MNIST with DCGAN's networks: test images redrawn from their latents with every label.

Paper      Dumoulin et al. 2016, Sec. 4.4, https://arxiv.org/abs/1606.00704; networks of Radford et al. 2015
Published  only pictures, of faces with changing attributes
Ours       not scored yet
Command    zoo train conditional_ali_fashion_mnist
Time       not measured yet
"""

import keras
import numpy as np

from zoo import ALI, images, recipe

PICTURED = 10  # test images


def relabelled(model, real, labels):
    """Rows that begin with a real image and then show what its latents give with each label."""
    classes = model.num_classes
    latents = keras.ops.convert_to_tensor(model.encode(real, labels).repeat(classes, axis=0))
    changed = model.generate(latents, np.tile(np.arange(classes), len(real))).numpy()
    changed = changed.reshape(len(real), classes, *model.data_shape)
    return np.concatenate([real[:, None], changed], axis=1).reshape(-1, *model.data_shape)


def main(
    run,
    *,
    data="fashion_mnist",
    steps=9000,
    batch_size=128,
    checkpoint_every=450,
    latent_size=64,
    filters=64,
    ema_decay=0.999,
):
    dataset = run.data()
    with run.strategy.scope():
        model = ALI(
            dataset.data_shape,
            latent_size=latent_size,
            num_classes=dataset.num_classes,
            filters=filters,
            ema_decay=ema_decay,
            seed=run.flags.seed,
        )
        model.compile(**run.compile_settings)
    run.fit(model, dataset.train)
    rows = relabelled(model, dataset.test.images[:PICTURED] / 255, dataset.test.labels[:PICTURED])
    run.picture("labels", images.grid(rows, columns=model.num_classes + 1))
    run.export(model, dataset)


if __name__ == "__main__":
    recipe.run(main)
