import asyncio
import sqlite3
import threading
from contextlib import closing

import pytest
from tests.serving.test_state_contract import event

from encorec.serving.state.group_commit import GroupCommit
from encorec.serving.state.sqlite_state import SqliteState
from encorec.serving.state.store import AppendResult, StateError


class Counted(SqliteState):
    """Counts transactions, and holds the first one back until it is let go."""

    def __init__(self, path: str) -> None:
        super().__init__(path)
        self.groups: list[int] = []
        self.go_on = threading.Event()

    def append_calls(self, calls, *, now):
        self.go_on.wait(10)
        self.groups.append(len(calls))
        return super().append_calls(calls, now=now)


def test_calls_that_wait_at_once_share_a_transaction_and_each_gets_its_own_result(tmp_path):
    async def all_at_once(state: Counted, commits: GroupCommit) -> list[AppendResult]:
        first = asyncio.create_task(commits.append([event("first")], now=50))
        await asyncio.sleep(0)
        rest = [commits.append([event(i // 2), event(f"own-{i}")], now=50) for i in range(100)]
        waiting = asyncio.gather(first, *rest)
        await asyncio.sleep(0)
        state.go_on.set()
        return await waiting

    with closing(Counted(str(tmp_path / "state.sqlite"))) as state, GroupCommit(state) as commits:
        results = asyncio.run(all_at_once(state, commits))
        assert results[0] == AppendResult(1, 0)
        assert results[1:] == [AppendResult(2, 0), AppendResult(1, 1)] * 50
        assert state.groups == [1, 100]
        assert len(state.read(1, before=50).events) == 151


def test_a_group_is_no_larger_than_it_may_be(tmp_path):
    async def all_at_once(commits: GroupCommit) -> list[AppendResult]:
        calls = [[event(f"{i}-{j}") for j in range(400)] for i in range(7)]
        return await asyncio.gather(*(commits.append(call, now=50) for call in calls))

    with closing(Counted(str(tmp_path / "state.sqlite"))) as state, GroupCommit(state) as commits:
        state.go_on.set()
        assert asyncio.run(all_at_once(commits)) == [AppendResult(400, 0)] * 7
        assert max(state.groups) <= 3


def test_a_call_that_no_store_can_take_fails_alone():
    async def all_at_once(commits: GroupCommit) -> list[AppendResult | BaseException]:
        calls = [[event("a")], [event("b"), event("c", item=2**80)], [event("d")]]
        return await asyncio.gather(*(commits.append(call, now=50) for call in calls), return_exceptions=True)

    with closing(SqliteState(":memory:")) as state, GroupCommit(state) as commits:
        first, second, third = asyncio.run(all_at_once(commits))
        assert (first, third) == (AppendResult(1, 0), AppendResult(1, 0))
        assert isinstance(second, OverflowError)
        assert len(state.read(1, before=50).events) == 2


def test_when_the_store_refuses_every_call_is_told_and_the_next_ones_are_taken(tmp_path):
    path = str(tmp_path / "state.sqlite")

    async def twice(state: SqliteState, commits: GroupCommit) -> AppendResult:
        other = sqlite3.connect(path, isolation_level=None)
        other.execute("BEGIN IMMEDIATE")
        refused = await asyncio.gather(*(commits.append([event(i)], now=50) for i in range(5)), return_exceptions=True)
        assert [type(one) for one in refused] == [StateError] * 5
        other.execute("ROLLBACK")
        other.close()
        return await commits.append([event(i) for i in range(5)], now=50)

    with closing(SqliteState(path, patience=0.01)) as state, GroupCommit(state) as commits:
        assert asyncio.run(twice(state, commits)) == AppendResult(5, 0)


def test_a_caller_that_gives_up_holds_up_nobody():
    async def impatient(commits: GroupCommit) -> AppendResult:
        with pytest.raises(TimeoutError):
            await asyncio.wait_for(commits.append([event("a")], now=50), timeout=0.0)
        task = asyncio.create_task(commits.append([event("b")], now=50))
        await asyncio.sleep(0)
        task.cancel()
        return await commits.append([event("c")], now=50)

    with closing(SqliteState(":memory:")) as state, GroupCommit(state) as commits:
        assert asyncio.run(impatient(commits)) == AppendResult(1, 0)
