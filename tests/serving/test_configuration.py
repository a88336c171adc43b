"""The files for a server: valid by its schemas, verified models alone, the same paths in all of them."""

import itertools
import json
import shlex
import subprocess

import double_schemas as schemas
import pytest
import saved_models
import tensorflow as tf
from google.protobuf import text_format
from server_process import free_port
from tensorflow_serving.config.model_server_config_pb2 import ModelServerConfig

from zoo.errors import InputError
from zoo.serving import configuration


@pytest.fixture(scope="module")
def toys(tmp_path_factory):
    """Artefacts "one", of versions 1 and 3, and "two", of version 1, by name."""
    folder = tmp_path_factory.mktemp("toys")
    for path in ("one/1", "one/3", "two/1"):
        saved_models.save(folder / path)
    for name in ("one", "two"):
        saved_models.write_card(folder / name)
    return {name: folder / name for name in ("one", "two")}


@pytest.fixture(params=[None, "/models"])
def root(request):
    return request.param


@pytest.fixture
def written(toys, tmp_path, root):
    out = tmp_path / "serving"
    configuration.write(out, configuration.verified([str(path) for path in toys.values()], root))
    return out


def base_paths(toys, root):
    return {name: f"{root}/{name}" if root else str(path) for name, path in toys.items()}


def test_models_are_served_in_all_versions_and_labelled(written, toys, root):
    config = text_format.Parse((written / "models.config").read_text(), ModelServerConfig()).model_config_list.config
    assert {model.name: model.base_path for model in config} == base_paths(toys, root)
    assert {model.model_platform for model in config} == {"tensorflow"}
    assert all(model.model_version_policy.HasField("all") for model in config)
    assert [dict(model.version_labels) for model in config] == [{"stable": 1, "canary": 3}, {"stable": 1, "canary": 1}]


def test_batches_are_merged_at_once_and_split_but_neither_padded_nor_rounded(written):
    limits = text_format.Parse((written / "batching.config").read_text(), schemas.BatchingParameters())
    assert limits.HasField("batch_timeout_micros")
    assert limits.batch_timeout_micros.value == 0
    assert limits.enable_large_batch_splitting.value
    assert limits.max_batch_size.value > limits.max_execution_batch_size.value > 1
    assert not limits.allowed_batch_sizes
    assert not limits.pad_variable_length_inputs


def test_prometheus_finds_metrics(written):
    monitoring = text_format.Parse((written / "monitoring.config").read_text(), schemas.MonitoringConfig())
    assert monitoring.prometheus_config.enable
    assert monitoring.prometheus_config.path.startswith("/")


def test_every_image_sees_the_folders_that_its_configuration_names(written, toys, root):
    """As far as it can be seen without Docker: each path of a flag or of a model is the target of a mount."""
    line = (written / "docker.sh").read_text().split("exec ", 1)[1].replace("$here", str(written))
    words = shlex.split(line)
    mounts = dict(word.removesuffix(":ro").split(":") for option, word in itertools.pairwise(words) if option == "-v")
    assert mounts == {str(path): base_paths(toys, root)[name] for name, path in toys.items()} | {
        str(written): "/config"
    }
    service = json.loads((written / "compose.json").read_text())["services"]["serving"]
    assert {word.replace(".:", f"{written}:", 1) if word[0] == "." else word for word in service["volumes"]} == {
        f"{here}:{there}:ro" for here, there in mounts.items()
    }
    named = [word for word in words if word.startswith("--") and word != "--rm"]
    assert service["command"] == named
    files = {word.partition("=")[2].removeprefix("/config/") for word in named if "/config/" in word}
    assert all((written / file).is_file() for file in files)

    config_map, deployment, service = json.loads((written / "kubernetes.json").read_text())["items"]
    container = deployment["spec"]["template"]["spec"]["containers"][0]
    assert container["args"] == named
    assert files <= config_map["data"].keys()
    assert config_map["data"]["models.config"] == (written / "models.config").read_text()
    assert container["readinessProbe"]["exec"]["command"] == ["bash", "/config/ready.sh"]
    places = {mount["mountPath"]: mount.get("subPath") for mount in container["volumeMounts"]}
    assert places == {"/config": None} | {there: name for name, there in base_paths(toys, root).items()}
    assert service["spec"]["selector"] == deployment["spec"]["selector"]["matchLabels"]


def test_a_model_that_could_read_files_is_refused_in_any_version(toys, tmp_path):
    def body(seed, label):
        return saved_models.uniform(seed, label) + tf.cast(
            tf.strings.length(tf.io.read_file("/etc/hostname")), tf.float32
        )

    saved_models.save(tmp_path / "bad" / "1")
    saved_models.save(tmp_path / "bad" / "2", body)
    saved_models.write_card(tmp_path / "bad")
    with pytest.raises(InputError, match=r"bad/2: refused.*ReadFile"):
        configuration.verified([str(toys["one"]), str(tmp_path / "bad")])


def test_a_version_that_cannot_be_loaded_is_refused(tmp_path):
    version = saved_models.save(tmp_path / "broken" / "1")
    (variables,) = version.glob("variables/*.data*")
    variables.write_bytes(b"")
    with pytest.raises(InputError, match="broken/1: TensorFlow cannot load it"):
        configuration.verified([str(tmp_path / "broken")])


def test_a_model_that_differs_from_its_card_is_refused(tmp_path):
    saved_models.save(tmp_path / "model" / "1")
    saved_models.write_card(tmp_path / "model", files={})
    with pytest.raises(InputError, match=r"not listed in card\.json"):
        configuration.verified([str(tmp_path / "model")])


@pytest.mark.parametrize(
    ("names", "root", "message"),
    [
        (["one", "one"], None, "different names. Received: one twice"),
        (["one"], "models", "absolute path, such as /models. Received: 'models'"),
        (["one", "three"], None, "Unknown pretrained model"),
    ],
)
def test_what_no_server_could_take_is_refused(toys, names, root, message):
    with pytest.raises(InputError, match=message):
        configuration.verified([str(toys.get(name, name)) for name in names], root)


def test_a_name_that_needs_escapes_or_a_folder_without_versions_is_refused(tmp_path):
    saved_models.save(tmp_path / "my model" / "1")
    with pytest.raises(InputError, match="letters, digits"):
        configuration.verified([str(tmp_path / "my model")])
    saved_models.save(tmp_path / "alone")
    with pytest.raises(InputError, match="numbered versions"):
        configuration.verified([str(tmp_path / "alone")])


def test_what_was_written_is_read_again(written, toys, root):
    served = configuration.read(written)
    assert {name: (model.folder, model.base_path) for name, model in served.items()} == {
        name: (toys[name], path) for name, path in base_paths(toys, root).items()
    }


@pytest.mark.parametrize("text", [None, "[]", "{", '{"one": {}}'])
def test_another_folder_is_refused(tmp_path, text):
    if text:
        (tmp_path / "serving.json").write_text(text)
    with pytest.raises(InputError, match="expected what `zoo serving config` wrote"):
        configuration.read(tmp_path)


def test_ready_sh_succeeds_once_every_model_is_served(server, models, tmp_path):
    def status(folder, port):
        return subprocess.run(["bash", folder / "ready.sh", str(port)], capture_output=True, check=False).returncode

    assert status(server.folder, server.rest) == 0
    assert status(server.folder, free_port()) != 0
    path = saved_models.save(tmp_path / "absent" / "1").parent
    configuration.write(tmp_path / "serving", configuration.verified([str(models["cgan"]), str(path)]))
    assert status(tmp_path / "serving", server.rest) != 0
