//! Who belongs to whom, decided for all at once: marginals of a matching in which either side may stay alone.
//!
//! The sum-product algorithm on the bipartite graph of candidates (Williams and Lau, "Approximate evaluation of marginal
//! association probabilities with belief propagation", 2014). It always converges, its cost is linear in the edges, and
//! a tie stays a tie: two candidates that fit equally get equal marginals. Alone it takes two pairs that could as well
//! be swapped for certain as soon as they are a little likelier one way; so each such square is solved as if it stood
//! alone with what its four hear from elsewhere. For a square that does, that is exact. Where squares overlap it is an
//! estimate, and the shares of each partner are scaled back to what they summed to before. Three pairs or more that can
//! only be moved round together make no square, and are taken for surer than they are.

/// A possible pair.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Edge {
    /// Place of the outer partner.
    pub outer: u32,
    /// Place of the inner partner.
    pub inner: u32,
    /// How much likelier it is that these two are a pair than that both are alone.
    pub odds: f64,
}

/// Rounds of messages at most; far fewer are needed.
const ROUNDS: usize = 60;

/// Messages that change by less than this have settled.
const SETTLED: f64 = 1e-5;

/// Odds beyond this say no more, and sums with them lose no digits.
const SURE: f64 = 1e9;

/// For each edge the probability that its two are a pair. Each outer and each inner partner is in one pair at most.
///
/// `edges` are sorted by their outer partner.
pub fn marginals(outers: usize, inners: usize, edges: &[Edge]) -> Vec<f64> {
    let odds: Vec<f64> = edges.iter().map(|edge| edge.odds.clamp(0.0, SURE)).collect();
    // From inner to outer: the share of the inner partner's attention that no other outer partner claims.
    let mut free = vec![1.0_f64; edges.len()];
    let mut claim = vec![0.0_f64; edges.len()];
    let mut wanted = vec![0.0_f64; outers];
    let mut claimed = vec![0.0_f64; inners];
    for _ in 0..ROUNDS {
        wanted.fill(0.0);
        for ((edge, odds), free) in edges.iter().zip(&odds).zip(&free) {
            wanted[edge.outer as usize] += odds * free;
        }
        claimed.fill(0.0);
        for (((edge, odds), free), claim) in edges.iter().zip(&odds).zip(&free).zip(&mut claim) {
            let others = (wanted[edge.outer as usize] - odds * free).max(0.0);
            *claim = odds / (1.0 + others);
            claimed[edge.inner as usize] += *claim;
        }
        let mut change = 0.0_f64;
        for ((edge, claim), free) in edges.iter().zip(&claim).zip(&mut free) {
            let next = 1.0 / (1.0 + (claimed[edge.inner as usize] - claim).max(0.0));
            change = change.max((next - *free).abs());
            *free = next;
        }
        if change < SETTLED {
            break;
        }
    }
    wanted.fill(0.0);
    for ((edge, odds), free) in edges.iter().zip(&odds).zip(&free) {
        wanted[edge.outer as usize] += odds * free;
    }
    let of_edge = edges.iter().zip(&odds).zip(&free);
    let mut shares: Vec<f64> =
        of_edge.map(|((edge, odds), free)| odds * free / (1.0 + wanted[edge.outer as usize])).collect();
    let before = Sums::of(outers, inners, edges, &shares);
    Settled { edges, odds: &odds, free: &free, claim: &claim, wanted: &wanted, claimed: &claimed }.unswap(&mut shares);
    let after = Sums::of(outers, inners, edges, &shares);
    for (edge, share) in edges.iter().zip(&mut shares) {
        *share *= before.scale(&after, edge);
    }
    shares
}

/// What the shares of each partner sum to.
struct Sums {
    outer: Vec<f64>,
    inner: Vec<f64>,
}

impl Sums {
    fn of(outers: usize, inners: usize, edges: &[Edge], shares: &[f64]) -> Self {
        let mut sums = Self { outer: vec![0.0; outers], inner: vec![0.0; inners] };
        for (edge, share) in edges.iter().zip(shares) {
            sums.outer[edge.outer as usize] += share;
            sums.inner[edge.inner as usize] += share;
        }
        sums
    }

    /// What to multiply the share of `edge` by so that neither of its two has more than it had, nor more than there is,
    /// which messages that have not settled may give.
    fn scale(&self, after: &Self, edge: &Edge) -> f64 {
        let back = |before: f64, after: f64| if after > before.min(1.0) { before.min(1.0) / after } else { 1.0 };
        let (outer, inner) = (edge.outer as usize, edge.inner as usize);
        back(self.outer[outer], after.outer[outer]).min(back(self.inner[inner], after.inner[inner]))
    }
}

/// Messages that have settled.
struct Settled<'a> {
    edges: &'a [Edge],
    odds: &'a [f64],
    free: &'a [f64],
    claim: &'a [f64],
    wanted: &'a [f64],
    claimed: &'a [f64],
}

impl Settled<'_> {
    /// Solves each square of two pairs that may be swapped as if it stood alone, with what its four hear from elsewhere. A
    /// pair in several squares is as likely as in the one where it is least so.
    fn unswap(&self, shares: &mut [f64]) {
        let mut owner: Vec<Option<usize>> = vec![None; self.claimed.len()];
        for (edge, _) in shares.iter().enumerate().filter(|(_, share)| **share > 0.5) {
            owner[self.edges[edge].inner as usize] = Some(edge);
        }
        // Where the edges of each outer partner begin.
        let mut starts = vec![0; self.wanted.len() + 1];
        self.edges.iter().for_each(|edge| starts[edge.outer as usize + 1] += 1);
        (1..starts.len()).for_each(|outer| starts[outer] += starts[outer - 1]);
        let of_outer = |edge: usize| {
            let outer = self.edges[edge].outer as usize;
            starts[outer]..starts[outer + 1]
        };
        for best in owner.iter().flatten().copied() {
            for other in of_outer(best).filter(|other| *other != best) {
                let Some(rival) = owner[self.edges[other].inner as usize] else { continue };
                let taken = self.edges[best].inner;
                if let Some(swapped) = of_outer(rival).find(|edge| self.edges[*edge].inner == taken) {
                    let (kept, changed) = self.square([best, other, rival, swapped]);
                    shares[best] = shares[best].min(kept);
                    shares[other] = shares[other].max(changed);
                }
            }
        }
    }

    /// The shares of `best` and of `other` in their square: of one outer partner both, of another `rival`, which takes
    /// what `other` would, and `swapped`, which takes what `best` does.
    fn square(&self, [best, other, rival, swapped]: [usize; 4]) -> (f64, f64) {
        let outer = |one: usize, two: usize| {
            let elsewhere = self.wanted[self.edges[one].outer as usize];
            1.0 + (elsewhere - self.odds[one] * self.free[one] - self.odds[two] * self.free[two]).max(0.0)
        };
        let inner = |one: usize, two: usize| {
            let elsewhere = self.claimed[self.edges[one].inner as usize];
            1.0 + (elsewhere - self.claim[one] - self.claim[two]).max(0.0)
        };
        let (first, second) = (outer(best, other), outer(rival, swapped));
        let (taken, wished) = (inner(best, swapped), inner(other, rival));
        let best = self.odds[best] / (first * taken);
        let other = self.odds[other] / (first * wished);
        let rival = self.odds[rival] / (second * wished);
        let swapped = self.odds[swapped] / (second * taken);
        let all = 1.0 + best + other + rival + swapped + best * rival + other * swapped;
        (best * (1.0 + rival) / all, other * (1.0 + swapped) / all)
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn edge(outer: u32, inner: u32, odds: f64) -> Edge {
        Edge { outer, inner, odds }
    }

    fn near(left: f64, right: f64) -> bool {
        (left - right).abs() < 1e-3
    }

    #[test]
    fn one_candidate_is_as_likely_as_its_odds() {
        assert!(near(marginals(1, 1, &[edge(0, 0, 3.0)])[0], 0.75));
    }

    #[test]
    fn one_of_two_equal_candidates_is_a_tie() {
        let found = marginals(1, 2, &[edge(0, 0, 1e6), edge(0, 1, 1e6)]);
        assert!(near(found[0], 0.5) && near(found[1], 0.5), "{found:?}");
    }

    #[test]
    fn a_chain_is_solved_exactly() {
        // a-x 4, a-y 1, b-y 2. Matchings: none 1, ax 4, ay 1, by 2, ax+by 8; together 16.
        let found = marginals(2, 2, &[edge(0, 0, 4.0), edge(0, 1, 1.0), edge(1, 1, 2.0)]);
        assert!(near(found[0], 12.0 / 16.0), "{found:?}");
        assert!(near(found[1], 1.0 / 16.0), "{found:?}");
        assert!(near(found[2], 10.0 / 16.0), "{found:?}");
    }

    #[test]
    fn what_one_can_only_be_the_other_cannot_be() {
        // b fits y only, so a, which fits both equally, is x's.
        let found = marginals(2, 2, &[edge(0, 0, 1e4), edge(0, 1, 1e4), edge(1, 1, 1e4)]);
        assert!(found[0] > 0.99 && found[1] < 0.01 && found[2] > 0.99, "{found:?}");
    }

    #[test]
    fn two_pairs_that_could_be_swapped_are_as_likely_as_that_is() {
        // One way 4e6, swapped 1e6; one pair alone 2e3, 2e3, 1e3, 1e3; none 1.
        let edges = [edge(0, 0, 2e3), edge(0, 1, 1e3), edge(1, 0, 1e3), edge(1, 1, 2e3)];
        let found = marginals(2, 2, &edges);
        let all = 4e6 + 1e6 + 6e3 + 1.0;
        assert!(near(found[0], (4e6 + 2e3) / all) && near(found[3], found[0]), "{found:?}");
        assert!(near(found[1], (1e6 + 1e3) / all) && near(found[2], found[1]), "{found:?}");
    }

    #[test]
    fn a_square_of_equals_stays_open() {
        let edges = [edge(0, 0, 1e5), edge(0, 1, 1e5), edge(1, 0, 1e5), edge(1, 1, 1e5)];
        assert!(marginals(2, 2, &edges).iter().all(|found| near(*found, 0.5)));
    }

    /// What all matchings of `edges` weigh together; what those with an edge do is added to `with`.
    fn weigh(edges: &[Edge], taken: &mut Vec<usize>, weight: f64, with: &mut [f64]) -> f64 {
        for edge in taken.iter() {
            with[*edge] += weight;
        }
        let mut all = weight;
        for next in taken.last().map_or(0, |last| last + 1)..edges.len() {
            let clash =
                |edge: &usize| edges[*edge].outer == edges[next].outer || edges[*edge].inner == edges[next].inner;
            if !taken.iter().any(clash) {
                taken.push(next);
                all += weigh(edges, taken, weight * edges[next].odds, with);
                taken.pop();
            }
        }
        all
    }

    fn exact(edges: &[Edge]) -> Vec<f64> {
        let mut with = vec![0.0; edges.len()];
        let all = weigh(edges, &mut Vec::new(), 1.0, &mut with);
        with.into_iter().map(|weight| weight / all).collect()
    }

    fn all_of(size: u32, odds: impl Fn(u32, u32) -> f64) -> Vec<Edge> {
        (0..size)
            .flat_map(|outer| (0..size).map(move |inner| (outer, inner)))
            .map(|(o, i)| edge(o, i, odds(o, i)))
            .collect()
    }

    #[test]
    fn three_pairs_that_could_be_swapped_are_hardly_surer_than_that_is() {
        for times in [1.0, 1.2, 1.5, 2.0, 3.0, 5.0, 10.0, 30.0] {
            let edges = all_of(3, |outer, inner| if outer == inner { times * 1e3 } else { 1e3 });
            let (found, exact) = (marginals(3, 3, &edges), exact(&edges));
            let near = found.iter().zip(&exact).all(|(found, exact)| (found - exact).abs() < 0.04);
            assert!(near, "{times} to one: {found:?}, not {exact:?}");
        }
    }

    proptest! {
        #[test]
        fn nobody_is_in_more_than_one_pair(
            size in 1_u32..7, least in -2.0..9.0_f64, times in prop::collection::vec(prop::option::of(1.0..8.0_f64), 49)
        ) {
            let mut edges = all_of(size, |outer, inner| {
                times[(outer * 7 + inner) as usize].map_or(0.0, |times| times * 10.0_f64.powf(least))
            });
            edges.retain(|edge| edge.odds > 0.0);
            let size = size as usize;
            let sums = Sums::of(size, size, &edges, &marginals(size, size, &edges));
            prop_assert!(sums.outer.iter().chain(&sums.inner).all(|sum| *sum <= 1.0 + 1e-6), "{:?}", edges);
        }
    }
}
