"""GAP: pairs trained apart, the swap and what it leaves where it was, the members and the choice among them."""

import keras
import numpy as np
import pytest
import tensorflow as tf
from by_hand import dense, values

from zoo import DCGAN, losses, networks
from zoo.errors import InputError
from zoo.models.gap import GAP

ROWS = 4  # of a minibatch


def make(members=4, compiled=None, **settings):
    """A small model of 3-vectors with smooth networks of which no two are alike; `compiled` goes to its `compile`."""
    lists = {
        "generators": [named(dense(2, 4 + k, 3, seed=k), f"g{k}") for k in range(members)],
        "discriminators": [named(dense(3, 4 + k, 1, seed=10 + k), f"d{k}") for k in range(members)],
    }
    model = GAP((3,), latent_size=2, members=members, **{"swap_every": 2, **lists, **settings})
    model.compile(*(keras.optimizers.Adam(0.01, beta_1=0.5) for _ in model.players), **(compiled or {}))
    return model


EAGERLY = {"run_eagerly": True}  # a few steps that need not be traced take less time so


def named(network, name):
    network.name = name
    return network


def batches(members=4):
    rows = tf.random.stateless_normal([12 * ROWS * members, 3], [0, 1])
    return tf.data.Dataset.from_tensor_slices({"image": rows}).batch(ROWS * members)


def pairings_of(model):
    """What the pairing is after every step of a training."""
    pairings = []
    record = keras.callbacks.LambdaCallback(
        on_train_batch_end=lambda batch, logs: pairings.append(np.array(model.pairing.value))
    )
    model.fit(batches(model.members), verbose=0, callbacks=[record])
    return pairings


def everything(model):
    return values([*model.variables, *(slot for p in model.players for slot in model.optimizer_of(p).variables)])


def assert_equal(first, second):
    for left, right in zip(first, second, strict=True):
        np.testing.assert_array_equal(left, right)


class TestWithoutSwaps:
    @pytest.mark.slow
    def test_two_members_are_two_gans_that_were_trained_apart_bit_for_bit(self):
        shape, settings = (8, 8, 1), {"latent_size": 3, "filters": 4}
        images = tf.random.stateless_uniform([20 * ROWS, *shape], [0, 1])
        rows = tf.data.Dataset.from_tensor_slices({"image": images})
        model = GAP(shape, members=2, swap_every=0, **settings)
        model.compile()
        model.fit(rows.batch(2 * ROWS), verbose=0)
        for member in range(2):
            alone = DCGAN(
                shape,
                generator=networks.dcgan_generator(shape, 3, 4, seed=2 * member),
                discriminator=networks.dcgan_discriminator(shape, 4, seed=2 * member + 1),
                **settings,
            )
            alone.draw_latents = lambda data, purpose, alone=alone, member=member: DCGAN.draw_latents(
                alone, data, f"{purpose} {member}"
            )
            alone.compile()
            alone.fit(rows.shard(2, member).batch(ROWS), verbose=0)
            assert_equal(values(alone.generator.variables), values(model.generators[member].variables))
            assert_equal(values(alone.discriminator.variables), values(model.discriminators[member].variables))
            for player in model.players:
                slots, first = values(alone.optimizer_of(player).variables), member * len(alone.variables_of(player))
                together = model.optimizer_of(player)
                for kind, own in (("_momentums", slots[2::2]), ("_velocities", slots[3::2])):
                    assert_equal(own, values(getattr(together, kind)[first : first + len(own)]))

    def test_the_pairing_stays(self):
        model = make(swap_every=0, compiled=EAGERLY)
        model.fit(batches(), verbose=0)
        np.testing.assert_array_equal(model.pairing, range(4))


class TestSwap:
    def test_it_exchanges_the_partners_of_all_members_two_by_two(self):
        model = make(6)
        seen = set()
        for step in range(20):
            before = np.array(model.pairing.value)
            model.step_counter.assign(step)
            model.interlude()
            after = np.array(model.pairing.value)
            assert sorted(after) == list(range(6))
            partner = np.array([list(before).index(generator) for generator in after])
            assert (partner != range(6)).all()
            np.testing.assert_array_equal(partner[partner], range(6))
            seen.add(tuple(partner))
        assert len(seen) > 5  # of the 15 ways to form three couples

    def test_two_members_always_swap(self):
        model = make(2)
        for expected in ([1, 0], [0, 1], [1, 0]):
            model.interlude()
            np.testing.assert_array_equal(model.pairing, expected)

    def test_it_moves_nothing_but_the_pairing(self):
        model = make(compiled=EAGERLY)
        model.fit(batches().take(3), verbose=0)
        before = [*everything(model)]
        model.interlude()
        changed = [(old != new).any() for old, new in zip(before, everything(model), strict=True)]
        assert [variable.name for variable, moved in zip(model.variables, changed, strict=False) if moved] == [
            "pairing"
        ]
        assert sum(changed) == 1

    def test_it_comes_every_k_steps(self):
        model = make(2, swap_every=3, compiled=EAGERLY)
        first = [int(pairing[0]) for pairing in pairings_of(model)]
        assert first == [0, 0, 1, 1, 1, 0, 0, 0, 1, 1, 1, 0]

    def test_it_follows_from_the_seed_and_the_step(self):
        def pairings(seed):
            model = make(8, seed=seed)
            return [model.interlude() or tuple(np.array(model.pairing.value)) for _ in range(3)]

        assert pairings(0) == pairings(0) != pairings(1)


@pytest.mark.slow
class TestTrainingWithSwaps:
    @pytest.fixture(scope="class")
    def whole(self, tmp_path_factory):
        """A training that was never stopped: all it ends with, and what was saved after some of its steps."""
        model, saved = make(), {step: tmp_path_factory.mktemp("gap") / "model.keras" for step in (1, 4, 7)}

        def save(batch, logs):
            if model.step in saved:
                model.select(2)
                model.save(saved[model.step])
                model.select(0)

        model.fit(batches(), verbose=0, callbacks=[keras.callbacks.LambdaCallback(on_train_batch_end=save)])
        return everything(model), saved

    def test_a_discriminator_takes_its_own_optimiser_along(self):
        """Against plain objects: every network with an Adam of its own, discriminators handed from hand to hand."""
        model, twin = make(compiled=EAGERLY), make()
        generators = [(g, keras.optimizers.Adam(0.01, beta_1=0.5)) for g in twin.generators]
        judges = [(d, keras.optimizers.Adam(0.01, beta_1=0.5)) for d in twin.discriminators]
        facing = list(range(4))  # the discriminator that each generator faces
        pairings = pairings_of(model)
        for step, batch in enumerate(batches()):
            twin.step_counter.assign(step)
            for generator in range(4):
                judge = facing[generator]
                real = batch["image"][judge::4]
                latents = [
                    twin.draw_latents(real, f"{player} {generator}") for player in ("discriminator", "generator")
                ]
                update_pair(generators[generator], judges[judge], real, *latents)
            facing = list(np.argsort(pairings[step]))
        assert len({tuple(pairing) for pairing in pairings}) > 2
        for player, apart in (("generator", generators), ("discriminator", judges)):
            trained, expected = model.variables_of(player), twin.variables_of(player)
            np.testing.assert_allclose(flat(values(trained)), flat(values(expected)), rtol=1e-4, atol=1e-6)
            for kind in ("_momentums", "_velocities"):
                expected = [slot for _, optimizer in apart for slot in values(getattr(optimizer, kind))]
                together = values(getattr(model.optimizer_of(player), kind))
                np.testing.assert_allclose(flat(together), flat(expected), rtol=1e-3, atol=1e-7)

    @pytest.mark.parametrize("step", [1, 4, 7])
    def test_a_training_that_was_killed_goes_on_as_if_it_had_not_been(self, whole, step):
        end, saved = whole
        part = keras.models.load_model(saved[step])
        assert part.step == step
        assert int(part.selected.value) == 2
        part.select(0)
        part.fit(batches().skip(step), verbose=0)
        assert sorted(np.array(part.pairing.value)) == list(range(4))
        assert_equal(end, everything(part))

    def test_two_replicas_follow_one(self, mirrored):
        one = make()
        with mirrored.scope():
            two = make()
        rows = tf.data.Dataset.from_tensors({"image": tf.random.stateless_normal([32, 3], [0, 1])}).repeat()
        for model in (one, two):
            model.fit(rows, steps_per_epoch=5, verbose=0)
        np.testing.assert_array_equal(one.pairing, two.pairing)
        np.testing.assert_allclose(flat(one.get_weights()), flat(two.get_weights()), atol=1e-4)

    def test_executions_of_several_steps_end_at_swaps(self, whole):
        end, _ = whole
        model = make(compiled={"steps_per_execution": 2})
        model.fit(batches(), verbose=0)
        assert_equal(end, everything(model))


def update_pair(generator, judge, real, *latents):
    """A step of a pair: each a network and its optimiser."""
    (generator, generator_optimizer), (judge, judge_optimizer) = generator, judge
    fake = generator(latents[0])
    with tf.GradientTape() as tape:
        loss = losses.cross_entropy_discriminator_loss(judge(real), judge(fake))
    judge_optimizer.apply(tape.gradient(loss, judge.trainable_variables), judge.trainable_variables)
    with tf.GradientTape() as tape:
        loss = losses.non_saturating_generator_loss(judge(generator(latents[1])))
    generator_optimizer.apply(tape.gradient(loss, generator.trainable_variables), generator.trainable_variables)


def flat(arrays):
    return np.concatenate([np.ravel(array) for array in arrays])


class TestMembers:
    @pytest.fixture(scope="class")
    def model(self):
        model = make(ema_decay=0.9, compiled=EAGERLY)
        model.fit(batches(), verbose=0)
        return model

    def test_the_selected_generator_is_sampled(self, model):
        latents = model.latents_of(tf.range(5, dtype=tf.int64))
        samples = model.samples_of_members(5)
        for member in (2, 0, 3, 1):
            model.select(member)
            average = model.sampler.get_layer(f"g{member}")
            np.testing.assert_allclose(model.sample(5), average(latents), rtol=1e-5, atol=1e-6)
            np.testing.assert_array_equal(model.sample(5), samples[member])

    def test_the_discriminator_that_it_faces_gives_the_score(self, model):
        points = np.ones((2, 3), "float32")
        model.pairing.assign([2, 0, 3, 1])
        for member, judge in enumerate([1, 3, 0, 2]):
            model.select(member)
            np.testing.assert_allclose(model.score(points, None), model.discriminators[judge](points), rtol=1e-6)

    def test_the_panel_is_every_discriminator(self, model):
        points = np.eye(3, dtype="float32")
        logits = np.stack([score(points) for score in model.panel()], axis=1)
        np.testing.assert_allclose(logits, model.discriminator(points), rtol=1e-5)

    def test_the_panel_takes_images_in_0_to_1(self):
        model = GAP((8, 8, 1), latent_size=3, filters=4, members=2)
        images = np.full((2, 8, 8, 1), 0.75, "float32")
        expected = model.discriminators[1](np.full((2, 8, 8, 1), 0.5, "float32"), training=False)
        np.testing.assert_allclose(model.panel()[1](images), expected[:, 0], rtol=1e-5)

    @pytest.mark.parametrize("member", [-1, 4, 0.5])
    def test_another_number_is_refused(self, model, member):
        with pytest.raises(InputError, match=f"`member` must be one of 0 to 3. Received: member={member}"):
            model.select(member)

    def test_each_draws_latents_of_its_own_and_reads_rows_of_its_own(self, model):
        real = model.minibatches(tf.range(16)[:, None], 4)
        assert len({tuple(values([rows])[0].ravel()) for rows in real}) == 4
        latents = [*model._draw(real, "discriminator"), *model._draw(real, "generator")]
        assert len({rows.numpy().tobytes() for rows in latents}) == 8


class TestPaperSettings:
    def test_four_members_have_the_networks_of_dcgan_each_with_weights_of_its_own(self):
        model, single = GAP((16, 16, 1), filters=4), DCGAN((16, 16, 1), filters=4)
        assert (model.members, model.swap_every, model.prior.batch_shape) == (4, 250, (100,))
        assert_equal(model.generators[0].get_weights(), single.generator.get_weights())
        assert_equal(model.discriminators[0].get_weights(), single.discriminator.get_weights())
        for members in (model.generators, model.discriminators):
            assert len({network.get_weights()[0].tobytes() for network in members}) == 4

    @pytest.mark.parametrize("player", GAP.players)
    def test_vectors_go_through_four_hidden_layers_which_the_generator_normalises(self, player):
        network = GAP((2,), members=2).networks_of(player)[1]
        kinds = [type(layer).__name__ for layer in network.layers]
        assert kinds.count("Dense") == 5
        assert sum("BatchNormalization" in kind for kind in kinds) == (4 if player == "generator" else 0)

    @pytest.mark.parametrize("player", GAP.players)
    def test_adam_is_dcgans(self, player):
        model = GAP((2,), members=2)
        model.compile()
        config, expected = model.optimizer_of(player).get_config(), DCGAN.paper_optimizer(None, player).get_config()
        assert {**config, "name": None} == {**expected, "name": None}


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"members": 3}, "`members` must be even, so that all can swap two by two. Received: members=3"),
        ({"members": 0}, "`members` must be a positive integer. Received: members=0"),
        ({"swap_every": -1}, r"`swap_every` must be a whole number of 0 or more\. Received: swap_every=-1"),
        ({"swap_every": 1.5}, r"`swap_every` must be a whole number of 0 or more\. Received: swap_every=1.5"),
        ({"generators": [None]}, "`generators` must be 2 networks.* Received: 1"),
        (
            {"discriminators": [None, dense(4, 1, seed=0)]},
            r"`discriminators\[1\]` must take inputs of shape \(None, 3\). Received: a network for \(None, 4\)",
        ),
        (
            {"generators": [dense(5, 3, seed=0), None]},
            r"`generators\[0\]` must take inputs of shape \(None, 2\). Received: a network for \(None, 5\)",
        ),
        (
            {"generators": [dense(2, 4, seed=0), None]},
            r"`generators\[0\]` must give outputs of shape \(None, 3\)",
        ),
    ],
)
def test_an_odd_number_and_members_that_cannot_swap_are_refused(settings, message):
    with pytest.raises(InputError, match=message):
        GAP((3,), **{"latent_size": 2, "members": 2, **settings})


def test_a_generator_of_images_in_another_range_is_refused():
    sigmoid = keras.Sequential([keras.Input((2,)), keras.layers.Dense(64, "sigmoid"), keras.layers.Reshape((8, 8, 1))])
    with pytest.raises(InputError, match=r"`generators\[1\]` must give images in \[-1.0, 1.0\]"):
        GAP((8, 8, 1), latent_size=2, members=2, filters=4, generators=[None, sigmoid])


def test_a_batch_that_does_not_split_among_the_members_is_refused():
    with pytest.raises(InputError, match=r"4 divides\. Received: a batch of 6 rows"):
        make().fit(tf.data.Dataset.from_tensors({"image": tf.zeros([6, 3])}), verbose=0)
