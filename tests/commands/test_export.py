"""`zoo export`: checkpoints as artefacts, generators as files of other runtimes, and what is refused."""

import numpy as np
import pytest
import tensorflow as tf

import zoo
from zoo import callbacks
from zoo.artefacts.export import blueprint
from zoo.files import write_json
from zoo.restoring import BLUEPRINT

FACTS = {"dataset": "made_up", "command": "zoo train dcgan_made_up", "licence": "none", "machine": "a machine"}


@pytest.fixture(scope="module")
def workdir(tmp_path_factory):
    """The workdir of a DCGAN on made-up images that has made two steps and scored best after the first."""
    path = tmp_path_factory.mktemp("run")
    model = zoo.DCGAN((8, 8, 1), latent_size=6, filters=2)
    model.compile()
    write_json(path / BLUEPRINT, {**blueprint(model), "facts": FACTS})
    rows = {"image": np.random.default_rng(0).uniform(0, 1, (8, 8, 8, 1)).astype("float32")}
    batches = tf.data.Dataset.from_tensor_slices(rows).batch(4).repeat()
    for folder in ("best", "checkpoints"):
        model.fit(batches, steps_per_epoch=1, verbose=0)
        checkpoint = callbacks.Checkpoint(path / folder)
        checkpoint.set_model(model)
        checkpoint.save()
    return path


@pytest.mark.parametrize(("checkpoint", "step"), [("latest", 2), ("best", 1), ("2", 2)])
def test_a_checkpoint_becomes_an_artefact(run, workdir, checkpoint, step):
    assert run(f"export {workdir} --checkpoint {checkpoint} --out artefact") == 0
    loaded = zoo.load("artefact")
    assert (loaded.card["steps"], loaded.card["checkpoint"]) == (step, checkpoint)
    assert FACTS.items() <= loaded.card.items()
    np.testing.assert_allclose(loaded.sample(3), zoo.restore("artefact").sample(3), atol=1e-6)


def test_what_a_card_says_of_the_training_stays_with_a_copy_in_another_precision(run, workdir):
    model = zoo.restore(workdir)
    model.export(
        "first", dataset="made_up", note="Half of the steps.", seconds=3.5, scores=[{"score": "s", "value": 1}]
    )
    assert run("export first --precision bfloat16_weights --out second") == 0
    first, second = (zoo.load(name).card for name in ("first", "second"))
    told = ("dataset", "note", "seconds", "scores")
    assert {name: second[name] for name in told} == {name: first[name] for name in told}


@pytest.mark.parametrize("runtime", ["tflite", "onnx"])
def test_a_generator_becomes_a_file(run, workdir, capsys, runtime):
    pytest.importorskip({"tflite": "tensorflow", "onnx": "tf2onnx"}[runtime])
    assert run(f"export {workdir} --out artefact") == 0
    assert run(f"export artefact --to {runtime} --out generator.{runtime}") == 0
    assert "from latent and label to samples; at most" in capsys.readouterr().out


def test_what_is_refused(run, workdir, capsys):
    assert run(f"export {workdir} --checkpoint 7 --out artefact") == 2
    assert "no checkpoint is there" in capsys.readouterr().err
    assert run("export toy-digits --to tflite --out generator.onnx") == 2
    assert "generator.onnx: should end in .tflite." in capsys.readouterr().err
    assert run("export toy-digits --to tflite --out generator.tflite") == 2
    assert "expected a signature latents" in capsys.readouterr().err
    assert run("export toy-digits --out artefact") == 2
    assert "does not say how to make the model again" in capsys.readouterr().err
