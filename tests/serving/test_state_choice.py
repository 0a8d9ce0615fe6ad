import subprocess
import sys

import pytest
from tests.redis_server import RedisServer
from tests.serving.test_state_contract import event

from encorec.errors import ConfigError
from encorec.serving.settings import Settings
from encorec.serving.state.choice import open_state
from encorec.serving.state.redis_state import RedisState
from encorec.serving.state.sqlite_state import SqliteState


def test_a_path_is_a_file(tmp_path):
    path = tmp_path / "state.sqlite"
    with open_state(Settings(state=str(path))) as state:
        assert isinstance(state, SqliteState)
    assert path.exists()


def test_an_address_of_redis_is_redis_with_the_settings_of_redis(redis_server):
    settings = Settings(state=redis_server.url, redis_prefix="chosen", event_id_days=1, redis_read_ms=5000)
    with open_state(settings) as state:
        assert isinstance(state, RedisState)
        state.append([event("a")], now=50)
        assert state.read(1, before=50).seen == (1,)
    client = redis_server.client()
    assert 0 < client.ttl("chosen:id:a") <= 86_400
    client.close()


def test_a_socket_of_the_machine_will_do(tmp_path):
    with RedisServer("--unixsocket", str(tmp_path / "redis.sock")) as server:
        server.start()
        with open_state(Settings(state=f"unix://{tmp_path}/redis.sock", redis_read_ms=5000)) as state:
            state.append([event("a")], now=50)
            assert state.read(1, before=50).seen == (1,)


@pytest.mark.parametrize(
    ("given", "told"),
    [
        ({"state": "postgres://u:secret@host/db"}, "state of kind 'postgres' is not known"),
        ({"state": "redis://:secret@host/db"}, "'redis://host/db' is no address of Redis"),
        ({"state": ":memory:", "outbox": "redis://:secret@host"}, "outlives the process"),
        ({"state": "redis://:secret@a/0", "outbox": "redis://:secret@b/0"}, "'redis://b/0' is not where the state is"),
    ],
)
def test_what_cannot_be_opened_is_refused_without_its_password(given, told):
    with pytest.raises(ConfigError, match=told) as caught, open_state(Settings(**given)):
        pass
    assert "secret" not in str(caught.value)


def test_an_outbox_beside_a_file_and_one_inside_redis_send_the_same(redis_server, tmp_path):
    found = []
    client = redis_server.client()
    for number, state_url in enumerate([str(tmp_path / "state.sqlite"), redis_server.url]):
        stream = f"sent-{number}"
        settings = Settings(
            state=state_url, outbox=redis_server.url, outbox_stream=stream, redis_prefix=stream, redis_read_ms=5000
        )
        with open_state(settings) as state:
            state.append([event("a", request_id="r"), event("b", user="x"), event("a")], now=50)
        found.append([fields for _, fields in client.xrange(stream)])
    client.close()
    assert [fields[b"event_id"] for fields in found[0]] == [b"a", b"b"]
    assert found[0] == found[1]


def test_without_redis_in_the_settings_the_package_is_not_imported(tmp_path):
    code = """
import sys
from encorec.serving.settings import Settings
from encorec.serving.state.choice import open_state
with open_state(Settings(state=":memory:")):
    sys.exit("redis" in sys.modules)
"""
    subprocess.run([sys.executable, "-c", code], check=True)


def test_without_the_package_the_error_says_how_to_get_it():
    code = """
import sys
sys.modules["redis"] = None
from encorec.serving.settings import Settings
from encorec.serving.state.choice import open_state
with open_state(Settings(state="redis://localhost")):
    pass
"""
    run = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True)
    assert "MissingExtra: this needs the package 'redis': pip install 'encorec[redis]'" in run.stderr
