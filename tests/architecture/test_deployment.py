"""The files that run the service elsewhere say what the service understands."""

from pathlib import Path

import msgspec
import yaml

from encorec.serving.operations.environment import PREFIX, settings_from
from encorec.serving.operations.families import FAMILIES
from encorec.serving.settings import Settings

ROOT = Path(__file__).parents[2]
FIELDS = {PREFIX + field.name.upper() for field in msgspec.structs.fields(Settings)} | {"ENCOREC_API_KEY"}


def documents(name):
    return list(yaml.safe_load_all((ROOT / name).read_text()))


def dockerfile():
    return (ROOT / "Dockerfile").read_text().replace("\\\n", " ").splitlines()


def variables_of_the_image():
    words = [word for line in dockerfile() if line.startswith("ENV ") for word in line.split()[1:]]
    return dict(word.split("=", 1) for word in words)


def test_the_image_is_not_root_and_what_it_copies_exists():
    lines = dockerfile()
    assert lines.index("USER 10001:10001") < next(i for i, line in enumerate(lines) if line.startswith("ENTRYPOINT"))
    assert any(line.startswith("HEALTHCHECK") for line in lines)
    copied = [line.split()[1:-1] for line in lines if line.startswith("COPY ") and "--from" not in line]
    kept = (ROOT / ".dockerignore").read_text().split()
    for name in [one for names in copied for one in names]:
        assert (ROOT / name).exists(), name
        assert f"!{name}" in kept, name


def test_the_variables_of_the_image_are_settings():
    own = {name: value for name, value in variables_of_the_image().items() if name.startswith(PREFIX)}
    assert set(own) <= FIELDS
    assert settings_from(own).host == "0.0.0.0"


def test_compose_runs_the_service_with_what_it_needs():
    [file] = documents("compose.yaml")
    given = file["services"]["encorec"]["environment"]
    assert set(given) <= FIELDS
    assert settings_from(given).workers == 2
    assert set(file["services"]) == {"encorec", "redis", "prometheus"}
    volumes = {volume.split(":")[0] for one in file["services"].values() for volume in one["volumes"]}
    assert {one for one in volumes if not one.startswith((".", "$"))} == set(file["volumes"])
    for source in [one for one in volumes if one.startswith("./")]:
        assert (ROOT / source).is_file(), source


def test_prometheus_reads_metrics_that_exist():
    [scraped] = documents("deploy/prometheus.yaml")
    assert scraped["scrape_configs"][0]["metrics_path"] == "/metrics"
    [alerts] = documents("deploy/alerts.yaml")
    told = [rule["expr"] for group in alerts["groups"] for rule in group["rules"]]
    names = {
        word
        for text in told
        for word in text.replace("(", " ").replace(")", " ").replace("[", " ").replace("{", " ").split()
    }
    used = {word for word in names if word.startswith("encorec_")}
    assert len(used) >= 5
    assert used <= set(FAMILIES)


def test_the_pods_are_asked_where_the_service_answers_and_end_in_peace():
    deployment, service, _ = documents("deploy/kubernetes.yaml")
    pod = deployment["spec"]["template"]["spec"]
    [container] = pod["containers"]
    variables = {one["name"]: one.get("value") for one in container["env"]}
    assert set(variables) <= FIELDS
    assert settings_from({name: value for name, value in variables.items() if value}).watch
    assert pod["enableServiceLinks"] is False
    assert pod["terminationGracePeriodSeconds"] >= 5 + 15
    probes = {name: container[name]["httpGet"]["path"] for name in ("startupProbe", "readinessProbe", "livenessProbe")}
    assert set(probes.values()) == {"/health/ready", "/health/live"}
    assert probes["livenessProbe"] == "/health/live", "a pod that loads is not killed"
    assert service["spec"]["selector"] == deployment["spec"]["template"]["metadata"]["labels"]
    mounted = {one["name"] for one in container["volumeMounts"]}
    assert mounted == {one["name"] for one in pod["volumes"]}
