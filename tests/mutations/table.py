"""The planted bugs: where, what stands there, what a careless hand would write, and which test must turn red."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Mutation:
    """One planted bug: `right` stands exactly once in `file`; with `wrong` in its place `tests` must fail."""

    name: str
    file: str
    right: str
    wrong: str
    tests: str


MUTATIONS = (
    Mutation(
        "margin sign flipped",
        "labelloop/acquisition/uncertainty.py",
        "return 1.0 - (first - second)",
        "return first - second",
        "tests/unit/test_acquisition.py -k doubtful",
    ),
    Mutation(
        "first annotation as truth",
        "labelloop/opinions.py",
        '.aggregate([("value", "last")])',
        '.aggregate([("value", "first")])',
        "tests/unit/test_rounds_and_units.py -k latest_of_two",
    ),
    Mutation(
        "adaptive opinions counted as agreement",
        "labelloop/opinions.py",
        'reasons=("planned", "gold")',
        "reasons=None",
        "tests/unit/test_rounds_and_units.py -k counts_planned",
    ),
    Mutation(
        "prefix instead of exact key",
        "tasks/clients/media.py",
        'if item["Key"] == key',
        'if item["Key"].startswith(key)',
        "tests/integration/test_media.py -k exact_key",
    ),
    Mutation(
        "wrong suppression key accepted",
        "labelloop/identity.py",
        "present.get(key_id, recorded[key_id]) != recorded[key_id]",
        "present.get(key_id, recorded[key_id]) == key_id",
        "tests/unit/test_identity.py -k cannot_be_verified",
    ),
    Mutation(
        "stratified truncation",
        "labelloop/sampling/stratified.py",
        'whole[np.argsort(-remainder, kind="stable")[:short]] += 1',
        "whole[:0] += short",
        "tests/unit/test_each_strategy.py -k allocation",
    ),
    Mutation(
        "a prediction of other bytes believed",
        "labelloop/pool.py",
        "ON m.ref_id = r.ref_id AND m.media_version = r.media_version",
        "ON m.ref_id = r.ref_id",
        "tests/unit/test_rounds_and_units.py -k older_media_version",
    ),
    Mutation(
        "a lost lease goes on writing",
        "tasks/clients/lease.py",
        'raise LeaseLost(f"the lease {self.name} was taken over by another run", remedy="let that run finish")',
        "return None",
        "tests/unit/test_lease.py -k stays_lost",
    ),
    Mutation(
        "DeleteObjects reply believed",
        "tasks/erasure_media.py",
        "    if copy.uploads() or set(copy.versions()) - set(held):",
        "    if False:",
        "tests/stages/test_erasure.py -k answered_and_not_done",
    ),
    Mutation(
        "a suppressed object admitted",
        "tasks/sync.py",
        "return arriving.filter(pc.invert(pa.array(covered, pa.bool_())))",
        "return arriving",
        "tests/stages/test_sync.py -k never_admitted",
    ),
    Mutation(
        "an erasure that leaves the pairs of the subject",
        "labelloop/erasure/plan.py",
        'found = units["unit_id"].take(pc.unique(member_of.filter(hit)))',
        'found = units["unit_id"].take(pc.unique(member_of.filter(hit)))[:1]',
        "tests/stages/test_erasure.py -k everything_of_the_subject",
    ),
    Mutation(
        "blind retry of an import",
        "tasks/push.py",
        "if unit not in strays.adopted}",
        "if unit}",
        "tests/stages/test_push.py -k carried_out",
    ),
    Mutation(
        "refused predictions taken for accepted",
        "tasks/clients/label_studio_server.py",
        "if created != len(predictions):",
        "if created > len(predictions):",
        "tests/integration/test_label_studio.py -k refused_prediction",
    ),
    Mutation(
        "a vanished server taken for a clean-up",
        "labelloop/collect.py",
        "if len(gone) > limit * len(rows):",
        "if len(gone) > len(rows):",
        "tests/unit/test_collect.py",
    ),
    Mutation(
        "another server believed",
        "tasks/labelling_project.py",
        'if settings is None or _marker(world, found.server) not in (settings.get("description") or ""):',
        "if settings is None:",
        "tests/stages/test_push.py -k another_server",
    ),
    Mutation(
        "adaptive opinions passed off as planned",
        "labelloop/collect.py",
        "for a in first[: planned_overlap(self.spec, task.unit_id)]}",
        "for a in first}",
        "tests/stages/test_collect.py -k adaptive",
    ),
    Mutation(
        "an object key brought to a canonical form",
        "labelloop/identity.py",
        '_CANONICAL_KINDS = {"subject", "source"}',
        '_CANONICAL_KINDS = {"subject", "source", "object_key"}',
        "tests/unit/test_identity.py -k never_normalised",
    ),
    Mutation(
        "a prefix that cuts a name accepted",
        "labelloop/erasure/request.py",
        'lambda prefix: not prefix.endswith("/")',
        "lambda prefix: not prefix",
        "tests/unit/test_erasure_requests.py -k malformed",
    ),
    Mutation(
        "a lifted suppression still in force",
        "labelloop/erasure/suppression.py",
        'in_force = rows.filter(pc.is_null(rows["lifted_at"]))',
        "in_force = rows",
        "tests/unit/test_suppression.py -k lifted",
    ),
    Mutation(
        "one person approves twice after a key rotation",
        "labelloop/erasure/decisions.py",
        "if behind & by.known_as:",
        "if by.pseudonym in behind:",
        "tests/unit/test_erasure_decisions.py -k rotation",
    ),
    Mutation(
        "an inbox file taken up once for each key",
        "tasks/erasure_inbox.py",
        "if not any(map(erasures.is_known, ids)):",
        "if not erasures.is_known(ids[0]):",
        "tests/stages/test_erasure_inbox.py -k key_rotation",
    ),
    Mutation(
        "bytes of another subject suppressed without asking",
        "tasks/erasure_content.py",
        "if shared and request.shared_content is None:",
        "if not shared and request.shared_content is None:",
        "tests/stages/test_content_suppression.py -k another_subject",
    ),
    Mutation(
        "inventory file taken with a wrong checksum",
        "tasks/clients/inventory.py",
        "if digest.hexdigest() != file.checksum.lower():",
        "if digest.hexdigest() == file.checksum.lower()[1:]:",
        "tests/unit/test_inventory.py -k wrong_checksum",
    ),
    Mutation(
        "deleted objects of an inventory taken as present",
        "tasks/clients/inventory_rows.py",
        ".filter(pc.and_not(latest, marker))",
        ".filter(latest)",
        "tests/unit/test_inventory.py -k 'present_objects or cannot'",
    ),
    Mutation(
        "keys of a listing left encoded",
        "tasks/clients/listing.py",
        "pa.array([_decoded(key) for key in keys] if encoded else keys, pa.string())",
        "pa.array(keys, pa.string())",
        "tests/unit/test_listing.py -k exactly_once",
    ),
    Mutation(
        "object admitted without the id that is on its way",
        "tasks/clients/written_ids.py",
        "return found, found is None and not place.optional",
        "return found, False",
        "tests/stages/test_sources.py -k on_its_way",
    ),
    Mutation(
        "shared noise taken for disagreement",
        "labelloop/acquisition/committee.py",
        "return np.asarray(np.maximum(entropy(committee.mean(axis=1)) - shared, 0.0))",
        "return np.asarray(entropy(committee.mean(axis=1)))",
        "tests/unit/test_acquisition_columns.py -k 'bald_is or one_mind'",
    ),
    Mutation(
        "chances as if drawn with replacement",
        "labelloop/sampling/stochastic.py",
        "return np.asarray(-np.expm1(-share * np.exp(t)))",
        "return np.asarray(np.minimum(1.0, n * share))",
        "tests/unit/test_each_strategy.py -k chances_are_sums",
    ),
    Mutation(
        "two copies in one batch",
        "labelloop/sampling/limits.py",
        "return not self._likeness.between(row, self._taken[self._settled :]).any()",
        "return True",
        "tests/unit/test_limits.py -k million_copies",
    ),
    Mutation(
        "comparisons that leave islands",
        "labelloop/unit_builders/pairs.py",
        "        if one != other:",
        "        if one != other and len(found) < len(order) // 2:",
        "tests/unit/test_unit_builders.py -k can_be_reached",
    ),
    Mutation(
        "audit references asked again as gold",
        "labelloop/asked.py",
        "WHERE u.kind = 'single' AND u.purpose = 'label' AND l.state = 'accepted'",
        "WHERE u.kind = 'single' AND l.state = 'accepted'",
        "tests/stages/test_sample.py -k gold_and_repeats",
    ),
    Mutation(
        "copies of the audit trained on in a group",
        "labelloop/unit_builders/build.py",
        "near_duplicate_groups(leaders, ways, audited == side, size=unit.size)",
        "near_duplicate_groups(leaders, ways, audited | True, size=unit.size)",
        "tests/unit/test_unit_builders.py -k same_side",
    ),
    Mutation(
        "an entity tag believed to be a move",
        "labelloop/moves.py",
        "ON g.size = a.size AND g.digest = a.digest AND g.n = a.n",
        "ON g.size = a.size AND g.n = a.n",
        "tests/unit/test_sync.py -k same_bytes_of_the_same",
    ),
    Mutation(
        "a moved object of another subject keeps its reference",
        "labelloop/moves.py",
        "AND g.subject_hmac IS NOT DISTINCT FROM a.subject_hmac AND",
        "AND",
        "tests/unit/test_sync.py -k same_bytes_of_the_same",
    ),
    Mutation(
        "versioning turned on changes all media",
        "labelloop/sync_queries.py",
        "ELSE coalesce(r.mark, r.version) = l.mark END AS same",
        "ELSE false END AS same",
        "tests/unit/test_sync.py -k version_the_bucket_gave",
    ),
    Mutation(
        "an erasure overtaken by sync",
        "labelloop/sync_queries.py",
        "AND k.state <> 'restricted'",
        "AND true",
        "tests/unit/test_sync.py -k left_to_it",
    ),
    Mutation(
        "other bytes asked about under an old unit",
        "tasks/outdated.py",
        'elif row["state"] == "open" and task:',
        'elif row["state"] == "closed" and task:',
        "tests/stages/test_outdated.py -k nobody_is_asked",
    ),
    Mutation(
        "a rewritten table overwrites a rival",
        "tasks/clients/lake.py",
        'write_deltalake(found, _cast(batches, rows.schema), mode="overwrite", predicate=f"{key} IS NOT NULL")',
        'write_deltalake(found, _cast(batches, rows.schema), mode="overwrite")',
        "tests/stages/test_lake.py -k rival",
    ),
    Mutation(
        "greedy picks below the bar",
        "labelloop/sampling/coverage.py",
        "if rows and (worth[best] < bar or worth[best] < 0):",
        "if rows and worth[best] < 0:",
        "tests/unit/test_each_strategy.py -k blocked_greedy",
    ),
    Mutation(
        "ties by chance of the shard",
        "labelloop/sampling/uncertainty.py",
        'lots = permanent_numbers(ref_ids.take(pa.array(rows)), f"{rng.integers(2**63)}")',
        "lots = rng.random(len(rows))",
        "tests/unit/test_large_pools.py -k ties_included",
    ),
    Mutation(
        "chance of a draw from a sample taken for the pool's",
        "labelloop/sampling/draws.py",
        "len(drawn) / max(open_rows, 1)",
        "1.0",
        "tests/unit/test_large_pools.py -k knows_its_chance",
    ),
    Mutation(
        "what was asked before forgotten in shards",
        "tasks/candidates.py",
        "within.condition | _ref_id().isin(known)",
        "within.condition",
        "tests/stages/test_shards.py -k second_round",
    ),
)
