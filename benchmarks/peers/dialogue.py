"""The driver's side of the conversation. Runs in the peers' environment; the project never imports it."""

import json
import os
import sys
import time

__all__ = ["serve", "timed"]


def serve(calls):
    """Answer lines of JSON until there are no more.

    Args:
        calls: name -> function; it is given the arguments of the line and returns what JSON can hold.
    """
    answers = os.fdopen(os.dup(1), "w")
    os.dup2(2, 1)  # what libraries print must not stand between the answers
    for line in sys.stdin:
        request = json.loads(line)
        answer = calls[request["call"]](**request["arguments"])
        print(json.dumps(answer), file=answers, flush=True)


def timed(call):
    """What ``call()`` returns and how many seconds it took."""
    began = time.perf_counter()
    result = call()
    return result, time.perf_counter() - began
