"""Classifying Fashion-MNIST from 1,000 labels with DCGAN's networks, whose discriminator has a logit for each class.

This is an experiment of the zoo, on the backbone of the objectives that docs/scores.md compares.

Paper      Salimans et al. 2016, https://arxiv.org/abs/1606.03498; networks of Radford et al. 2015
Published  nothing on these data
Ours       not scored yet
Command    zoo train semi_supervised_gan_fashion_mnist --precision=mixed_bfloat16
Time       not measured yet

A batch has 64 labelled rows, 64 real rows for the discriminator, and 64 whose features the generator matches. For
comparison, the recipe also reports the accuracy of the same classifier trained on the labelled rows alone.
"""

from zoo import SemiSupervisedGAN, networks, optimizers, recipe
from zoo.data.semi_supervised import SemiSupervisedSplit
from zoo.recipe.few_labels import classification_scores


def main(
    run,
    *,
    data="fashion_mnist",
    steps=3000,
    batch_size=3 * 64,
    checkpoint_every=300,
    labels=1000,
    latent_size=100,
    filters=64,  # this and the optimisers are those of dcgan_fashion_mnist
    learning_rate=2e-4,
    classifier_decay=0.999,  # the code's 0.9999 is meant for 180,000 steps
):
    dataset, seed = run.data(), run.flags.seed
    shape, classes = dataset.data_shape, dataset.num_classes
    rows = SemiSupervisedSplit(dataset.train, labels, classes, seed)
    with run.strategy.scope():
        model = SemiSupervisedGAN(
            shape,
            num_classes=classes,
            latent_size=latent_size,
            generator=networks.dcgan_generator(shape, latent_size, filters, seed),
            discriminator=networks.dcgan_encoder(shape, classes, filters, seed + 1),
            value_range=(-1.0, 1.0),
            classifier_decay=classifier_decay,
            seed=seed,
        )
        model.compile(
            generator_optimizer=optimizers.adam(learning_rate, beta_1=0.5),
            discriminator_optimizer=optimizers.adam(learning_rate, beta_1=0.5),
            **run.compile_settings,
        )
    run.fit(model, rows)
    network = networks.dcgan_encoder(shape, classes, filters, seed + 1)
    run.export(model, dataset, scores=classification_scores(model, dataset, rows, network))


if __name__ == "__main__":
    recipe.run(main)
