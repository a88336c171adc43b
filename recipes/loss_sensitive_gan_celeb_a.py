"""LS-GAN on CelebA with the networks and settings of the author's code, for 25 epochs.

TensorFlow Datasets has to download CelebA first.

Paper      Qi 2017, https://arxiv.org/abs/1701.06264
Published  samples alone; the code is https://github.com/guojunq/lsgan
Ours       not scored yet
Command    zoo train loss_sensitive_gan_celeb_a --image_size 64
Time       not measured yet
"""

from zoo import LossSensitiveGAN, recipe


def main(
    run,
    *,
    data="celeb_a",
    steps=63_500,
    batch_size=64,
    checkpoint_every=2540,
):
    dataset = run.data()
    with run.strategy.scope():
        model = LossSensitiveGAN(dataset.data_shape, seed=run.flags.seed)
        model.compile(**run.compile_settings)
    run.fit(model, dataset.train)
    run.export(model, dataset)


if __name__ == "__main__":
    recipe.run(main)
