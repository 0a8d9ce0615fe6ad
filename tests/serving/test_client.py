"""Both clients against a real service, straight and through a proxy that fails."""

import asyncio
import random
import subprocess
import sys
import threading
import time
from pathlib import Path

import pytest
from tests.serving.flaky_proxy import Proxy, babbles, hangs_up, resets, says, stalls, tears
from tests.serving.test_server import Process

from encorec.errors import ConfigError, EncorecError
from encorec.serving.client.calls import AsyncClient, Client, RequestRefused, ServiceUnavailable
from encorec.serving.client.retries import Retries

QUICK = Retries(first=0.001, longest=0.5)


@pytest.fixture(scope="module")
def service():
    process = Process(port=0, state=":memory:").wait_until_listening()
    yield process
    process.kill()


class Blocking:
    """``AsyncClient`` with the face of ``Client``, so that one test serves both."""

    def __init__(self, url, **given):
        self._runner = asyncio.Runner()
        self._client = self._runner.run(self._made(url, given))

    @staticmethod
    async def _made(url, given):
        return AsyncClient(url, **given)

    def __getattr__(self, name):
        method = getattr(self._client, name)
        return lambda *one, **given: self._runner.run(method(*one, **given))

    def __enter__(self):
        return self

    def __exit__(self, *error):
        self._runner.run(self._client.close())
        self._runner.close()


@pytest.fixture(params=[Client, Blocking])
def kind(request):
    return request.param


def test_every_call_gives_its_answer(kind, service):
    with kind(service.url) as client:
        answer = client.recommend(2, 3, deny=[242])
        assert (answer.user_id, len(answer.items), answer.items[0].position) == (2, 3, 1)
        assert 242 not in [one.item_id for one in answer.items]
        one, other = client.recommend_batch([{"user_id": 1, "k": 2}, {"k": 1}])
        assert (len(one.items), other.items[0].item_id) == (2, 242)
        assert client.similar(242, 2).items[0].item_id == 302
        assert client.popular(2).item_ids == [242, 302]
        assert client.item(242).title == "Film 242"
        assert client.user(1).trained
        assert client.health().status == "ready"
        assert client.health("live").status == "live"
        assert "encorec_requests_total" in client.metrics()


def test_events_count_and_have_names_of_their_own(kind, service):
    user = f"told by {kind.__name__}"
    with kind(service.url) as client:
        assert client.events([{"user_id": user, "item_id": 242}, {"user_id": user, "item_id": -9}]).accepted == 1
        assert client.recommend(user, 1).items[0].item_id == 302
        assert client.events([{"event_id": user, "user_id": user, "item_id": 302}]).accepted == 1
        assert client.events([{"event_id": user, "user_id": user, "item_id": 302}]).duplicates == 1


def test_a_refusal_says_where_and_is_not_asked_again(kind, service):
    with Proxy(service.address) as proxy, kind(proxy.url) as client:
        with pytest.raises(RequestRefused, match=r"k is 501, allowed is 1 to 500") as caught:
            client.recommend(17, 501)
        assert (caught.value.status, caught.value.path) == (422, "$.k")
        assert caught.value.request_id
        assert proxy.connections == 1
        with pytest.raises(RequestRefused) as caught:
            client.item("no/such?item")
        assert (caught.value.status, caught.value.path) == (404, "item_id")
        assert isinstance(caught.value, EncorecError)


@pytest.mark.parametrize("fault", [resets, hangs_up, stalls, tears, babbles, says("503 Service Unavailable")])
def test_what_fails_on_the_way_is_asked_again(kind, service, fault):
    with Proxy(service.address, [fault, fault]) as proxy, kind(proxy.url, timeout=0.3, retries=QUICK) as client:
        assert client.popular(1).item_ids == [242]
        assert proxy.connections == 3


def test_an_event_whose_answer_was_torn_is_stored_once(kind, service):
    user = f"torn {kind.__name__}"
    with Proxy(service.address, [tears]) as proxy, kind(proxy.url, retries=QUICK) as client:
        answer = client.events([{"user_id": user, "item_id": 242}])
    assert (answer.accepted, answer.duplicates) == (0, 1)
    with kind(service.url) as client:
        assert len(client.user(user).events) == 1


def test_the_last_attempt_tells_why(kind, service):
    with Proxy(service.address, [stalls] * 3) as proxy:
        with kind(proxy.url, timeout=0.05, retries=QUICK) as client, pytest.raises(ServiceUnavailable, match="popular"):
            client.popular()
        assert proxy.connections == 3
    with kind("http://127.0.0.1:1", retries=Retries(attempts=1)) as client:
        with pytest.raises(ServiceUnavailable, match="ConnectionRefused") as caught:
            client.popular()
        assert caught.value.status is None


def test_the_service_says_how_long_to_wait(kind, service):
    soon, late = (says("503 Service Unavailable", f"retry-after: {one}") for one in ("0", "9"))
    with Proxy(service.address, [soon, late]) as proxy:
        with kind(proxy.url, retries=QUICK) as client, pytest.raises(ServiceUnavailable) as caught:
            client.popular(1)
        assert caught.value.retry_after == 9.0
        assert proxy.connections == 2, "nobody waits nine seconds where half a second is the limit"


def test_retries_have_a_budget(kind, service):
    sick = says("503 Service Unavailable")
    retries = Retries(attempts=5, first=0.0, burst=3, share=0.5)
    with Proxy(service.address, [sick] * 100) as proxy, kind(proxy.url, retries=retries) as client:
        counts = []
        for _ in range(4):
            with pytest.raises(ServiceUnavailable):
                client.popular()
            counts.append(proxy.connections)
    assert counts == [4, 5, 7, 8], "three at once, then one for every second call"


def test_waiting_is_by_chance_and_doubles():
    retries = Retries(attempts=6, first=0.1, longest=0.5)
    drawn = [list(retries.waits(random.Random(seed))) for seed in range(500)]
    for retry, most in enumerate((0.1, 0.2, 0.4, 0.5, 0.5)):
        waits = [one[retry] for one in drawn]
        assert 0 <= min(waits) < 0.1 * most
        assert 0.9 * most < max(waits) <= most


def test_connections_stay_open_and_are_replaced(kind, service):
    with Proxy(service.address) as proxy, kind(proxy.url) as client:
        for _ in range(5):
            client.popular(1)
        assert proxy.connections == 1


def test_a_closed_connection_costs_no_retry(kind, service):
    closing = says("200 OK", "content-type: application/json", body=b'{"item_ids":[1],"model":"m"}')

    def closes_later(client, proxy):
        client.recv(65536)
        body = b'{"item_ids":[7],"model":"m"}'
        client.sendall(b"HTTP/1.1 200 OK\r\ncontent-length: %d\r\n\r\n%s" % (len(body), body))
        client.close()

    with Proxy(service.address, [closes_later, closing]) as proxy:
        with kind(proxy.url, retries=Retries(attempts=1)) as client:
            assert client.popular(1).item_ids == [7]
            time.sleep(0.05)
            assert client.popular(1).item_ids == [1]
            assert client.popular(1).item_ids == [242]
        assert proxy.connections == 3


def test_threads_share_a_client(service):
    with Client(service.url) as client:
        wrong = []

        def ask(user):
            for _ in range(20):
                if client.recommend(user, 1).user_id != user:
                    wrong.append(user)

        threads = [threading.Thread(target=ask, args=(f"u{one}",)) for one in range(8)]
        for one in threads:
            one.start()
        for one in threads:
            one.join()
        assert wrong == []


def test_tasks_share_a_client(service):
    async def ask():
        async with AsyncClient(service.url) as client:
            answers = await asyncio.gather(*(client.recommend(f"u{one}", 1) for one in range(50)))
        return [one.user_id for one in answers]

    assert asyncio.run(ask()) == [f"u{one}" for one in range(50)]


def test_a_request_id_is_passed_on(kind, service):
    with kind(service.url, headers={"x-request-id": "trace-7"}) as client, pytest.raises(RequestRefused) as caught:
        client.recommend(17, 0)
    assert caught.value.request_id == "trace-7"


@pytest.mark.parametrize("url", ["", "shop", "ftp://shop", "http://", "http://shop:99999", "http://shop?x=1"])
def test_a_url_that_is_none_is_refused(url):
    with pytest.raises(ConfigError, match="URL"):
        AsyncClient(url)


def test_the_client_loads_no_model_and_no_server():
    program = "import encorec.serving.client.calls, sys; print(*sys.modules)"
    run = subprocess.run(
        [sys.executable, "-c", program],
        capture_output=True,
        text=True,
        check=True,
        cwd=Path(__file__).parents[2] / "src",
    )
    assert {"numpy", "fastapi", "starlette", "httpx", "catboost"} & set(run.stdout.split()) == set()
