"""Makes of what two packages bring the JSON schemas that kubeconform reads.

python schemas.py <module of the Prometheus operator> <directory> <version of Kubernetes>...
"""

import json
import pathlib
import sys

import kubernetes_validate
import yaml

operator, target, *versions = sys.argv[1:]
source = pathlib.Path(kubernetes_validate.__file__).parent / "kubernetes-json-schema"
for version in versions:
    folder = pathlib.Path(target, version)
    folder.mkdir(parents=True)
    for file in (source / f"v{version}-local-strict").glob("*.json"):
        # They refer to each other as addresses of a server; here they are files in one folder.
        schema = json.loads(file.read_text().replace('"/api/_definitions.json', '"_definitions.json'))
        schema.pop("$id", None)
        (folder / file.name).write_text(json.dumps(schema))

crds = pathlib.Path(operator, "example/prometheus-operator-crd")
crd = yaml.safe_load((crds / "monitoring.coreos.com_servicemonitors.yaml").read_text())
served = crd["spec"]["versions"][0]["schema"]["openAPIV3Schema"]
pathlib.Path(target, "servicemonitor.json").write_text(json.dumps(served))
