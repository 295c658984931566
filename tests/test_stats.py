"""Statistics: against scipy, worked examples of the literature, brute force on small arrays; coverage by simulation."""

import itertools
from math import comb, sqrt

import numpy as np
import pytest
from scipy import stats as scipy_stats

from harness.report.stats import aggregate, bootstrap, enough, groups, paired, ranks, summary, variance


def rng(seed=0):
    return np.random.default_rng(seed)


# Demsar 2006, Table 6 (as also in scipy's tests): AUC of C4.5, with m, with cf, with both, on 14 data sets.
DEMSAR = np.array(
    [
        [0.763, 0.599, 0.954, 0.628, 0.882, 0.936, 0.661, 0.583, 0.775, 1.0, 0.940, 0.619, 0.972, 0.957],
        [0.768, 0.591, 0.971, 0.661, 0.888, 0.931, 0.668, 0.583, 0.838, 1.0, 0.962, 0.666, 0.981, 0.978],
        [0.771, 0.590, 0.968, 0.654, 0.886, 0.916, 0.609, 0.563, 0.866, 1.0, 0.965, 0.614, 0.9751, 0.946],
        [0.798, 0.569, 0.967, 0.657, 0.898, 0.931, 0.685, 0.625, 0.875, 1.0, 0.962, 0.669, 0.975, 0.970],
    ]
).T


# What is no number


@pytest.mark.parametrize(
    "call",
    [
        lambda bad: summary.summarise(bad[:, 0]),
        lambda bad: summary.over_runs(bad[:, 0]),
        lambda bad: aggregate.interquartile_mean(bad),
        lambda bad: aggregate.probability_of_improvement(np.ones((3, 2)), bad),
        lambda bad: aggregate.performance_profile(bad, [0.5]),
        lambda bad: bootstrap.stratified(bad, aggregate.mean, rng()),
        lambda bad: bootstrap.paired(bad, np.ones((3, 2)), rng()),
        lambda bad: paired.mcnemar(bad[:, 0], np.ones(3)),
        lambda bad: paired.mcnemar_runs(bad, np.ones((3, 2))),
        lambda bad: paired.signed_rank(bad[:, 0]),
        lambda bad: paired.holm(bad[:, 0]),
        lambda bad: paired.pairwise(bad),
        lambda bad: ranks.friedman(bad),
        lambda bad: ranks.cliques(bad[:, 0], 1.0),
        lambda bad: variance.components(bad),
        lambda bad: variance.difference(bad, np.ones((3, 2))),
        lambda bad: groups.with_the_best(np.zeros((3, 3), bool), bad[:, 0]),
    ],
)
@pytest.mark.parametrize("value", [np.nan, np.inf])
def test_a_score_that_is_no_number_is_refused_with_a_sentence(call, value):
    bad = np.ones((3, 2))
    bad[1, 0] = value
    with pytest.raises(ValueError, match=r"not finite; leave out runs without a score.*\.$"):
        call(bad)


@pytest.mark.parametrize(
    ("call", "words"),
    [
        (lambda: summary.over_runs([0.5]), "at least two seeds"),
        (lambda: summary.summarise([]), "empty"),
        (lambda: summary.mean_of([]), "no estimate"),
        (lambda: aggregate.mean([0.5, 0.6]), "runs x tasks"),
        (lambda: aggregate.probability_of_improvement(np.ones((2, 3)), np.ones((2, 4))), "same tasks"),
        (lambda: bootstrap.stratified(np.ones((2, 2)), aggregate.mean, rng(), level=95), "0.95"),
        (lambda: paired.mcnemar([0.5, 1], [1, 0]), "right or wrong"),
        (lambda: paired.mcnemar([1, 0, 1], [1, 0]), "matched"),
        (lambda: paired.holm([0.5, 1.5]), "outside 0..1"),
        (lambda: ranks.friedman(np.ones((5, 2))), "signed-rank"),
        (lambda: ranks.critical_difference(1, 5), "at least 2 methods"),
        (lambda: variance.components([[1.0, 0.0]]), "at least two"),
        (lambda: variance.binomial_se(88.0, 100), "0..1"),
        (lambda: groups.groups([[False, True], [False, False]]), "symmetric"),
        (lambda: enough.too_few(3, comparisons=0), "comparisons"),
    ],
)
def test_what_cannot_be_computed_says_what_is_needed(call, words):
    with pytest.raises(ValueError, match=words):
        call()


# Means and their errors


def test_summary_of_several_runs_and_of_one():
    found = summary.summarise([2.0, 4.0, 4.0, 4.0, 5.0, 5.0, 7.0, 9.0])
    assert (found.mean, found.n) == (5.0, 8) and found.sd == pytest.approx(sqrt(32 / 7))
    assert summary.summarise([3.0]) == summary.Summary(3.0, None, 1)


@pytest.mark.parametrize("level", [0.8, 0.95, 0.99])
def test_the_mean_of_runs_has_student_s_interval_and_p(level):
    values = rng(1).normal(0.3, 1.0, 6)
    found, wanted = summary.over_runs(values), scipy_stats.ttest_1samp(values, 0)
    interval = found.interval(level)
    assert (interval.low, interval.high) == pytest.approx(tuple(wanted.confidence_interval(level)))
    assert found.p == pytest.approx(wanted.pvalue)


def test_the_sum_of_independent_estimates_is_welch_s_test():
    x, y = rng(2).normal(0, 1, 4), rng(3).normal(0.5, 3, 9)
    found = summary.total([summary.over_runs(x), summary.over_runs(-y)])
    wanted = scipy_stats.ttest_ind(x, y, equal_var=False)
    assert (found.p, found.df) == pytest.approx((wanted.pvalue, wanted.df))


def test_equal_values_measure_no_noise():
    same = summary.over_runs([0.1 + 0.2, 0.3, 0.3])
    assert same.interval() is None and same.p is None
    assert summary.mean_of([same, same]).p is None


def test_the_mean_of_equal_tasks_gains_by_their_number():
    one = summary.over_runs([1.0, 2.0, 4.0])
    four = summary.mean_of([one] * 4)
    assert (four.value, four.se, four.df) == pytest.approx((one.value, one.se / 2, 8))


# Aggregates: the definitions of Agarwal et al. 2021, recomputed


SCORES = rng(4).random((5, 3)).round(1)
OTHERS = rng(5).random((4, 3)).round(1)


def test_aggregates_are_their_definitions():
    values = sorted(SCORES.ravel())
    assert aggregate.mean(SCORES) == pytest.approx(sum(values) / 15)
    assert aggregate.median(SCORES) == pytest.approx(sorted(SCORES.mean(axis=0))[1])
    assert aggregate.interquartile_mean(SCORES) == pytest.approx(sum(values[3:12]) / 9)
    assert aggregate.optimality_gap(SCORES, 0.6) == pytest.approx(sum(max(0.0, 0.6 - v) for v in values) / 15)
    better = [(x > y) + (x == y) / 2 for t in range(3) for x in SCORES[:, t] for y in OTHERS[:, t]]
    assert aggregate.probability_of_improvement(SCORES, OTHERS) == pytest.approx(sum(better) / len(better))


def test_aggregates_agree_with_scipy():
    assert aggregate.interquartile_mean(SCORES) == pytest.approx(scipy_stats.trim_mean(SCORES, 0.25, axis=None))
    by_task = [
        scipy_stats.mannwhitneyu(SCORES[:, t], OTHERS[:, t], alternative="greater").statistic / 20 for t in range(3)
    ]
    assert aggregate.probability_of_improvement(SCORES, OTHERS) == pytest.approx(np.mean(by_task))


def test_performance_profiles_are_shares_above_a_threshold():
    at = [0.0, 0.35, 0.5, 1.0]
    by_run = [np.mean([v > t for v in SCORES.ravel()]) for t in at]
    by_task = [np.mean([v > t for v in SCORES.mean(axis=0)]) for t in at]
    assert aggregate.performance_profile(SCORES, at) == pytest.approx(by_run)
    assert aggregate.performance_profile(SCORES, at, "tasks") == pytest.approx(by_task)


@pytest.mark.parametrize(
    "statistic",
    [aggregate.mean, aggregate.median, aggregate.interquartile_mean, aggregate.optimality_gap],
    ids=lambda f: f.__name__,
)
def test_aggregates_do_not_depend_on_the_order_of_tasks_and_take_many_tables_at_once(statistic):
    assert statistic(SCORES[:, [2, 0, 1]]) == pytest.approx(statistic(SCORES))
    assert statistic(np.stack([SCORES, 1 - SCORES])) == pytest.approx([statistic(SCORES), statistic(1 - SCORES)])


def test_improvement_is_a_half_between_equals_and_adds_up_to_one():
    assert aggregate.probability_of_improvement(SCORES, SCORES) == pytest.approx(0.5)
    there, back = (aggregate.probability_of_improvement(*two) for two in ((SCORES, OTHERS), (OTHERS, SCORES)))
    assert there + back == pytest.approx(1.0)
    assert aggregate.probability_of_improvement([[2.0], [3.0]], [[1.0]]) == 1.0


# Resampling


def test_each_task_draws_from_its_own_runs_only():
    scores = np.arange(12.0).reshape(4, 3)
    seen = []
    bootstrap.stratified(scores, lambda drawn: seen.append(drawn) or drawn.mean(axis=(1, 2)), rng(), resamples=200)
    for task in range(3):
        assert set(np.unique(seen[0][..., task])) == set(scores[:, task])
    alike = (seen[0] % 3 == np.arange(3)).all() and (np.diff(seen[0] // 3, axis=-1) == 0).all(axis=-1).mean()
    assert alike < 0.2, "a run is drawn as a whole instead of task by task"


def test_drawn_tasks_come_with_their_own_runs():
    scores = np.arange(12.0).reshape(4, 3)
    seen = []
    bootstrap.stratified(
        scores, lambda drawn: seen.append(drawn) or drawn.mean(axis=(1, 2)), rng(), resamples=300, tasks=True
    )
    assert (np.ptp(seen[0] % 3, axis=1) == 0).all(), "a column mixes tasks"
    assert len(np.unique(seen[0][:, 0] % 3, axis=0)) > 3, "the tasks are not drawn"


def test_the_interval_is_that_of_all_resamples_written_out():
    scores = np.array([[0.0, 0.0], [1.0, 3.0], [5.0, 4.0]])
    every = [
        np.mean([scores[list(one), 0].mean(), scores[list(other), 1].mean()])
        for one in itertools.product(range(3), repeat=3)
        for other in itertools.product(range(3), repeat=3)
    ]
    found = bootstrap.stratified(scores, aggregate.mean, rng(6), resamples=40_000, level=0.8)
    assert found.value == pytest.approx(np.mean(every))
    assert (found.low, found.high) == pytest.approx(np.quantile(every, [0.1, 0.9]), abs=0.04)


def test_resampling_is_the_same_for_the_same_generator_and_for_any_size_of_chunk(monkeypatch):
    one = bootstrap.stratified(SCORES, aggregate.interquartile_mean, rng(7))
    assert bootstrap.stratified(SCORES, aggregate.interquartile_mean, rng(7)) == one
    assert bootstrap.stratified(SCORES, aggregate.interquartile_mean, rng(8)) != one
    monkeypatch.setattr(bootstrap, "CHUNK", 100)
    other = bootstrap.stratified(SCORES, aggregate.interquartile_mean, rng(7))
    assert (other.low, other.high) == pytest.approx((one.low, one.high), abs=0.02)


def test_one_run_has_no_width_over_runs_but_over_tasks():
    single = SCORES[:1]
    found = bootstrap.stratified(single, aggregate.mean, rng())
    assert found.low == found.high == pytest.approx(single.mean())
    wide = bootstrap.stratified(single, aggregate.mean, rng(), tasks=True)
    assert wide.high - wide.low > 0.1


def test_improvement_of_equals_holds_a_half_and_of_the_better_does_not():
    better = bootstrap.stratified_pair(SCORES + 2, OTHERS, aggregate.probability_of_improvement, rng())
    assert (better.low, better.value, better.high) == (1.0, 1.0, 1.0)
    same = bootstrap.stratified_pair(SCORES, SCORES, aggregate.probability_of_improvement, rng())
    assert same.low < 0.5 < same.high


def test_a_profile_lies_within_its_band_and_falls():
    band = bootstrap.profile(SCORES, np.linspace(-0.1, 1, 12), rng(), resamples=300)
    assert (band.low <= band.values).all() and (band.values <= band.high).all()
    assert (np.diff(band.values) <= 0).all() and (np.diff(band.low) <= 0).all()
    assert band.values[0] == 1 and band.values[-1] == 0 and band.low.shape == (12,)


def test_the_paired_bootstrap_has_the_width_of_the_paired_t_interval():
    a, b = rng(9).random(400) < 0.8, rng(10).random(400) < 0.7
    found = bootstrap.paired(a, b, rng(11), resamples=8000)
    wanted = scipy_stats.ttest_rel(a.astype(float), b.astype(float)).confidence_interval()
    assert (found.low, found.high) == pytest.approx((wanted.low, wanted.high), abs=0.006)
    assert found.value == pytest.approx(a.mean() - b.mean())


def test_the_paired_bootstrap_keeps_an_item_s_outcomes_together():
    hard = rng(12).random(300) < 0.5
    found = bootstrap.paired(hard, hard, rng())
    assert found.low == found.high == 0.0


# Paired tests


def correctness(only_a, only_b, both=20, neither=5):
    a = [1] * only_a + [0] * only_b + [1] * both + [0] * neither
    b = [0] * only_a + [1] * only_b + [1] * both + [0] * neither
    return np.array(a), np.array(b)


def test_exact_mcnemar_of_the_worked_example():
    # Fay 2010, vignette exactMcNemar of the R package exact2x2: table 21, 9, 2, 12; p = 0.06543.
    found = paired.mcnemar(*correctness(9, 2, 21, 12))
    assert (found.only_a, found.only_b) == (9, 2) and found.p == pytest.approx(0.06543, abs=5e-6)


@pytest.mark.parametrize(("only_a", "only_b"), [(0, 0), (1, 0), (3, 3), (4, 3), (0, 12), (86, 150), (700, 650)])
def test_exact_mcnemar_is_the_binomial_test_of_the_items_that_differ(only_a, only_b):
    a, b = correctness(only_a, only_b)
    wanted = scipy_stats.binomtest(only_a, only_a + only_b).pvalue if only_a + only_b else 1.0
    assert paired.mcnemar(a, b).p == pytest.approx(wanted)
    assert paired.mcnemar(b, a).p == pytest.approx(wanted)
    assert paired.mcnemar_runs(a[None], b[None]) == pytest.approx(wanted)


def flipped(values):
    """The share of all signs whose sum is at least as far from 0 as the sum of `values`."""
    values = np.array(values, float)
    sums = [abs(np.dot(signs, np.abs(values))) for signs in itertools.product((-1, 1), repeat=len(values))]
    return np.mean([s >= abs(values.sum()) - 1e-9 for s in sums])


@pytest.mark.parametrize("seed", range(4))
def test_the_test_over_runs_flips_all_runs_of_an_item_together(seed):
    a, b = rng(seed).random((3, 9)) < 0.8, rng(seed + 50).random((3, 9)) < 0.4
    assert paired.mcnemar_runs(a, b) == pytest.approx(flipped(a.sum(axis=0) - b.sum(axis=0)))


def test_the_same_run_five_times_is_no_more_evidence_than_once():
    a, b = correctness(9, 2)
    assert paired.mcnemar_runs(np.stack([a] * 5), np.stack([b] * 5)) == pytest.approx(paired.mcnemar(a, b).p)


@pytest.mark.parametrize("n", [1, 5, 8, 25, 40])
def test_the_signed_rank_test_is_scipy_s_exact_one(n):
    values = rng(n).normal(0.3, 1, n)
    wanted = scipy_stats.wilcoxon(values, method="exact")
    found = paired.signed_rank(values)
    assert found.p == pytest.approx(wanted.pvalue)
    assert min(found.positive, found.negative) == wanted.statistic and found.n == n


def test_the_signed_rank_test_is_exact_with_ties_and_zeros_too():
    values = np.array([0.1, 0.1, -0.1, 0.3, 0.0, 0.2, 0.2, -0.4, 0.0, 0.5])
    kept = values[values != 0]
    signed = np.sign(kept) * scipy_stats.rankdata(np.abs(kept))
    found = paired.signed_rank(values)
    assert found.p == pytest.approx(flipped(signed)) and found.n == 8
    assert (found.positive, found.negative) == (signed[signed > 0].sum(), -signed[signed < 0].sum())


def test_ties_survive_rounding_and_no_difference_is_no_evidence():
    found = paired.signed_rank([0.3 - 0.2, 0.1 - 0.2, 0.9 - 0.8, 0.7 - 0.5])
    assert (found.positive, found.negative) == (8.0, 2.0)
    assert paired.signed_rank([0.0, 0.0, 0.0]) == paired.SignedRank(0.0, 0.0, 0, 1.0)


def test_the_signed_rank_example_of_demsar():
    # Section 3.1.3: C4.5 with m against C4.5, R+ = 93 and R- = 12 where the two zeros keep ranks 1.5 and are halved, H0
    # is rejected at 0.05. Without the zeros each of the 10 positive and 2 negative ranks is 2 lower.
    found = paired.signed_rank(DEMSAR[:, 1] - DEMSAR[:, 0])
    assert (found.positive, found.negative, found.n) == (93 - 1.5 - 20, 12 - 1.5 - 4, 12)
    assert found.p < 0.05


def test_holm_of_the_published_examples():
    # Demsar 2006, section 3.2.2: 0.016, 0.019, 0.607 against 0.017, 0.025, 0.05: the first two are rejected.
    assert list(paired.holm([0.019, 0.607, 0.016]) <= 0.05) == [True, False, True]
    # Derrac et al. 2011, Swarm and Evolutionary Computation 1, Table 16.
    p = [0.000006, 0.000332, 0.009823, 0.014171, 0.083642, 0.141093, 0.518605, 0.660706]
    adjusted = [0.000050, 0.002324, 0.058940, 0.070857, 0.334569, 0.423278, 1.0, 1.0]
    assert paired.holm(p) == pytest.approx(adjusted, abs=8 * 5e-7)


def test_holm_is_the_closure_of_bonferroni():
    # Marcus, Peritz and Gabriel 1976: adjusted p = the largest Bonferroni p of all sets of hypotheses that hold it.
    p = rng(13).random(6) ** 3
    sets = [one for size in range(1, 7) for one in itertools.combinations(range(6), size)]
    closed = [max(min(1.0, len(one) * min(p[list(one)])) for one in sets if i in one) for i in range(6)]
    assert paired.holm(p) == pytest.approx(closed)


def test_pairs_of_methods_follow_the_methods_when_they_are_reordered():
    scores = rng(14).normal(0, 1, (9, 4)) + [0, 0, 2, 4]
    p, order = paired.pairwise(scores), [2, 0, 3, 1]
    assert paired.pairwise(scores[:, order]) == pytest.approx(p[np.ix_(order, order)])
    assert paired.pairwise(scores[rng(15).permutation(9)]) == pytest.approx(p)
    assert (p == p.T).all() and (p.diagonal() == 1).all() and p[0, 3] < 0.05 <= p[0, 1]
    assert (paired.pairwise(np.repeat(scores[:, :1], 3, axis=1)) == 1).all(), "equal methods differ"


# Ranks


def test_average_ranks_and_friedman_of_demsar_s_example():
    found = ranks.friedman(DEMSAR)
    assert found.ranks == pytest.approx([3.143, 2.000, 2.893, 1.964], abs=5e-4)
    wanted = scipy_stats.friedmanchisquare(*DEMSAR.T)
    assert (found.statistic, found.p) == pytest.approx((wanted.statistic, wanted.pvalue))


def test_iman_and_davenport_s_f_is_the_analysis_of_variance_of_the_ranks():
    table = scipy_stats.rankdata(-DEMSAR, axis=1)
    tasks, methods = table.shape
    between = tasks * ((table.mean(axis=0) - table.mean()) ** 2).sum() / (methods - 1)
    rest = table - table.mean(axis=0) - table.mean(axis=1, keepdims=True) + table.mean()
    f = between / ((rest**2).sum() / ((tasks - 1) * (methods - 1)))
    found = ranks.friedman(DEMSAR)
    assert found.f == pytest.approx(f)
    assert found.f_p == pytest.approx(scipy_stats.f.sf(f, methods - 1, (methods - 1) * (tasks - 1)))


def test_friedman_where_all_agree_and_where_all_tie():
    agree = ranks.friedman(np.tile([3.0, 2.0, 1.0], (5, 1)))
    assert list(agree.ranks) == [1, 2, 3] and agree.f == np.inf and agree.f_p == 0 and agree.p < 0.01
    tied = ranks.friedman(np.ones((5, 3)))
    assert (tied.statistic, tied.p) == (0, 1) and list(tied.ranks) == [2, 2, 2]


@pytest.mark.parametrize(
    ("alpha", "q"),
    [
        (0.05, [1.960, 2.343, 2.569, 2.728, 2.850, 2.949, 3.031, 3.102, 3.164]),
        (0.10, [1.645, 2.052, 2.291, 2.459, 2.589, 2.693, 2.780, 2.855, 2.920]),
    ],
)
def test_the_critical_values_are_those_of_demsar_s_table_5a(alpha, q):
    tasks = 14
    found = [ranks.critical_difference(k, tasks, alpha) / sqrt(k * (k + 1) / (6 * tasks)) for k in range(2, 11)]
    assert found == pytest.approx(q, abs=1.1e-3)


def test_the_critical_difference_and_the_bars_of_demsar_s_example():
    # Section 3.2.2: CD 1.25 at 0.05 and 1.12 at 0.10, where C4.5 is worse than with m and than with both.
    assert ranks.critical_difference(4, 14) == pytest.approx(1.25, abs=0.005)
    wide = ranks.critical_difference(4, 14, 0.10)
    assert wide == pytest.approx(1.12, abs=0.005)
    assert ranks.cliques(ranks.average_ranks(DEMSAR), wide) == [(3, 1, 2), (2, 0)]


def test_bars_hold_ties_and_leave_out_what_stands_alone():
    assert ranks.cliques([5.0, 1.0, 1.0, 3.0], 0.0) == [(1, 2)]
    assert ranks.cliques([1.0, 2.0, 3.0], 5.0) == [(0, 1, 2)]
    assert ranks.cliques([1.0, 2.0, 3.0], 0.5) == []


# Seeds and test sets


def outcomes(generator, runs=5, items=200, seed_sd=0.0, hard=0.0, gap=0.0, level=0.7):
    """Correctness (runs, items) of a probability level + gap + seed + item, kept within 0..1 by small parts."""
    seed = generator.uniform(-1, 1, (runs, 1)) * seed_sd * sqrt(3)
    item = generator.uniform(-1, 1, (1, items)) * hard * sqrt(3)
    return (generator.random((runs, items)) < level + gap + seed + item).astype(float)


def test_the_parts_of_the_variance_add_up_to_what_is_seen():
    table = outcomes(rng(16), 6, 300, 0.05, 0.15)
    found = variance.components(table)
    assert found.run > 0 and found.item > 0
    assert found.seed_sd == pytest.approx(table.mean(axis=1).std(ddof=1))
    assert found.item + found.rest == pytest.approx(table.var(axis=1, ddof=1).mean())
    assert found.mean == pytest.approx(table.mean())


def test_the_estimators_of_the_parts_are_right_on_average():
    seed_sd, hard, level = 0.05, 0.12, 0.7
    made = [variance.components(outcomes(rng(i), 6, 80, seed_sd, hard, level=level)) for i in range(400)]
    chance = level * (1 - level) - seed_sd**2 - hard**2
    assert np.mean([c.item for c in made]) == pytest.approx(hard**2, rel=0.1)
    assert np.mean([c.rest for c in made]) == pytest.approx(chance, rel=0.02)
    # What falls below 0 is cut off, so that this one is a little high.
    assert np.mean([c.run for c in made]) == pytest.approx(seed_sd**2, rel=0.2)


def test_a_larger_test_set_lowers_the_error_of_the_test_set_and_not_that_of_the_seeds():
    few, many = (variance.components(outcomes(rng(17), 8, items, 0.05, 0.15)) for items in (200, 20_000))
    assert many.test_set_se < few.test_set_se / 5
    assert many.mean_se > 0.01 > 5 * many.test_set_se


def test_seeds_that_answer_alike_leave_only_the_test_set_s_error():
    one = outcomes(rng(18), 1, 150)
    found = variance.components(np.repeat(one, 4, axis=0))
    assert found.run == found.rest == found.seed_sd == 0
    assert found.test_set_se == pytest.approx(variance.binomial_se(one.mean(), 150), rel=0.01)


def test_with_one_run_the_difference_is_the_paired_t_test_over_items():
    a, b = outcomes(rng(19), 1), outcomes(rng(20), 1, gap=-0.1)
    found, wanted = variance.difference(a, b), scipy_stats.ttest_rel(a[0], b[0])
    assert (found.value, found.p) == pytest.approx((a.mean() - b.mean(), wanted.pvalue))


def test_the_variance_of_the_difference_is_that_of_its_parts():
    a, b = outcomes(rng(21), 6, 300, 0.06, 0.1), outcomes(rng(22), 6, 300, 0.06, 0.1)
    parts = variance.components(a - b)
    assert parts.run > 0 and parts.item > 0
    assert variance.difference(a, b).se == pytest.approx(parts.mean_se)


def test_the_difference_does_not_depend_on_order_and_turns_with_its_sides():
    a, b = outcomes(rng(23), 4, 60, 0.05, 0.1), outcomes(rng(24), 4, 60, 0.05, 0.1)
    found, items, runs = variance.difference(a, b), rng(25).permutation(60), [2, 0, 3, 1]
    other = variance.difference(a[runs][:, items], b[runs][:, items])
    assert (other.value, other.se, other.df) == pytest.approx((found.value, found.se, found.df))
    assert variance.difference(b, a) == summary.Estimate(-found.value, found.se, found.df)


# Coverage: repetitions R, so that the share has a standard deviation of at most sqrt(0.05 0.95 / R) = 0.011 for 400


def covered(interval, truth):
    return interval is not None and interval.low <= truth <= interval.high


@pytest.mark.parametrize(("seed_sd", "hard"), [(0.0, 0.15), (0.04, 0.1), (0.1, 0.0)])
@pytest.mark.parametrize(("runs", "least"), [(2, 0.84), (3, 0.89), (5, 0.915), (10, 0.915)])
def test_the_interval_of_a_difference_covers_seeds_and_items(seed_sd, hard, runs, least):
    hits, gap = 0, 0.05
    for at in range(400):
        generator = rng(1000 + at)
        a = outcomes(generator, runs, 150, seed_sd, hard, gap, 0.6)
        hits += covered(variance.difference(a, outcomes(generator, runs, 150, seed_sd, hard, 0.0, 0.6)).interval(), gap)
    assert least <= hits / 400 <= 0.985


def test_items_alone_do_not_cover_the_noise_of_seeds():
    hits = 0
    for at in range(400):
        generator = rng(2000 + at)
        a, b = (outcomes(generator, 3, 150, 0.1, 0.0, level=0.6) for _ in range(2))
        hits += covered(bootstrap.paired(a, b, generator, resamples=300), 0.0)
    assert hits / 400 < 0.75, "the bootstrap over items is said to hold for the trained models only"


@pytest.mark.parametrize(("runs", "least", "most"), [(10, 0.90, 0.97), (3, 0.70, 0.93)])
def test_the_stratified_bootstrap_covers_with_ten_runs_and_falls_short_with_three(runs, least, most):
    truth = np.array([0.3, 0.5, 0.8, 0.6])
    hits = 0
    for at in range(400):
        generator = rng(3000 + at)
        scores = truth + generator.normal(0, 0.1, (runs, 4)) * [0.5, 1, 1, 2]
        hits += covered(bootstrap.stratified(scores, aggregate.mean, generator, resamples=400), truth.mean())
    assert least <= hits / 400 <= most


def test_the_mean_over_tasks_covers_with_three_seeds():
    truth, hits = np.array([0.3, 0.5, 0.8, 0.6]), 0
    for at in range(400):
        scores = truth + rng(4000 + at).normal(0, 0.1, (3, 4)) * [0.5, 1, 1, 2]
        hits += covered(summary.mean_of([summary.over_runs(task) for task in scores.T]).interval(), truth.mean())
    assert 0.92 <= hits / 400 <= 0.985


@pytest.mark.parametrize("test", ["mcnemar", "signed-rank", "holm"])
def test_the_exact_tests_reject_no_more_often_than_alpha(test):
    """Of 600 repetitions without a difference at most 5% + 3 standard deviations; and not never."""
    rejected = 0
    for at in range(600):
        generator = rng(5000 + at)
        if test == "mcnemar":
            hard = generator.uniform(0.3, 1, (1, 120))
            a, b = ((generator.random((3, 120)) < hard) for _ in range(2))
            rejected += paired.mcnemar_runs(a, b) <= 0.05
        elif test == "signed-rank":
            rejected += paired.signed_rank(generator.normal(0, 1, 8).round(1)).p <= 0.05
        else:
            rejected += bool(
                (paired.pairwise(generator.normal(0, 1, (12, 4))) <= 0.05).any(where=~np.eye(4, dtype=bool))
            )
    assert 0.005 <= rejected / 600 <= 0.077


# Groups


def matrix(size, pairs):
    found = np.zeros((size, size), bool)
    for i, j in pairs:
        found[i, j] = found[j, i] = True
    return found


def test_groups_of_the_published_example():
    # Gramm et al. 2007, Computational Statistics & Data Analysis 52, Fig. 2, counted from 1.
    found = groups.groups(matrix(5, [(0, 4), (1, 2), (1, 4), (2, 4)]))
    assert set(found) == {frozenset({0, 1, 3}), frozenset({0, 2, 3}), frozenset({3, 4})}


@pytest.mark.parametrize("seed", range(8))
def test_groups_are_all_largest_sets_without_a_pair_that_differs(seed):
    size = 7
    different = np.triu(rng(seed).random((size, size)) < 0.4, 1)
    different |= different.T
    sets = [frozenset(s) for n in range(1, size + 1) for s in itertools.combinations(range(size), n)]
    free = [s for s in sets if not any(different[i, j] for i in s for j in s)]
    assert set(groups.groups(different)) == {s for s in free if not any(s < other for other in free)}
    marks = groups.letters(different, rng(seed + 9).random(size))
    for i, j in itertools.combinations(range(size), 2):
        assert bool(set(marks[i]) & set(marks[j])) != different[i, j]


def test_letters_begin_with_the_best_and_follow_the_methods():
    different = matrix(4, [(0, 3), (1, 3), (0, 2)])
    means = np.array([0.9, 0.8, 0.7, 0.5])
    assert groups.letters(different, means) == ["a", "ab", "bc", "c"]
    order = [3, 1, 0, 2]
    assert groups.letters(different[np.ix_(order, order)], means[order]) == ["c", "ab", "a", "bc"]
    assert groups.letters(matrix(3, []), [1.0, 1.0, 1.0]) == ["a", "a", "a"]
    assert groups.letters(matrix(1, []), [0.5]) == ["a"]


def test_more_groups_than_asked_for_are_refused():
    """Three pairs of which one of each differs: 2^3 sets."""
    different = matrix(6, [(0, 1), (2, 3), (4, 5)])
    assert len(groups.groups(different, 8)) == 8
    with pytest.raises(groups.TooMany, match="more than 7"):
        groups.letters(different, np.arange(6.0), 7)


def test_more_groups_than_letters_stay_apart():
    size = 60
    marks = groups.letters(~np.eye(size, dtype=bool), -np.arange(float(size)))
    assert marks[0] == "a" and marks[51] == "Z" and marks[52] == "(53)" and len(set(marks)) == size


def test_with_the_best_are_those_that_do_not_differ_from_it():
    different = matrix(4, [(1, 3), (0, 3)])
    assert list(groups.with_the_best(different, [0.5, 0.9, 0.1, 0.8])) == [True, True, True, False]


# Too few


def test_the_smallest_p_is_reached_by_differences_that_all_point_one_way():
    for n in range(1, 9):
        assert enough.smallest_p(n) == pytest.approx(paired.signed_rank(np.arange(1.0, n + 1)).p)
        assert enough.smallest_p(n, "mcnemar") == pytest.approx(paired.mcnemar(np.ones(n), np.zeros(n)).p)
        apart = scipy_stats.mannwhitneyu(np.arange(n), np.arange(n) + 99, method="exact")
        assert enough.smallest_p(n, "mann-whitney") == pytest.approx(apart.pvalue)
    assert enough.smallest_p(0) == 1.0


def test_too_few_says_what_is_reached_and_what_would_do():
    assert enough.too_few(6) == "" != enough.too_few(5)
    assert enough.too_few(5, "task") == (
        "5 tasks are too few: the smallest p that the exact Wilcoxon signed-rank test can reach is 0.0625, "
        "above 0.05; 6 would do."
    )
    assert enough.too_few(1).startswith("1 seed is too few")
    assert enough.too_few(4, test="mann-whitney") == ""
    # Over 10 comparisons 0.005 has to be reached: 2 / 2^9.
    assert "9 would do" in enough.too_few(6, comparisons=10) and enough.too_few(9, comparisons=10) == ""
    assert 2 / comb(6, 3) > 0.05 and enough.too_few(3, "run", "mann-whitney")
