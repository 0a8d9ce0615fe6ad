"""Networks: seconds and memory of an epoch of training, and milliseconds to encode one history without torch.

    python -m benchmarks.speed.bench_networks [--scale 0.1]

An epoch is a whole fit that ends after its first one, with the defaults of its kind and all cores. A history of 50
events is encoded on one thread.
"""

from benchmarks.record import Measurement
from benchmarks.speed import network_steps, prepared
from benchmarks.speed.fresh import measure
from benchmarks.speed.size import SEED, Size, parser, report

EVENTS = 50


def main() -> None:
    share = parser(__doc__).parse_args().scale
    prepared.prepare(share)
    rows: list[Measurement] = []
    for name in network_steps.NETWORKS:
        case = f"{Size(share)}: {name}, one epoch"
        fitted = measure(network_steps.epoch, runs=1, share=share, name=name)
        rows += [fitted.took(case), fitted.rate(f"{case}, interactions", "1/s"), fitted.memory(case)]
    for name in ("sasrec", "two-tower", "two-tower, features"):
        encoded = measure(network_steps.encode, name=name, events=EVENTS)
        each = [1000 * one / encoded.work for one in encoded.seconds]
        rows.append(Measurement(f"{name}: one history of {EVENTS} events encoded", "ms", each, SEED))
    report("networks", share, rows)


if __name__ == "__main__":
    main()
