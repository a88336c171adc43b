"""Networks that are refused, with the reason, and those that pass."""

import functools

import keras
import pytest

from zoo import networks
from zoo.errors import InputError
from zoo.layers import SpectralNormalization

layers = keras.layers

ENDINGS = {
    "an argument": ([layers.Dense(1, activation="sigmoid")], "a sigmoid"),
    "a layer of its own": ([layers.Dense(1), layers.Activation("hard_sigmoid")], "a hard_sigmoid"),
    "a layer class": ([layers.Dense(1), layers.Softmax()], "a softmax"),
    "before a reshape": ([layers.Dense(1, activation="sigmoid"), layers.Reshape((1,))], "a sigmoid"),
    "before a linear activation": (
        [layers.Dense(1, activation="sigmoid"), layers.Activation("linear", dtype="float32")],
        "a sigmoid",
    ),
    "before dropout": ([layers.Dense(1, activation="sigmoid"), layers.Dropout(0.5)], "a sigmoid"),
    "before an average": (
        [layers.Reshape((4, 1)), layers.Conv1D(1, 1, activation="sigmoid"), layers.GlobalAveragePooling1D()],
        "a sigmoid",
    ),
    "in a wrapper": ([SpectralNormalization(layers.Dense(1, activation="sigmoid"))], "a sigmoid"),
    "in a model": ([keras.Sequential([keras.Input((4,)), layers.Dense(1, activation="softmax")])], "a softmax"),
}


@pytest.mark.parametrize("ending", ENDINGS)
def test_a_discriminator_of_probabilities_is_refused_with_a_reason(ending):
    last, received = ENDINGS[ending]
    discriminator = keras.Sequential([keras.Input((4,)), *last])
    with pytest.raises(InputError, match=f"`discriminator` must give scores of any size.* ends in {received}$"):
        networks.checked("discriminator", discriminator, [(4,)], (1,))


@pytest.mark.parametrize("activation", [None, "relu", "tanh"])
def test_a_discriminator_of_other_scores_and_a_generator_of_pixels_are_not(activation):
    discriminator = keras.Sequential([keras.Input((4,)), layers.Dense(1, activation=activation)])
    generator = keras.Sequential([keras.Input((3,)), layers.Dense(4, activation="sigmoid")])
    assert networks.checked("discriminator", discriminator, [(4,)], (1,)) is discriminator
    assert networks.checked("generator", generator, [(3,)], (4,)) is generator


@pytest.mark.parametrize(
    ("network", "message"),
    [
        (networks.mlp(3, 4, units=2), r"must take inputs of shape \(None, 5\)\. Received: a network for \(None, 3\)"),
        (networks.mlp(5, 3, units=2), r"must give outputs of shape \(None, 4\)\. .* have shape \(None, 3\)"),
        (lambda inputs: [inputs, inputs], r"must give outputs of shape \(None, 4\)"),
    ],
)
def test_networks_of_other_shapes_are_refused(network, message):
    with pytest.raises(InputError, match=f"^`generator` {message}"):
        networks.checked("generator", network, [(5,)], (4,))


class TestList:
    """Two networks, from 3 numbers to 4 and from 5 to 2."""

    INPUTS, OUTPUTS = [[(3,)], [(5,)]], [(4,), (2,)]
    DEFAULTS = (
        functools.partial(networks.mlp, 3, 4, units=2, name="first"),
        functools.partial(networks.mlp, 5, 2, units=2, name="second"),
    )

    def checked(self, given):
        return networks.checked_list("generators", given, self.DEFAULTS, self.INPUTS, self.OUTPUTS)

    def test_without_any_all_are_the_papers(self):
        assert [network.name for network in self.checked(None)] == ["first", "second"]

    def test_none_stands_for_one_of_the_papers(self):
        mine = networks.mlp(5, 2, units=7, name="mine")
        first, second = self.checked([None, mine])
        assert (first.name, second) == ("first", mine)

    def test_images_in_another_range_are_refused(self):
        networks_given = [None, keras.Sequential([keras.Input((5,)), layers.Dense(2, "sigmoid")])]
        with pytest.raises(InputError, match=r"`generators\[1\]` must give images in \[-1, 1\]"):
            networks.checked_list("generators", networks_given, self.DEFAULTS, self.INPUTS, self.OUTPUTS, (-1, 1))

    @pytest.mark.parametrize("count", [0, 1, 3])
    def test_another_number_is_refused(self, count):
        message = rf"^`generators` must be 2 networks, or None for the paper's\. Received: {count}$"
        with pytest.raises(InputError, match=message):
            self.checked([None] * count)

    def test_the_same_name_twice_is_refused(self):
        message = r"^`generators` must be networks of different names\. Received: \['second', 'second'\]$"
        with pytest.raises(InputError, match=message):
            self.checked([networks.mlp(3, 4, units=2, name="second"), None])

    @pytest.mark.parametrize(
        ("network", "message"),
        [
            (networks.mlp(3, 2, units=2), r"inputs of shape \(None, 5\)\. Received: a network for \(None, 3\)"),
            (networks.mlp(5, 4, units=2), r"outputs of shape \(None, 2\)\."),
        ],
    )
    def test_one_of_other_shapes_is_refused_by_its_number(self, network, message):
        with pytest.raises(InputError, match=rf"^`generators\[1\]` must \w+ {message}"):
            self.checked([None, network])


class TestWarning:
    def test_batch_normalisation_in_a_network_inside_is_seen(self):
        inner = networks.normalized_mlp(3, 1, units=4, depth=1, name="critic")
        outer = keras.Sequential([keras.Input((3,)), inner], name="outer")
        for network in (inner, outer):
            with pytest.warns(UserWarning, match=f"'{network.name}' has batch normalisation.*the whole batch"):
                networks.warn_of_batch_normalization(network)

    @pytest.mark.filterwarnings("error")
    def test_other_networks_pass_in_silence(self):
        networks.warn_of_batch_normalization(networks.mlp(3, 1, units=4))
