"""Write the files in this folder with TensorFlow 2.21 (not needed to run the tests)."""

import shutil
from pathlib import Path

import tensorflow as tf
from tensorflow.python.framework.convert_to_constants import convert_variables_to_constants_v2

HERE = Path(__file__).parent


class Linear(tf.Module):
    """An ordinary model: one layer."""

    def __init__(self) -> None:
        super().__init__()
        self.weight = tf.Variable(tf.ones([4, 3]))

    @tf.function(input_signature=[tf.TensorSpec([1, 4])])
    def __call__(self, x: tf.Tensor) -> tf.Tensor:
        """Apply the layer."""
        return tf.nn.softmax(x @ self.weight)


class Python(tf.Module):
    """A model that calls back into Python."""

    @tf.function(input_signature=[tf.TensorSpec([2])])
    def __call__(self, x: tf.Tensor) -> tf.Tensor:
        """Double the input."""
        return tf.py_function(lambda v: v * 2, [x], tf.float32)


class Files(tf.Module):
    """A model that writes, prints to and reads files, the last inside of a data pipeline."""

    @tf.function(input_signature=[tf.TensorSpec([2])])
    def __call__(self, x: tf.Tensor) -> tf.Tensor:
        """Reach for files."""
        tf.io.write_file("/nowhere/written", "x")
        tf.print(x, output_stream="file:///nowhere/printed")
        lengths = tf.data.Dataset.range(2).map(lambda _: tf.strings.length(tf.io.read_file("/nowhere/read")))
        return lengths.reduce(0, lambda a, b: a + b)


def main() -> None:
    """Write all files."""
    for name, module in (("linear", Linear()), ("python", Python()), ("files", Files())):
        folder = HERE / "saved"
        tf.saved_model.save(module, str(folder))
        shutil.copy(folder / "saved_model.pb", HERE / f"{name}.pb")
        shutil.rmtree(folder)
    linear = Linear()
    concrete = linear.__call__.get_concrete_function()
    frozen = convert_variables_to_constants_v2(concrete).graph.as_graph_def()
    (HERE / "frozen.pb").write_bytes(frozen.SerializeToString())
    (HERE / "linear.tflite").write_bytes(tf.lite.TFLiteConverter.from_concrete_functions([concrete], linear).convert())
    cell = tf.keras.Sequential([tf.keras.layers.Input((5,)), tf.keras.layers.Embedding(10, 4), tf.keras.layers.LSTM(4)])
    converter = tf.lite.TFLiteConverter.from_keras_model(cell)
    converter.target_spec.supported_ops = [tf.lite.OpsSet.TFLITE_BUILTINS, tf.lite.OpsSet.SELECT_TF_OPS]
    converter._experimental_lower_tensor_list_ops = False
    (HERE / "flex.tflite").write_bytes(converter.convert())


if __name__ == "__main__":
    main()
