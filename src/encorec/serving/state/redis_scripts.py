"""What Redis does by itself, each in one step that nothing interrupts: taking in events, telling states.

Keys, below a prefix: ``:arrivals`` counts events; ``:id:<event>`` remembers a name for a while; ``:past:<user>`` is a
sorted set of events by time, ``:seen:<user>`` one of items by their earliest time. Members are JSON: an integer and a
text stay apart, and an answer is put together by joining. The member of an event begins with its place of arrival, in
digits of a fixed number, so that of events of equal time the one that came first stands first.
"""

from hashlib import sha1

from encorec.serving.state.redis_client import NoScriptError, Redis

__all__ = ["APPEND", "READ", "Script"]


class Script:
    """A script that is known to the server by its digest, and sent in full only where the server has forgotten it.

    Args:
        text: Lua.

    Example:
        >>> Script("return 1").digest[:8]
        'e0e1f9fa'
    """

    def __init__(self, text: str) -> None:
        self._text, self.digest = text, sha1(text.encode(), usedforsecurity=False).hexdigest()

    def run(self, client: Redis, keys: list[bytes], values: list[bytes | int | str]) -> bytes:
        """What the script returns, after one round trip; two after a restart of the server."""
        given = (len(keys), *keys, *values)
        try:
            return client.execute_command("EVALSHA", self.digest, *given)  # pyright: ignore
        except NoScriptError:
            return client.execute_command("EVAL", self._text, *given)  # pyright: ignore


# keys: arrivals, stream, then past and seen of every user; values: now, kept, seconds of a name, prefix of names,
# length of the stream (-1 = none), then of every event: name, place of its user, time, item, rest of its member, wire.
# What could fail is asked first: after the first write nothing may, because Redis takes nothing back.
APPEND = Script("""
local now, kept, life, names, length = ARGV[1], tonumber(ARGV[2]), ARGV[3], ARGV[4], ARGV[5]
local call, streaming = redis.call, length ~= '-1'
for at = 3, #KEYS do call('ZCARD', KEYS[at]) end
if streaming then call('XLEN', KEYS[2]) end
local arrival = call('INCRBY', KEYS[1], (#ARGV - 5) / 6) - (#ARGV - 5) / 6
local new = {}
for at = 6, #ARGV, 6 do
    local fresh = call('SET', names .. ARGV[at], '', 'NX', 'EX', life)
    new[#new + 1] = fresh and '1' or '0'
    if fresh then
        local past, time = 2 * ARGV[at + 1] + 3, ARGV[at + 2]
        arrival = arrival + 1
        call('ZADD', KEYS[past], time, string.format('["%016d",', arrival) .. ARGV[at + 4])
        call('ZADD', KEYS[past + 1], 'LT', time, ARGV[at + 3])
        if streaming and length == '0' then
            call('XADD', KEYS[2], '*', 'event_id', ARGV[at], 'event', ARGV[at + 5])
        elseif streaming then
            call('XADD', KEYS[2], 'MAXLEN', '~', length, '*', 'event_id', ARGV[at], 'event', ARGV[at + 5])
        end
    end
end
for at = 3, #KEYS, 2 do
    local surplus = call('ZCOUNT', KEYS[at], '-inf', '(' .. now) - kept
    if surplus > 0 then call('ZREMRANGEBYRANK', KEYS[at], 0, surplus - 1) end
end
return table.concat(new)
""")

# keys: past and seen of every user; values: before, kept.
READ = Script("""
local states, before, join = {}, '(' .. ARGV[1], table.concat
for at = 1, #KEYS, 2 do
    local past = redis.call('ZREVRANGEBYSCORE', KEYS[at], before, '-inf', 'LIMIT', 0, ARGV[2])
    local seen = redis.call('ZRANGEBYSCORE', KEYS[at + 1], '-inf', before)
    states[#states + 1] = '[[' .. join(past, ',') .. '],[' .. join(seen, ',') .. ']]'
end
return '[' .. join(states, ',') .. ']'
""")
