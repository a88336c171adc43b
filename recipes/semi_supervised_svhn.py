"""Classifying SVHN from 500, 1,000 or 2,000 labels with the networks and settings of the authors' code.

Paper      Salimans et al. 2016, https://arxiv.org/abs/1606.03498
Published  errors on the test images, over 10 choices of the labels: 18.44 +/- 4.8 % from 500 labels, 8.11 +/- 1.3 %
           from 1,000, 6.16 +/- 0.58 % from 2,000; on CIFAR-10 18.63 +/- 2.32 % from 4,000
Ours       not scored yet
Command    zoo train semi_supervised_svhn
           zoo train semi_supervised_svhn --data cifar10 --labels 4000 --filters 96 --steps 600000
Time       not measured yet; meant for a GPU

A batch has 100 labelled rows, 100 real rows for the discriminator, and 100 whose features the generator matches. The
second command is the code's experiment with CIFAR-10, except that the code divides pixels by 128 and not by 127.5. With
`--objective minimax --generator_updates 3 --minibatch_kernels 100`, both commands are the code's experiments with
minibatch discrimination.
"""

from zoo import SemiSupervisedGAN, networks, recipe
from zoo.data.semi_supervised import SemiSupervisedSplit
from zoo.optimizers import HeldThenFalling, InnerEpsilonAdam
from zoo.recipe.few_labels import classification_scores

INITIALISING = 500  # images that initialise the weight normalisation


def main(
    run,
    *,
    data="svhn_cropped",
    steps=900 * 732,
    batch_size=300,
    checkpoint_every=732,
    labels=1000,
    latent_size=100,
    filters=64,
    objective="absolute_matching",
    generator_updates=1,
    minibatch_kernels=0,
    learning_rate=3e-4,
):
    dataset, seed = run.data(), run.flags.seed
    shape, classes = dataset.data_shape, dataset.num_classes
    everything = dataset.train_and_validation
    rows = SemiSupervisedSplit(everything, labels, classes, seed)
    with run.strategy.scope():
        model = SemiSupervisedGAN(
            shape,
            num_classes=classes,
            latent_size=latent_size,
            generator=networks.shifting_generator(shape, latent_size, seed=seed),
            discriminator=networks.nine_layer_discriminator(shape, classes, filters, minibatch_kernels, seed + 1),
            value_range=(-1.0, 1.0),
            objective=objective,
            generator_updates=generator_updates,
            seed=seed,
        )
        model.initialize_from(everything.images[:INITIALISING])
        model.compile(
            generator_optimizer=InnerEpsilonAdam(
                HeldThenFalling(learning_rate, generator_updates * run.schedule_steps), beta_1=0.5
            ),
            discriminator_optimizer=InnerEpsilonAdam(HeldThenFalling(learning_rate, run.schedule_steps), beta_1=0.5),
            **run.compile_settings,
        )
    run.fit(model, rows)
    network = networks.nine_layer_discriminator(shape, classes, filters, minibatch_kernels, seed + 1)
    run.export(model, dataset, scores=classification_scores(model, dataset, rows, network))


if __name__ == "__main__":
    recipe.run(main)
