"""Generative Adversarial Parallelization. D. J. Im, H. Ma, C. D. Kim, G. Taylor. 2016.
https://arxiv.org/abs/1612.04021

Several generators and discriminators are trained in pairs, side by side, and now and then the pairs are formed anew.
Each generator then meets a discriminator that was not trained against it, and which may punish what the previous one
let pass. After training one generator is chosen.

With pi(j) the generator that discriminator j faces:
Discriminator j: minimise -E log D_j(x) - E log(1 - D_j(G_pi(j)(z))).
Generator pi(j): minimise -E log D_j(G_pi(j)(z)).
Every K steps all members form N/2 random couples, and the two members of each couple swap their discriminators.

Differences from the paper. Its text has the algorithm; many settings of its experiments are in an appendix, which was
not at hand.
1. A swap changes only the entries of pi: a discriminator keeps its weights and the moments of its optimiser, whichever
   generator it faces.
2. All members train in one graph, with one update each per step. A player's optimiser holds the moments of every
   member. Adam and gradient descent treat each weight by itself, so this is the same as one optimiser per member;
   clipping by the global norm of the gradient, or the loss scale of float16, would couple the members.
3. A step splits its batch into N minibatches, one for each discriminator. So each discriminator sees the data in an
   order of its own, but in each pass over the data only one N-th of them.
4. On images the members are DCGANs, with images in [-1, 1]; GRAN, which the paper trains as well, is not in the zoo.
   On vectors they have four hidden layers, as in the paper's toy problems; the width and the optimisers are the zoo's,
   and the discriminators have no batch normalisation, unlike the paper's: with real and generated rows normalised
   separately, they could hardly tell where either lie. All members share one prior.
5. There is no noise on the discriminators' inputs, and gradients are not clipped.
6. K is 250 steps, half an epoch of 50,000 images in minibatches of 100. Of the periods that the paper tries, from a
   tenth of an epoch to a whole one, half an epoch made DCGANs vary least.
7. The paper's algorithm chooses a generator by GAM, but its tables report GAM-II, since GAM requires two discriminators
   to have the same error on test data, which swaps undo. `metrics.best_before_panel` chooses by GAM-II.
"""

from __future__ import annotations

import functools
from numbers import Integral

import keras
import numpy as np
import tensorflow as tf

from zoo import draws, losses, networks, optimizers, priors
from zoo.errors import InputError, require_positive
from zoo.model import GenerativeModel

UNITS, DEPTH = 128, 4  # of the networks for vectors


@keras.saving.register_keras_serializable("zoo")
class GAP(GenerativeModel):
    """Pairs of a generator and a discriminator that swap partners; one generator is sampled at a time.

    Batch statistics are per replica, and separate for each network. Each step's batch holds a minibatch for every
    member.

    Args:
        data_shape: `(size,)`, or `(height, width, channels)` that fits `networks.dcgan_stages`.
        latent_size: length of the latent vector, uniform in [-1, 1].
        members: N, the number of pairs, which must be even.
        swap_every: K, how many steps there are between two swaps; 0 for none, which leaves N pairs that are trained
            alone. A swap comes between two executions, so `steps_per_execution` must divide it.
        generators: your own, a list of N networks of different names, each from `(batch, latent_size)` to
            `(batch, *data_shape)`, images in [-1, 1], or `None` in place of each that is to be the paper's. Their
            hidden layers may differ.
        discriminators: likewise, each from `(batch, *data_shape)` to logits `(batch, 1)`.
        filters: channels of the map next to the image, in the networks for images.
        **kwargs: `seed`, `ema_decay` and `name`, as in `GenerativeModel`.

    Attributes:
        generator: all generators side by side, from a list of N latents to a list of N batches.
        discriminator: all discriminators on the same data, to logits `(batch, N)`.
        pairing: int64 `[N]`, a permutation: the generator that each discriminator faces.
        selected: int64 scalar, the generator that `sample` and exported models use; 0 at first.

    Raises:
        InputError: a setting is out of its range, `data_shape` does not fit, or a network has the wrong shapes.

    Example:
        model = GAP(data_shape=(2,), members=4)
        model.compile()
        model.fit(zoo.data.load("grid").train.stream(batch_size=4 * 64), steps_per_epoch=500, epochs=10)
        best, errors = metrics.best_before_panel(model.samples_of_members(1000), model.panel())
        model.select(best)
    """

    def __init__(
        self,
        data_shape,
        *,
        latent_size=100,
        members=4,
        swap_every=250,
        generators=None,
        discriminators=None,
        filters=128,
        **kwargs,
    ):
        super().__init__(data_shape, latent_size=latent_size, **kwargs)
        require_positive(filters=filters, members=members)
        if members % 2:
            raise InputError(f"`members` must be even, so that all can swap two by two. Received: members={members}")
        if not isinstance(swap_every, Integral) or swap_every < 0:
            raise InputError(f"`swap_every` must be a whole number of 0 or more. Received: swap_every={swap_every!r}")
        self.members = members
        self.discriminator_updates = members
        self.swap_every = self.interlude_every = swap_every
        self.filters = filters
        self.prior = priors.uniform(latent_size)
        latents, data = [[(latent_size,)]] * members, [self.data_shape] * members
        paper = [functools.partial(self._paper_generator, member) for member in range(members)]
        value_range = self.value_range if self.is_image else None
        self.generators = networks.checked_list("generators", generators, paper, latents, data, value_range)
        paper = [functools.partial(self._paper_discriminator, member) for member in range(members)]
        inputs, logits = [[self.data_shape]] * members, [(1,)] * members
        self.discriminators = networks.checked_list("discriminators", discriminators, paper, inputs, logits)
        latents = [keras.Input((latent_size,)) for _ in range(members)]
        samples = [generator(latent) for generator, latent in zip(self.generators, latents, strict=True)]
        self.generator = keras.Model(latents, samples, name="generator")
        data = keras.Input(self.data_shape)
        logits = keras.layers.Concatenate(dtype="float32")([judge(data) for judge in self.discriminators])
        self.discriminator = keras.Model(data, logits, name="discriminator")
        self.sampler = self.averaged(self.generator)
        self.pairing = self._constant("pairing", (members,), "int64")
        self.pairing.assign(range(members))
        self.selected = self._constant("selected", (), "int64")

    def _paper_generator(self, member):
        seed = self.seed + 2 * member
        if self.is_image:
            network = networks.dcgan_generator(self.data_shape, self.latent_size, self.filters, seed)
        else:
            network = networks.normalized_mlp(self.latent_size, *self.data_shape, UNITS, DEPTH, seed)
        network.name = f"generator_{member}"
        return network

    def _paper_discriminator(self, member):
        seed = self.seed + 2 * member + 1
        if self.is_image:
            network = networks.dcgan_discriminator(self.data_shape, self.filters, seed)
        else:
            network = networks.relu_mlp(*self.data_shape, 1, UNITS, DEPTH, seed)
        network.name = f"discriminator_{member}"
        return network

    def networks_of(self, player):
        return getattr(self, f"{player}s")

    # Training.

    def paper_optimizer(self, player):
        """Adam with a rate of 0.0002 and a first momentum of 0.5 for both players, as for DCGAN."""
        return optimizers.adam(2e-4, beta_1=0.5)

    def train_step(self, batch):
        """One update of every discriminator, each on its own real rows, then one of every generator."""
        real = self.minibatches(self.real_data(batch), self.members)
        logs = self.update_discriminator(real, self._draw(real, "discriminator"))
        return logs | self.update_generator(self._draw(real, "generator"))

    def update_discriminator(self, real, latents):
        fake = self._faced(latents)
        with tf.GradientTape() as tape:
            real_logits = [judge(rows, training=True) for judge, rows in zip(self.discriminators, real, strict=True)]
            fake_logits = [judge(rows, training=True) for judge, rows in zip(self.discriminators, fake, strict=True)]
            loss = tf.add_n(list(map(losses.cross_entropy_discriminator_loss, real_logits, fake_logits)))
        norms = self.minimize("discriminator", loss, tape)
        accuracies = losses.discriminator_accuracies(tf.concat(real_logits, 0), tf.concat(fake_logits, 0))
        return {"discriminator_loss": loss / self.members, **accuracies, **norms}

    def update_generator(self, latents):
        with tf.GradientTape() as tape:
            fake = self._faced(latents)
            logits = [judge(rows, training=True) for judge, rows in zip(self.discriminators, fake, strict=True)]
            loss = tf.add_n(list(map(losses.non_saturating_generator_loss, logits)))
        return {"generator_loss": loss / self.members, **self.minimize("generator", loss, tape)}

    def _draw(self, real, purpose):
        """The latents of every generator in this step."""
        return [self.draw_latents(rows, f"{purpose} {member}") for member, rows in enumerate(real)]

    def _faced(self, latents):
        """For every discriminator, the samples of the generator that it faces."""
        samples = [generator(rows, training=True) for generator, rows in zip(self.generators, latents, strict=True)]
        return tf.unstack(tf.gather(tf.stack(samples), self.pairing.value))

    def interlude(self):
        """The swap: all members are put in a random order and exchange discriminators two by two."""
        couples = np.argsort(draws.uniform([self.members], self._step_seed("swap"))).reshape(-1, 2)
        pairing = np.array(self.pairing.value)
        pairing[couples] = pairing[couples[:, ::-1]]
        self.pairing.assign(pairing)

    # The members.

    def select(self, member):
        """Makes `sample` and exported models use one generator.

        Args:
            member: the generator's number, in [0, N).

        Raises:
            InputError: there is no such member.
        """
        if member not in range(self.members):
            raise InputError(f"`member` must be one of 0 to {self.members - 1}. Received: member={member}")
        self.selected.assign(member)

    def samples_of_members(self, seeds):
        """What `sample` would give for the same seeds, for each generator that could be selected.

        Takes what `sample` takes and raises what it raises.

        Returns:
            A list of N float32 arrays `[n, *data_shape]`, images in [0, 1].
        """
        seeds, _ = self._rows(seeds, None)
        return [samples.numpy() for samples in self._members_graph(seeds)]

    @tf.function(autograph=False, reduce_retracing=True)
    def _members_graph(self, seed):
        samples = self.sampler([self.latents_of(seed)] * self.members, training=False)
        return list(map(self._to_samples, samples))

    def panel(self):
        """The discriminators as functions for `zoo.metrics`: from samples as `sample` gives them to logits `[n]`."""
        return [functools.partial(self._logits, judge) for judge in self.discriminators]

    def _logits(self, judge, samples):
        data = self._from_unit(samples) if self.is_image else samples
        return tf.reshape(judge(data, training=False), [-1]).numpy()

    def generate(self, latents, labels):
        members = [self.sampler.get_layer(generator.name) for generator in self.generators]
        return _one_of(members, self.selected.value, latents)

    def score(self, data, labels):
        """The logits `[n, 1]` of the discriminator that the selected generator faces."""
        return _one_of(self.discriminators, tf.argsort(self.pairing.value)[self.selected.value], data)


def _one_of(members, index, inputs):
    """The outputs of one network of a list; those of the others are not computed."""
    branches = [functools.partial(network, inputs, training=False) for network in members]
    return tf.switch_case(tf.cast(index, tf.int32), branches)
