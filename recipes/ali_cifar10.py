"""ALI on CIFAR-10 with the paper's networks and settings.

Paper      Dumoulin et al. 2016, https://arxiv.org/abs/1606.00704
Published  only pictures, after 6,475 epochs; the paper's classification errors are from other experiments
Ours       not scored yet
Command    zoo train ali_cifar10
Time       not measured yet

The model is trained on 45,000 images, as many as in the authors' code, https://github.com/IshmaelBelghazi/ALI. The
default is 100 epochs; the code makes 1,000, and table 3 of the paper states 6,475.
"""

import numpy as np

from zoo import ALI, images, recipe

PICTURED = 16  # test images


def main(
    run,
    *,
    data="cifar10",
    steps=45_000,
    batch_size=100,
    checkpoint_every=450,
):
    dataset = run.data()
    with run.strategy.scope():
        model = ALI(dataset.data_shape, seed=run.flags.seed)
        if dataset.data_shape[:2] == (32, 32):
            model.match_marginals(dataset.train.images)
        model.compile(**run.compile_settings)
    run.fit(model, dataset.train)
    real = dataset.test.images[:PICTURED] / 255
    pairs = np.concatenate([real, model.reconstruct(real)])
    run.picture("reconstructions", images.grid(pairs, columns=PICTURED))
    run.export(model, dataset)


if __name__ == "__main__":
    recipe.run(main)
