"""DCGAN on the digits that ship with the zoo: the two-minute default.

Paper      Radford et al. 2015, https://arxiv.org/abs/1511.06434
Published  nothing on these data
Ours       not scored yet
Command    zoo train dcgan_digits
Time       90 s on 2 cores of an Intel Xeon
"""

from zoo import DCGAN, recipe


def main(
    run,
    *,
    data="digits",
    steps=5000,
    batch_size=64,
    checkpoint_every=100,
    filters=32,
    ema_decay=0.99,
):
    dataset = run.data()
    with run.strategy.scope():
        model = DCGAN(dataset.data_shape, filters=filters, ema_decay=ema_decay, seed=run.flags.seed)
        model.compile(**run.compile_settings)
    run.fit(model, dataset.train)
    run.export(model, dataset)


if __name__ == "__main__":
    recipe.run(main)
