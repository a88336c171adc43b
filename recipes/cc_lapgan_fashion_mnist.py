"""CC-LAPGAN on Fashion-MNIST, 7x7 to 14x14 to 28x28, with an eighth of the paper's planes and Adam.

The networks are the paper's, narrower; batch, optimiser and average are those of `dcgan_fashion_mnist`, whose one
network has no counterpart in a pyramid, but for the rates: at equal ones the 7x7 discriminator, without batch
normalisation and with half of its units dropped, falls behind its generator.

Paper      Denton et al. 2015, https://arxiv.org/abs/1506.05751
Published  nothing on these data
Ours       not scored yet
Command    zoo train cc_lapgan_fashion_mnist
Time       not measured yet
"""

import keras

from zoo import LAPGAN, images, recipe

FILTERS = 16  # at 28x28, and 8 at 14x14; the paper's 128 and 64 take many times as long
EMA_DECAY = 0.999
GENERATOR_RATE = 5e-5
DISCRIMINATOR_RATE = 5e-4
MOMENTUM = 0.5


def main(run):
    data = run.data()
    with run.strategy.scope():
        model = LAPGAN(
            data.data_shape,
            num_classes=data.num_classes,
            filters=FILTERS,
            ema_decay=EMA_DECAY,
            seed=run.flags.seed,
        )
        model.compile(
            generator_optimizer=keras.optimizers.Adam(GENERATOR_RATE, beta_1=MOMENTUM, epsilon=1e-8),
            discriminator_optimizer=keras.optimizers.Adam(DISCRIMINATOR_RATE, beta_1=MOMENTUM, epsilon=1e-8),
            **run.compile_settings,
        )
    run.fit(model, data.train)
    if run.is_chief:
        labels = range(data.num_classes)
        images.write_png(run.workdir / "chain.png", images.chains(model.sample_chain(len(labels), labels)))
    run.export(model, data)


if __name__ == "__main__":
    recipe.run(main, data="fashion_mnist", steps=7200, batch_size=128, checkpoint_every=450)
