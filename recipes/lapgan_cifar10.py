"""LAPGAN, or with `--conditional` CC-LAPGAN, on CIFAR-10 with the paper's networks and settings.

The pyramid goes from 8x8 to 14x14 to 28x28 pixels, over four crops of each image. The model is trained on 45,000
images, as many as in the authors' code. The crops and the numbers of planes are remembered from the paper, and the rest
is taken from the code: see zoo/models/lapgan.py.

Paper      Denton et al. 2015, https://arxiv.org/abs/1506.05751
Published  LAPGAN: multi-scale Parzen log-likelihood -1799 +/- 826; people took about 30 % of samples for real
           (CC-LAPGAN 40 %, GAN 10 %)
Ours       not scored yet
Command    zoo train lapgan_cifar10
           zoo train lapgan_cifar10 --conditional --workdir runs/cc_lapgan_cifar10
Time       not measured yet; meant for a GPU
"""

from zoo import LAPGAN, images, recipe
from zoo.data.crops import CornerCrops

SIZES = ((28, 28), (14, 14), (8, 8))
CHAINS = 10


def main(
    run,
    *,
    data="cifar10",
    steps=175_750,
    batch_size=128,
    checkpoint_every=703,
    conditional=False,  # whether the networks are given the class
):
    dataset = run.data()
    train = CornerCrops(dataset.train.images, dataset.train.labels, size=SIZES[0][0])
    with run.strategy.scope():
        num_classes = dataset.num_classes if conditional else None
        model = LAPGAN((*SIZES[0], dataset.data_shape[2]), num_classes=num_classes, sizes=SIZES, seed=run.flags.seed)
        model.compile(**run.compile_settings)
    run.fit(model, train)
    run.picture("chain", images.chains(model.sample_chain(CHAINS, range(CHAINS) if conditional else None)))
    run.export(model, dataset)


if __name__ == "__main__":
    recipe.run(main)
