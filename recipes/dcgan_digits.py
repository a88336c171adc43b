"""DCGAN on the digits that ship with the zoo: the two-minute default.

Paper      Radford et al. 2015, https://arxiv.org/abs/1511.06434
Published  nothing on these data
Ours       not scored yet
Command    zoo train dcgan_digits
Time       90 s on 2 cores of an Intel Xeon
"""

from zoo import DCGAN, recipe

FILTERS = 32
EMA_DECAY = 0.99


def main(run):
    data = run.data()
    with run.strategy.scope():
        model = DCGAN(data.data_shape, filters=FILTERS, ema_decay=EMA_DECAY, seed=run.flags.seed)
        model.compile(**run.compile_settings)
    run.fit(model, data.train)
    run.export(model, data)


if __name__ == "__main__":
    recipe.run(main, data="digits", steps=5000, batch_size=64, checkpoint_every=100)
