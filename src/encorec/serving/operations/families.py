"""Every metric of the service: its name, its kind and what it means. ``docs/serving.md`` lists them."""

from encorec.serving.operations.exposition import Family

__all__ = ["FAMILIES", "LATENCY", "STAGE"]

LATENCY = (0.0005, 0.001, 0.0015, 0.002, 0.003, 0.005, 0.0075, 0.01, 0.015, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5)
STAGE = (0.00005, 0.0001, 0.0002, 0.0003, 0.0005, 0.00075, 0.001, 0.0015, 0.002, 0.003, 0.005, 0.01, 0.025, 0.1, 0.5)

_ALL = (
    Family("encorec_request_seconds", "histogram", "From the head of a request to the end of its answer.", LATENCY),
    Family("encorec_requests_total", "counter", "Requests by route and status."),
    Family("encorec_requests_in_flight", "gauge", "Requests begun and not yet answered."),
    Family("encorec_stage_seconds", "histogram", "Time of a stage: wait, state, engine and what is in it.", STAGE),
    Family("encorec_candidates_total", "counter", "Candidates that a source proposed."),
    Family("encorec_shown_total", "counter", "Items shown that a source proposed; one item may have several sources."),
    Family("encorec_answers_total", "counter", "Slates answered, those of batches one by one."),
    Family("encorec_degraded_total", "counter", "Slates answered without a stage, by what was left out."),
    Family("encorec_variant_answers_total", "counter", "Slates answered, by experiment and variant."),
    Family("encorec_variant_shown_total", "counter", "Items shown, by experiment and variant."),
    Family("encorec_variant_degraded_total", "counter", "Slates answered without a stage, by variant and reason."),
    Family("encorec_unknown_ids_total", "counter", "Ids in requests that the snapshot does not know."),
    Family("encorec_short_total", "counter", "Slates with fewer items than asked for."),
    Family("encorec_shed_total", "counter", "Requests that admission did not let through to the engine."),
    Family("encorec_events_total", "counter", "Events told, by what became of them."),
    Family("encorec_state_errors_total", "counter", "Reads and writes of the user state that failed."),
    Family("encorec_state_lag_seconds", "gauge", "Age of the newest event applied to the state, at its arrival."),
    Family("encorec_snapshot_info", "gauge", "1 for the snapshot that answers."),
    Family("encorec_snapshot_data_end_seconds", "gauge", "Where the training data of the snapshot end, since 1970."),
    Family("encorec_snapshot_loaded_seconds", "gauge", "When the snapshot began to answer, since 1970."),
    Family("encorec_reloads_total", "counter", "Changes of the snapshot by outcome: ok, refused."),
    Family("encorec_snapshot_fault", "gauge", "1 while the snapshot that is wanted cannot be served."),
    Family("encorec_log_dropped_total", "counter", "Entries that a log could not take."),
    Family("encorec_shown_catalogue_share", "gauge", "Share of the catalogue shown lately, over all workers."),
    Family("encorec_shown_popularity_mean", "gauge", "Mean popularity percentile of places lately; 1 = the top item."),
    Family("encorec_shown_entropy_bits", "gauge", "Entropy of the items shown lately, over all workers."),
    Family("encorec_shown_places", "gauge", "Places that the three figures before this one are about."),
    Family("encorec_labels_refused", "gauge", "Series that are not counted for want of room."),
)

FAMILIES = {one.name: one for one in _ALL}
"""Every metric by its name."""
