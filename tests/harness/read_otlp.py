"""Reads traces.json and metrics.json with OpenTelemetry's own protobuf definitions.

Says what it found; fails where a field is unknown or of another type. OTLP's JSON writes ids in
hexadecimal where protobuf's own mapping has base64, so ids are translated first.
"""

import base64
import json
import pathlib
import sys

from google.protobuf import json_format
from opentelemetry.proto.collector.metrics.v1.metrics_service_pb2 import ExportMetricsServiceRequest
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest

IDS = {"traceId", "spanId", "parentSpanId"}


def with_base64_ids(value):
    if isinstance(value, list):
        return [with_base64_ids(item) for item in value]
    if not isinstance(value, dict):
        return value
    return {
        key: base64.b64encode(bytes.fromhex(item)).decode() if key in IDS else with_base64_ids(item)
        for key, item in value.items()
    }


def read(path, message):
    return json_format.ParseDict(with_base64_ids(json.loads(path.read_text())), message)


folder = pathlib.Path(sys.argv[1])
traces = read(folder / "traces.json", ExportTraceServiceRequest())
spans = traces.resource_spans[0].scope_spans[0].spans
assert all(len(span.trace_id) == 16 and len(span.span_id) == 8 for span in spans)
print(len(spans), "spans:", ", ".join(span.name for span in spans))

metrics = read(folder / "metrics.json", ExportMetricsServiceRequest())
for metric in metrics.resource_metrics[0].scope_metrics[0].metrics:
    kind = metric.WhichOneof("data")
    points = getattr(metric, kind).data_points
    if kind == "histogram":
        assert all(len(p.bucket_counts) == len(p.explicit_bounds) + 1 for p in points)
        assert all(p.count == sum(p.bucket_counts) for p in points)
    print(kind, metric.name, len(points))
