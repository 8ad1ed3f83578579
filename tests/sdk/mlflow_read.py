"""Prints what MLflow's own client reads back from the server at TRACKING_URI, as one JSON object:
the runs of every experiment with parameters, tags, the history of each metric and files, and traces
with their spans and assessments.
"""

import json
import os
import tempfile

from mlflow import MlflowClient
from mlflow.entities import ViewType

client = MlflowClient(os.environ["TRACKING_URI"])


def files(run_id):
    found = {}
    with tempfile.TemporaryDirectory() as folder:
        for item in client.list_artifacts(run_id):
            path = client.download_artifacts(run_id, item.path, folder)
            with open(path, encoding="utf-8") as file:
                found[item.path] = file.read()
    return found


def history(run_id, name):
    points = client.get_metric_history(run_id, name)
    return [[point.step, point.timestamp, point.value] for point in points]


def run(found):
    info, data = found.info, found.data
    return {
        "name": info.run_name,
        "status": info.status,
        "params": data.params,
        "tags": data.tags,
        "metrics": data.metrics,
        "history": {name: history(info.run_id, name) for name in data.metrics},
        "files": files(info.run_id),
    }


def trace(found):
    return {
        "id": found.info.trace_id,
        "state": str(found.info.state),
        "spans": [
            {"name": span.name, "attributes": span.attributes, "status": str(span.status.status_code)}
            for span in found.data.spans
        ],
        "assessments": [
            {"name": said.name, "value": said.value, "source": said.source.source_id, "rationale": said.rationale}
            for said in found.info.assessments
        ],
    }


def experiment(found):
    place = [found.experiment_id]
    runs = client.search_runs(place, run_view_type=ViewType.ALL)
    return {
        "runs": [run(one) for one in runs],
        "traces": [trace(one) for one in client.search_traces(locations=place)],
    }


print(json.dumps({one.name: experiment(one) for one in client.search_experiments()}, default=str))
