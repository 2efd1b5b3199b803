"""Settings from the environment."""

from tests.unit.config.conftest import SECRET, Loader, Problems


def test_environment_wins(config: Loader) -> None:
    loaded = config(
        environ={
            "TICKETTRUHE_LANGUAGE": "en",
            "TICKETTRUHE_INTAKE__PORT": "9000",
            "TICKETTRUHE_INTAKE__FORM__ENABLED": "false",
            "TICKETTRUHE_ADMINS": '["@eva:example.org"]',
            "TICKETTRUHE_TEAMS__BASEL__NAME": "Basle",
            "TICKETTRUHE_DEFAULT_TOPIC": "",
        }
    )
    assert (loaded.language, loaded.intake.port, loaded.intake.form.enabled) == ("en", 9000, False)
    assert loaded.admins == ("@eva:example.org",)
    assert loaded.teams["basel"].name == "Basle"
    assert loaded.default_topic == "other"


def test_login_of_the_environment_replaces_the_files(config: Loader) -> None:
    matrix = config(environ={"TICKETTRUHE_MATRIX__ACCESS_TOKEN": "[token"}).matrix
    assert matrix.access_token is not None
    assert matrix.access_token.get_secret_value() == "[token"
    assert matrix.password is None


def test_problem_names_the_variable(problems: Problems) -> None:
    found = problems(
        environ={
            "TICKETTRUHE_MATRIX__USER": SECRET,
            "TICKETTRUHE_LOGGING__LEVL": "info",
            "TICKETTRUHE_LANGAUGE": "de",
            "TICKETTRUHE_ADMINS": "[",
        }
    )
    said = {problem.file.removeprefix("environment TICKETTRUHE_"): str(problem) for problem in found}
    assert said.keys() == {"MATRIX__USER", "LOGGING__LEVL", "LANGAUGE", "ADMINS"}
    assert "Did you mean `level`?" in said["LOGGING__LEVL"]
    assert "Did you mean `language`?" in said["LANGAUGE"]


def test_foreign_variables_are_left_alone(config: Loader) -> None:
    """As Kubernetes sets them for a service called tickettruhe, and the path that the command line reads."""
    environ = {"TICKETTRUHE_PORT_8080_TCP": "x", "TICKETTRUHE_SERVICE_HOST": "x", "TICKETTRUHE_CONFIG": "x"}
    assert config(environ=environ) == config()
