"""Two schemas of TensorFlow Serving's files that `tensorflow-serving-api` leaves out, field for field."""

from __future__ import annotations

from google.protobuf import descriptor_pb2, descriptor_pool, message_factory, wrappers_pb2

FIELD = descriptor_pb2.FieldDescriptorProto
WRAPPED = {"Int64Value", "BoolValue", "StringValue"}

# session_bundle_config.proto and monitoring_config.proto of tensorflow_serving
MESSAGES = {
    "BatchingParameters": [
        ("max_batch_size", 1, "Int64Value"),
        ("batch_timeout_micros", 2, "Int64Value"),
        ("max_enqueued_batches", 3, "Int64Value"),
        ("num_batch_threads", 4, "Int64Value"),
        ("thread_pool_name", 5, "StringValue"),
        ("enable_large_batch_splitting", 8, "BoolValue"),
        ("max_execution_batch_size", 9, "Int64Value"),
        ("allowed_batch_sizes", 6, "repeated int64"),
        ("pad_variable_length_inputs", 7, "bool"),
    ],
    "PrometheusConfig": [("enable", 1, "bool"), ("path", 2, "string")],
    "MonitoringConfig": [("prometheus_config", 1, "PrometheusConfig")],
}
PLAIN = {"bool": FIELD.TYPE_BOOL, "string": FIELD.TYPE_STRING, "repeated int64": FIELD.TYPE_INT64}
PACKAGE = "zoo.double"  # not the real package, so that the real schemas can be loaded as well


def _messages():
    file = descriptor_pb2.FileDescriptorProto(name="double.proto", package=PACKAGE, syntax="proto3")
    file.dependency.append(wrappers_pb2.DESCRIPTOR.name)
    for message, fields in MESSAGES.items():
        declared = file.message_type.add(name=message)
        for name, number, kind in fields:
            label = FIELD.LABEL_REPEATED if kind.startswith("repeated") else FIELD.LABEL_OPTIONAL
            field = declared.field.add(name=name, number=number, label=label)
            field.type = PLAIN.get(kind, FIELD.TYPE_MESSAGE)
            if kind not in PLAIN:
                field.type_name = f".google.protobuf.{kind}" if kind in WRAPPED else f".{PACKAGE}.{kind}"
    pool = descriptor_pool.Default()
    pool.Add(file)
    return [message_factory.GetMessageClass(pool.FindMessageTypeByName(f"{PACKAGE}.{name}")) for name in MESSAGES]


BatchingParameters, _, MonitoringConfig = _messages()
