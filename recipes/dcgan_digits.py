"""DCGAN on the digits that ship with the zoo: the two-minute example.

Paper      Radford et al. 2015, https://arxiv.org/abs/1511.06434; labels as in Mirza & Osindero 2014,
           https://arxiv.org/abs/1411.1784
Published  nothing on these data
Ours       Fréchet classifier distance 0.465, classifier score 9.34, precision 0.825, recall 0.706, density 0.893,
           coverage 0.811 (1,000 samples, rounded to 8 bits)
Command    zoo train dcgan_digits
Time       97 s on 1 core of Intel(R) Xeon(R) Processor

There are only 1,437 digits to learn from. DCGAN's networks learn to draw clear digits if they are told which digit an
image shows, so they are trained as a CGAN. With `--noconditional` they are trained as a DCGAN, which needs no labels.
"""

from zoo import CGAN, DCGAN, networks, optimizers, recipe


def main(
    run,
    *,
    data="digits",
    steps=4000,
    batch_size=64,
    checkpoint_every=100,
    conditional=True,  # whether the networks are given the class
    latent_size=100,
    filters=32,
    ema_decay=0.999,
    learning_rate=2e-4,  # this and the momentum are those of the paper
    momentum=0.5,
):
    dataset, seed = run.data(), run.flags.seed
    settings = {"latent_size": latent_size, "ema_decay": ema_decay, "seed": seed}
    with run.strategy.scope():
        if conditional:
            classes = dataset.num_classes
            generator, discriminator = networks.conditional_dcgan(
                dataset.data_shape, classes, latent_size, filters, seed
            )
            model = CGAN(
                dataset.data_shape,
                num_classes=classes,
                latent_range=(-1, 1),
                generator=generator,
                discriminator=discriminator,
                **settings,
            )
        else:
            model = DCGAN(dataset.data_shape, filters=filters, **settings)
        model.compile(
            generator_optimizer=optimizers.adam(learning_rate, beta_1=momentum),
            discriminator_optimizer=optimizers.adam(learning_rate, beta_1=momentum),
            **run.compile_settings,
        )
    run.fit(model, dataset.train)
    run.export(model, dataset)


if __name__ == "__main__":
    recipe.run(main)
