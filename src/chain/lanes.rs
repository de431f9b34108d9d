//! Lanes: a pool counts each borrower's nonces, so transactions that have a pool and a borrower in common go one after the other.

use alloy::primitives::Address;
use std::collections::{BTreeMap, BTreeSet};

/// Pool and borrower of each of a transaction's loans.
pub(super) type Lanes = BTreeSet<(Address, Address)>;

/// The batches that may not go now, each with what is before it: of those with a lane in common the first one goes, and none beside what is
/// under way in one of its lanes.
///
/// A batch's call succeeds though the pool refuses one of its loans, so that no simulation shows it. Whoever put the batch together has asked
/// the pool about each loan as things stood then; when another transaction of a borrower is mined, whatever it opened, they stand otherwise,
/// and a loan that is sent all the same is refused in the block.
pub(super) fn held_back<K>(
    under_way: impl IntoIterator<Item = (String, Lanes)>,
    batches: impl IntoIterator<Item = (K, String, Lanes)>,
) -> Vec<(K, String, String)> {
    let mut first_of: BTreeMap<_, String> = BTreeMap::new();
    for (name, lanes) in under_way {
        first_of.extend(lanes.into_iter().map(|lane| (lane, name.clone())));
    }
    let mut held = Vec::new();
    for (key, name, lanes) in batches {
        match lanes.iter().find_map(|lane| first_of.get(lane)).cloned() {
            Some(first) => held.push((key, name, first)),
            // What is held back holds back no other.
            None => first_of.extend(lanes.into_iter().map(|lane| (lane, name.clone()))),
        }
    }
    held
}

#[cfg(test)]
mod tests {
    use super::{Lanes, held_back};
    use alloy::primitives::Address;

    fn lanes(pool: u8, borrowers: &[u8]) -> Lanes {
        borrowers.iter().map(|&borrower| (Address::repeat_byte(pool), Address::repeat_byte(borrower))).collect()
    }

    fn held(under_way: &[(&str, u8, &[u8])], batches: &[(&str, u8, &[u8])]) -> Vec<(usize, String)> {
        let under_way = under_way.iter().map(|(name, pool, of)| ((*name).to_owned(), lanes(*pool, of)));
        let batches = batches.iter().enumerate().map(|(at, (name, pool, of))| (at, (*name).to_owned(), lanes(*pool, of)));
        held_back(under_way, batches).into_iter().map(|(at, _, first)| (at, first)).collect()
    }

    #[test]
    fn of_batches_with_a_borrower_in_common_the_first_goes() {
        assert_eq!(held(&[], &[("a", 1, &[1, 2]), ("b", 1, &[3]), ("c", 1, &[2, 4])]), [(2, "a".into())]);
        assert_eq!(held(&[], &[("a", 1, &[1]), ("b", 2, &[1])]), [], "another pool has nonces of its own");
        // A cycle: neither order is right for both, so that one of them goes now.
        assert_eq!(held(&[], &[("a", 1, &[1, 2]), ("b", 1, &[2, 1])]), [(1, "a".into())]);
        // What waits keeps nobody waiting: c goes beside a.
        assert_eq!(held(&[], &[("a", 1, &[1]), ("b", 1, &[1, 2]), ("c", 1, &[2])]), [(1, "a".into())]);
        assert_eq!(held(&[], &[]), []);
    }

    #[test]
    fn nothing_goes_beside_what_is_under_way_for_its_borrower() {
        let under_way: &[(&str, u8, &[u8])] = &[("x", 1, &[1]), ("y", 1, &[2])];
        assert_eq!(held(under_way, &[("a", 1, &[3, 2]), ("b", 1, &[3]), ("c", 2, &[1])]), [(0, "y".into())]);
    }
}
