"""`.env.example` and `Settings` name the same variables, and a process without them does not start."""

from __future__ import annotations

import ast
import json
import os
import re
import shlex
import subprocess
import sys
from pathlib import Path

import pytest

from _shared.http.loading import NAMES
from _shared.settings import Settings
from tests.support.credentials import ENVIRONMENT, SECRETS

ROOT = Path(__file__).parents[2]
EXAMPLE = ROOT / ".env.example"
DEPLOY = ROOT / "docs" / "howto" / "deploy.md"
LINE = re.compile(r"(?P<name>[A-Z][A-Z_]*)=(?P<value>.*)")


def read_example() -> dict[str, tuple[str, str]]:
    """Give (comment, value) by variable; the comment is what stands right above."""
    found: dict[str, tuple[str, str]] = {}
    comment: list[str] = []
    for line in EXAMPLE.read_text(encoding="utf-8").splitlines():
        if line.startswith("#"):
            comment.append(line.removeprefix("#").strip())
        elif match := LINE.fullmatch(line):
            found[match["name"]] = (" ".join(comment), match["value"])
            comment = []
        else:
            assert line == "", f"neither comment nor variable: {line}"
            comment = []
    return found


def variables() -> dict[str, bool]:
    """Give whether it is required, by variable."""
    return {str(field.validation_alias): field.is_required() for field in Settings.model_fields.values()}


def test_the_example_lists_every_variable_and_no_other() -> None:
    assert set(read_example()) == set(variables())


def test_each_variable_has_a_comment_and_no_value() -> None:
    assert [name for name, (comment, _) in read_example().items() if not comment] == []
    assert [name for name, (_, value) in read_example().items() if value] == []


def test_comments_say_what_is_required_and_what_the_default_is() -> None:
    example = read_example()
    for field in Settings.model_fields.values():
        comment = example[str(field.validation_alias)][0]
        if field.is_required():
            assert "Required" in comment, field.validation_alias
        elif field.default is not None:
            assert f"Default: {field.default}" in comment, field.validation_alias
        else:
            assert "Required" not in comment, field.validation_alias


LIST_FUNCTIONS = "import main; print(sorted(vars(main).keys() & set(main.NAMES)))"


def import_main(
    environment: dict[str, str], script: str = LIST_FUNCTIONS
) -> subprocess.CompletedProcess[str]:
    known = {name: value for name, value in os.environ.items() if name not in variables()}
    return subprocess.run(
        [sys.executable, "-c", script],
        cwd=ROOT / "functions",
        env=known | environment,
        capture_output=True,
        text=True,
        check=False,
    )


def test_with_the_required_variables_a_function_starts() -> None:
    started = import_main(ENVIRONMENT)
    assert (started.returncode, started.stderr) == (0, "")
    assert "health" in started.stdout


def deployed_variables() -> dict[str, set[str]]:
    """Give the variables of the documented deploy command, by the option that sets them."""
    text = DEPLOY.read_text(encoding="utf-8")
    commands = re.findall(r"^gcloud run deploy (?:.*\\\n)*.*", text, flags=re.MULTILINE)
    (command,) = commands
    return {
        option: {each.partition("=")[0] for each in value.split(",")}
        for option, value in re.findall(r"--(set-env-vars|set-secrets) (\S+)", command)
    }


def deploy(folder: Path, values: dict[str, str], **changes: str) -> subprocess.CompletedProcess[str]:
    """Have the deploy script print its commands."""
    env = folder / "deploy.env"
    env.write_text("".join(f"{name}='{value}'\n" for name, value in values.items()), encoding="utf-8")
    given = {"ENV": str(env), "IMAGE": "image:1", "REGION": "north", "DRY_RUN": "1"}
    return subprocess.run(
        [ROOT / "deploy" / "cloud-run"],
        env={**os.environ, **given, **changes},
        capture_output=True,
        text=True,
        check=False,
    )


def given_to_cloud_run(printed: str) -> dict[str, dict[str, str]]:
    options = shlex.split(printed.splitlines()[2])
    return {
        option: dict(each.split("=", 1) for each in options[options.index(f"--{option}") + 1].split(","))
        for option in ("set-env-vars", "set-secrets")
    }


DEPLOYED = {
    name: f"value of {name}" for name in ("SUPABASE_URL", "SUPABASE_PUBLISHABLE_KEY", "SUPABASE_JWKS_URL")
}


def test_the_deploy_script_sets_the_variables_that_the_page_shows(tmp_path: Path) -> None:
    # as .env.example is: every variable there, and most of them empty
    done = deploy(tmp_path, dict.fromkeys(variables(), "") | DEPLOYED)
    assert (done.returncode, done.stderr) == (0, "")
    commands = [shlex.split(line) for line in done.stdout.splitlines()]
    assert [command[:3] for command in commands] == [
        ["docker", "build", "--tag"],
        ["docker", "push", "image:1"],
        ["gcloud", "run", "deploy"],
        ["curl", "--fail", "--silent"],
        ["gcloud", "run", "services"],
    ]
    given = given_to_cloud_run(done.stdout)
    assert {option: set(values) for option, values in given.items()} == deployed_variables()
    assert given["set-env-vars"] == DEPLOYED
    # each option of the page is there
    shown = re.search(
        r"^gcloud run deploy (?:.*\\\n)*.*", DEPLOY.read_text(encoding="utf-8"), flags=re.MULTILINE
    )
    assert shown
    options = {word for word in commands[2] if word.startswith("--")}
    assert set(re.findall(r"--[\w-]+", shown[0])) == options


def test_the_deploy_script_passes_on_every_variable_that_is_set(tmp_path: Path) -> None:
    done = deploy(tmp_path, {name: f"value of {name}" for name in variables()})
    assert (done.returncode, done.stderr) == (0, "")
    given = given_to_cloud_run(done.stdout)
    assert set(given["set-env-vars"]) | set(given["set-secrets"]) == set(variables())
    # of a secret its name in Secret Manager, never its value
    assert given["set-secrets"]["SUPABASE_JWT_SECRET"] == "supabase-jwt-secret:latest"
    secret = {name for name, (comment, _) in read_example().items() if re.search(r"[Ss]ecret\.", comment)}
    assert set(given["set-secrets"]) == secret


def test_the_deploy_script_deploys_a_project_that_signs_with_its_legacy_secret(tmp_path: Path) -> None:
    done = deploy(tmp_path, DEPLOYED | {"SUPABASE_JWKS_URL": "", "SUPABASE_JWT_SECRET": "in Secret Manager"})
    assert (done.returncode, done.stderr) == (0, "")
    given = given_to_cloud_run(done.stdout)
    assert "SUPABASE_JWKS_URL" not in given["set-env-vars"]
    assert "SUPABASE_JWT_SECRET" in given["set-secrets"]


@pytest.mark.parametrize(
    ("values", "changes", "words"),
    [
        pytest.param({}, {"IMAGE": ""}, "IMAGE is missing, such as IMAGE=", id="image"),
        pytest.param({}, {"REGION": ""}, "REGION is missing, such as REGION=", id="region"),
        pytest.param(
            {}, {"ENV": "no.env"}, "no.env is not there: copy .env.example and fill it in", id="file"
        ),
        pytest.param({"SUPABASE_URL": ""}, {}, "deploy.env lacks SUPABASE_URL", id="empty"),
        pytest.param({"SUPABASE_JWKS_URL": ""}, {}, "deploy.env lacks SUPABASE_JWKS_URL", id="no-verifier"),
    ],
)
def test_the_deploy_script_names_what_is_missing(
    tmp_path: Path, values: dict[str, str], changes: dict[str, str], words: str
) -> None:
    done = deploy(tmp_path, DEPLOYED | values, **changes)
    assert (done.returncode, done.stdout) == (1, "")
    assert done.stderr.startswith("deploy-functions: ")
    assert words in done.stderr


def test_with_the_variables_of_the_documented_deployment_every_function_starts() -> None:
    names = set().union(*deployed_variables().values())
    assert names <= set(variables())
    values = ENVIRONMENT | {"SUPABASE_JWKS_URL": "https://project.test/auth/v1/.well-known/jwks.json"}
    started = import_main({name: values[name] for name in names})
    assert (started.returncode, started.stderr) == (0, "")
    line, functions = started.stdout.splitlines()
    assert json.loads(line)["event"] == "started"
    assert set(ast.literal_eval(functions)) == set(NAMES)


def test_a_service_loads_its_own_function_and_no_other() -> None:
    loaded = "import main, sys; print(sorted(set(main.NAMES) & sys.modules.keys()))"
    started = import_main(ENVIRONMENT | {"FUNCTION_TARGET": "health"}, loaded)
    assert (started.returncode, started.stderr) == (0, "")
    assert ast.literal_eval(started.stdout.splitlines()[1]) == ["health"]
    # what is none is for Functions Framework to refuse, by name
    started = import_main(ENVIRONMENT | {"FUNCTION_TARGET": "no_such_function"}, loaded)
    assert len(ast.literal_eval(started.stdout.splitlines()[1])) > 1


def test_the_documented_deployment_keeps_what_is_secret_among_the_secrets() -> None:
    secret = {name for name, (comment, _) in read_example().items() if re.search(r"[Ss]ecret\.", comment)}
    given = deployed_variables()
    assert given["set-secrets"] <= secret
    assert given["set-env-vars"] & secret == set()


@pytest.mark.parametrize("name", sorted(set().union(*deployed_variables().values())))
def test_without_one_of_them_nothing_starts(name: str) -> None:
    values = ENVIRONMENT | {"SUPABASE_JWKS_URL": "https://project.test/auth/v1/.well-known/jwks.json"}
    given = set().union(*deployed_variables().values()) - {name}
    refused = import_main({each: values[each] for each in given})
    assert refused.returncode == 1
    assert "SettingsError: wrong environment (see .env.example): " in refused.stderr
    assert name in refused.stderr


@pytest.mark.parametrize(
    ("changes", "severity"),
    [
        pytest.param({}, "INFO", id="one"),
        pytest.param({"SUPABASE_JWKS_URL": "https://project.test/jwks.json"}, "WARNING", id="two"),
    ],
)
def test_the_first_line_says_which_verifiers_are_in_force(changes: dict[str, str], severity: str) -> None:
    started = import_main(ENVIRONMENT | changes)
    line = json.loads(started.stdout.splitlines()[0])
    assert (line["severity"], line["event"]) == (severity, "started")
    expected = [
        "HS256 with SUPABASE_JWT_SECRET",
        *(["ES256 and RS256 with SUPABASE_JWKS_URL"] if changes else []),
    ]
    assert line["verifiers"] == expected
    assert [secret for secret in SECRETS if secret in started.stdout] == []


@pytest.mark.parametrize("name", [name for name, required in variables().items() if required])
def test_without_one_it_does_not_and_names_it(name: str) -> None:
    refused = import_main({key: value for key, value in ENVIRONMENT.items() if key != name})
    assert refused.returncode == 1
    assert f"SettingsError: wrong environment (see .env.example): {name}: missing" in refused.stderr
    assert [secret for secret in SECRETS if secret in refused.stderr] == []
