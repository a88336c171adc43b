"""LS-GAN on Fashion-MNIST between DCGAN's networks, which are the paper's: an experiment of the zoo's.

Paper      Qi 2017, https://arxiv.org/abs/1701.06264
Published  nothing on these data
Ours       not scored yet
Command    zoo train loss_sensitive_gan_fashion_mnist
Time       not measured yet
"""

from zoo import LossSensitiveGAN, recipe

FILTERS = 64
MARGIN_WEIGHT = 2e-4 * (64 * 64 * 3) / (28 * 28)  # the code's for 64x64x3, by the size of the sum of distances


def main(run):
    data = run.data()
    with run.strategy.scope():
        model = LossSensitiveGAN(data.data_shape, filters=FILTERS, margin_weight=MARGIN_WEIGHT, seed=run.flags.seed)
        model.compile(**run.compile_settings)
    run.fit(model, data.train)
    run.export(model, data)


if __name__ == "__main__":
    recipe.run(main, data="fashion_mnist", steps=3000, batch_size=64, checkpoint_every=300)
